import { Outcome } from '@sotto/protocol';
import { encodeAck, encodeSend, FrameKind, parseDeliver } from '@sotto/protocol/frames';
import sodium from 'libsodium-wrappers';
import { type SottoConnection, tokenFor } from './sotto-connection.js';

const TTL_SECONDS = 30;
const NUMBER_AT = 0;
const TAG_AT = 12;

/** Sends to one recipient. Each has an id of its own, which carries a tag (uint32) for when its receipt comes. */
export function messagesTo(recipient: SottoConnection, size: number): (tag: number) => Uint8Array {
  const id = sodium.randombytes_buf(16);
  const view = new DataView(id.buffer, id.byteOffset);
  const send = { id, devices: [recipient.device], tokens: [tokenFor(recipient)], payload: sodium.randombytes_buf(size), ttl: TTL_SECONDS };
  let number = 0;
  return (tag) => {
    view.setUint32(NUMBER_AT, ++number);
    view.setUint32(TAG_AT, tag);
    return encodeSend(send);
  };
}

export function tagOf(id: Uint8Array): number {
  return new DataView(id.buffer, id.byteOffset).getUint32(TAG_AT);
}

/** Acknowledges every delivery at once. */
export function store(recipient: SottoConnection): void {
  recipient.onFrame = (kind, message) => {
    if (kind !== FrameKind.DELIVER) return;
    const { relay, delivery } = parseDeliver(message);
    recipient.write(encodeAck({ relay, delivery, outcome: Outcome.STORED }));
  };
}
