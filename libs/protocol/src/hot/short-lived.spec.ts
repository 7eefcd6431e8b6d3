import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { shortLived } from './short-lived.js';

describe('short-lived bytes', () => {
  it('never overlap', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 5_000 }), { maxLength: 60 }), (lengths) => {
        const shares = lengths.map((length, i) => shortLived(length).fill(i + 1));
        shares.forEach((share, i) => {
          expect(share).toHaveLength(lengths[i]!);
          expect(share.every((byte) => byte === i + 1)).toBe(true);
        });
      }),
    );
  });

  it('are of their own when they are many', () => {
    expect(shortLived(100_000).buffer.byteLength).toBe(100_000);
  });
});
