import { sha512 } from '@noble/hashes/sha2.js';
import { concat, sameBytes } from './crypto/bytes.js';

const ITERATIONS = 5200;
const GROUPS_PER_KEY = 6;
const BYTES_PER_GROUP = 5;
// Version of the scheme, 2 bytes: numbers of different schemes never match.
const VERSION = Uint8Array.of(0, 1);

/**
 * Half of a safety number, after Signal's numeric fingerprint: h = SHA-512(version || key || key), then 5,199 times h = SHA-512(h || key);
 * of the first 30 bytes each 5 are a big-endian number modulo 100,000. The iterations make a near match dear to search for.
 */
function digits(accountKey: Uint8Array): string {
  let hash = sha512(concat(VERSION, accountKey, accountKey));
  for (let iteration = 1; iteration < ITERATIONS; iteration += 1) hash = sha512(concat(hash, accountKey));
  return Array.from({ length: GROUPS_PER_KEY }, (_, group) => {
    const bytes = hash.subarray(group * BYTES_PER_GROUP, (group + 1) * BYTES_PER_GROUP);
    const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    return String(value % 100_000).padStart(5, '0');
  }).join(' ');
}

/** 12 groups of 5 digits for two people to compare; the same on both sides. */
export function safetyNumber(accountKeyA: Uint8Array, accountKeyB: Uint8Array): string {
  const first = digits(accountKeyA);
  const halves = [first, sameBytes(accountKeyA, accountKeyB) ? first : digits(accountKeyB)];
  return halves.sort().join(' ');
}
