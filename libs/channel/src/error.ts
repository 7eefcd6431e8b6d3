/** Why a channel could not be opened, or had to end. A closed list: callers switch over it. */
export type ChannelErrorReason =
  | 'malformed'
  | 'unsupported-version'
  | 'no-common-suite'
  | 'bad-signature'
  | 'wrong-pin'
  | 'certificate-expired'
  | 'certificate-not-yet-valid'
  | 'certificate-too-long'
  | 'tag-failed'
  | 'too-large'
  | 'closed';

/** Carries no bytes of the peer and no keys, so it may be logged as it is. */
export class ChannelError extends Error {
  constructor(readonly reason: ChannelErrorReason) {
    super(`channel: ${reason}`);
    this.name = 'ChannelError';
  }
}
