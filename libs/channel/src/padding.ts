import { LIMITS } from '@sotto/protocol';

export const TAG_BYTES = 16;
/** Big-endian length of the Frames bytes, the first of every plaintext. */
export const LENGTH_BYTES = 4;
/** No box says more about a small message than this. */
export const MIN_PLAINTEXT_BYTES = 256;
const MAX_PLAINTEXT_BYTES = LIMITS.boxBytes - TAG_BYTES;
/** The longest Frames bytes that one box can carry. */
export const MAX_FRAMES_BYTES = MAX_PLAINTEXT_BYTES - LENGTH_BYTES;

/** Padmé (Nikitin et al., PETS 2019, algorithm 1): at most 12 % more, and O(log log) different lengths' worth of leakage. */
export function padmeLength(length: number): number {
  if (length < 2) return length;
  const exponent = 31 - Math.clz32(length);
  const keptBits = 32 - Math.clz32(exponent);
  const mask = 2 ** (exponent - keptBits) - 1;
  return exponent < keptBits ? length : length + mask - ((length + mask) & mask);
}

/** Length of the plaintext of a box for that many Frames bytes; the topmost step is cut at what a box can hold. */
export function plaintextLength(framesLength: number): number {
  const padded = padmeLength(Math.max(framesLength + LENGTH_BYTES, MIN_PLAINTEXT_BYTES));
  return Math.min(padded, MAX_PLAINTEXT_BYTES);
}

/** Length of the box for that many Frames bytes. */
export function boxLength(framesLength: number): number {
  return plaintextLength(framesLength) + TAG_BYTES;
}
