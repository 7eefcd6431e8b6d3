import type { DeviceIdentity } from './identity.js';

/** Why the engine refused. Closed: a caller decides by the reason, never by the text. */
export type MlsErrorReason =
  | 'malformed'
  | 'trailing-bytes'
  | 'unsupported'
  | 'bad-credential'
  | 'wrong-server'
  | 'bad-signature'
  | 'undecryptable'
  | 'expired'
  | 'lifetime-too-long'
  | 'duplicate-key'
  | 'identity-changed'
  | 'used-generation'
  | 'generation-too-far'
  | 'own-message'
  /** Sealed by this leaf with keys that this state has not used yet: the state is of an earlier time. */
  | 'own-message-ahead'
  | 'wrong-group'
  | 'no-key-package'
  | 'removed'
  | 'invalid';

/** Carries a reason and the outcome of a check, never key material or plaintext. */
export class MlsError extends Error {
  override readonly name = 'MlsError';

  constructor(
    readonly reason: MlsErrorReason,
    text: string = reason,
    /** Whose message it was, where that could be read: only a member of that epoch can make it readable. */
    readonly sender?: DeviceIdentity,
  ) {
    super(text);
  }

  from(sender: DeviceIdentity): MlsError {
    return new MlsError(this.reason, this.message, sender);
  }
}
