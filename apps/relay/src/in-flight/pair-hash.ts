import { randomFillSync } from 'node:crypto';
import { ID_BYTES } from '@sotto/protocol';

/** Two bytes at a time, of two ids. */
const PARTS = ID_BYTES;

/**
 * A hash of two ids (as keys, see keyOf) that those who choose them cannot foresee: multiply-shift of vectors of 16-bit parts (M. Thorup, High Speed
 * Hashing for Integers and Strings, arXiv 1504.06804), strongly universal for 17 bits of result.
 */
export class PairHash {
  static readonly BITS = 17;
  private readonly factors = randomFillSync(new Int32Array(PARTS + 1));

  /** A number of 17 bits. */
  of(one: string, other: string): number {
    const { factors } = this;
    let sum = factors[PARTS]!;
    for (let i = 0, at = 0; at < ID_BYTES; i += 2, at += 2) {
      sum = (sum + Math.imul(factors[i]!, one.charCodeAt(at) | (one.charCodeAt(at + 1) << 8))) | 0;
      sum = (sum + Math.imul(factors[i + 1]!, other.charCodeAt(at) | (other.charCodeAt(at + 1) << 8))) | 0;
    }
    return sum >>> (32 - PairHash.BITS);
  }
}
