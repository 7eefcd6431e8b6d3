import { sha256 } from '@noble/hashes/sha2.js';
import { fromHex, toHex } from '@sotto/protocol';

/** A message as others refer to it: its MIMI message id, 32 bytes in lower-case hex. */
export type MessageRef = string;

const REF = /^01[0-9a-f]{62}$/;
/** IANA's "Named Information Hash Algorithm Registry". */
const SHA_256 = '01';
const SALT_BYTES = 16;
/** CBOR: an array of 7, and in it 16 bytes first. */
const BEGINNING = [0x87, 0x50] as const;
const CONTENT_ID_DIGITS = 32;

/**
 * draft-ietf-mimi-content-08 §3.3, with "sotto:" and the account's id as the sender's URI, and none for the room: a conversation of two may go
 * on in another group. Any bytes have one, so that what this version can't read has a name, too.
 */
export function messageRef(account: string, content: Uint8Array): MessageRef {
  const sender = new TextEncoder().encode(`sotto:${account}`);
  const hasSalt = BEGINNING.every((byte, i) => content[i] === byte);
  const salt = hasSalt ? content.subarray(BEGINNING.length, BEGINNING.length + SALT_BYTES) : new Uint8Array(0);
  const hash = sha256
    .create()
    .update(Uint8Array.of(sender.length >> 8, sender.length & 0xff))
    .update(sender)
    .update(Uint8Array.of(0, 0))
    .update(content)
    .update(salt)
    .digest();
  return SHA_256 + toHex(hash).slice(0, -2);
}

/** The content id of a message: what follows the number of the hash algorithm, cut to 16 bytes. */
export function contentIdOf(ref: MessageRef): string {
  return ref.slice(SHA_256.length, SHA_256.length + CONTENT_ID_DIGITS);
}

export function isMessageRef(text: string): boolean {
  return REF.test(text);
}

export function refBytes(ref: MessageRef): Uint8Array {
  return fromHex(ref);
}

export function refOf(bytes: Uint8Array): MessageRef {
  return toHex(bytes);
}
