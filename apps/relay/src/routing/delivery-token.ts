import type { DeviceRoute } from '@sotto/platform/live-state';
import { ID_BYTES, KEY_BYTES, TOKEN_BYTES } from '@sotto/protocol';
import sodium from 'libsodium-wrappers';

/**
 * libsodium's WebAssembly module beneath its wrappers, which allocate, copy and free for each argument: twice the time of the MAC itself.
 * Arguments are addresses in its memory and lengths; a 64-bit length is two arguments, low half first.
 */
interface RawSodium {
  /** Replaced when the memory grows, so never kept. */
  readonly HEAPU8: Uint8Array;
  _malloc(length: number): number;
  _crypto_generichash(out: number, outLength: number, input: number, inputLength: number, high: 0, key: number, keyLength: number): number;
}

/** A key for devices that have none: the same work is done for them. */
const NOBODYS_KEY = new Uint8Array(KEY_BYTES);

const MAC_AT = 0;
const CAPABILITY_AT = ID_BYTES;
const KEY_AT = 2 * ID_BYTES;

/** Address of the memory for one check; 0: none yet. Never freed. */
let scratch = 0;

/**
 * Whether the token at this place of `tokens` gives a right to send to the device (design 4.6): its second half is the BLAKE2b-128 of its
 * first under the device's delivery key, and the capability is not revoked. One MAC and one comparison, also for a device that nobody knows.
 * Needs `sodium.ready`.
 */
export function tokenHolds(tokens: Uint8Array, place: number, route: DeviceRoute | null): boolean {
  const at = place * TOKEN_BYTES;
  const known = route !== null && route.deliveryKey.length === KEY_BYTES;
  const equal = macIsRight(tokens, at, known ? route.deliveryKey : NOBODYS_KEY);
  return equal && known && !isRevoked(tokens, at, route.revokedCapabilities);
}

function macIsRight(tokens: Uint8Array, at: number, key: Uint8Array): boolean {
  const raw = (sodium as unknown as { libsodium: RawSodium }).libsodium;
  if (scratch === 0) scratch = raw._malloc(KEY_AT + KEY_BYTES);
  const heap = raw.HEAPU8;
  for (let i = 0; i < ID_BYTES; i++) heap[scratch + CAPABILITY_AT + i] = tokens[at + i]!;
  heap.set(key, scratch + KEY_AT);
  raw._crypto_generichash(scratch + MAC_AT, ID_BYTES, scratch + CAPABILITY_AT, ID_BYTES, 0, scratch + KEY_AT, KEY_BYTES);
  let difference = 0;
  for (let i = 0; i < ID_BYTES; i++) difference |= heap[scratch + MAC_AT + i]! ^ tokens[at + ID_BYTES + i]!;
  return difference === 0;
}

function isRevoked(tokens: Uint8Array, at: number, revoked: Uint8Array): boolean {
  for (let one = 0; one < revoked.length; one += ID_BYTES) {
    let same = true;
    for (let i = 0; same && i < ID_BYTES; i++) same = revoked[one + i] === tokens[at + i];
    if (same) return true;
  }
  return false;
}
