import { jest } from '@jest/globals';
import { Link } from '@sotto/client';
import { toHex } from '@sotto/protocol';

export interface Sent {
  /** Of the recipient. Lower-case hex. */
  readonly device: string;
  readonly token: Uint8Array;
  readonly payload: Uint8Array;
}

/** Every Send that clients of this process hand to their connections from now on, before the channel seals it: once for each recipient. */
export function watchSends(): Sent[] {
  const sent: Sent[] = [];
  const send = Link.prototype.send;
  jest.spyOn(Link.prototype, 'send').mockImplementation(function (this: Link, kind) {
    if (kind.case === 'send') {
      const { recipients = [], payload } = kind.value;
      for (const { device, token } of recipients) sent.push({ device: toHex(device!), token: token!, payload: payload! });
    }
    return send.call(this, kind);
  });
  return sent;
}
