import { concat } from './bytes.js';
import type { MlsProvider } from './provider.js';

export const HASH_BYTES = 32;
const EMPTY = new Uint8Array();

/** RFC 5869 with SHA-256. */
export function extract(provider: MlsProvider, salt: Uint8Array, ikm: Uint8Array): Uint8Array {
  return provider.hmacSha256(salt.length === 0 ? new Uint8Array(HASH_BYTES) : salt, ikm);
}

export function expand(provider: MlsProvider, prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length);
  let block: Uint8Array = EMPTY;
  for (let offset = 0, counter = 1; offset < length; offset += HASH_BYTES, counter += 1) {
    block = provider.hmacSha256(prk, concat(block, info, Uint8Array.of(counter)));
    output.set(block.subarray(0, length - offset), offset);
  }
  return output;
}
