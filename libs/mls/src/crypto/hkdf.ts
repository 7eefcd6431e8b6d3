import { concat } from './bytes.js';
import type { MlsProvider } from './provider.js';

export const HASH_BYTES = 32;
const FIRST = Uint8Array.of(1);

/** RFC 5869 with SHA-256. */
export function extract(provider: MlsProvider, salt: Uint8Array, ikm: Uint8Array): Uint8Array {
  return provider.hmacSha256(salt.length === 0 ? new Uint8Array(HASH_BYTES) : salt, ikm);
}

export function expand(provider: MlsProvider, prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  let block = provider.hmacSha256(prk, concat(info, FIRST));
  if (length <= HASH_BYTES) return length === HASH_BYTES ? block : block.slice(0, length);
  const output = new Uint8Array(length);
  output.set(block);
  for (let offset = HASH_BYTES, counter = 2; offset < length; offset += HASH_BYTES, counter += 1) {
    block = provider.hmacSha256(prk, concat(block, info, Uint8Array.of(counter)));
    output.set(block.subarray(0, length - offset), offset);
  }
  return output;
}
