import { jest } from '@jest/globals';
import { Link } from '@sotto/client';
import { toHex } from '@sotto/protocol';

export interface Sent {
  /** Of the recipient. Lower-case hex. */
  readonly device: string;
  readonly token: Uint8Array;
  readonly payload: Uint8Array;
  /** Lower-case hex; empty but for a commit. */
  readonly slot: string;
  readonly commit: string;
}

const NONE = new Uint8Array();

/** Every Send that clients of this process hand to their connections from now on, before the channel seals it: once for each recipient. */
export function watchSends(): Sent[] {
  const sent: Sent[] = [];
  const send = Link.prototype.send;
  jest.spyOn(Link.prototype, 'send').mockImplementation(function (this: Link, kind) {
    if (kind.case === 'send') {
      const { recipients = [], payload, slot = NONE, commitId = NONE } = kind.value;
      const claim = { slot: toHex(slot), commit: toHex(commitId) };
      for (const { device, token } of recipients) sent.push({ device: toHex(device!), token: token!, payload: payload!, ...claim });
    }
    return send.call(this, kind);
  });
  return sent;
}
