import { describe, expect, it } from '@jest/globals';
import { AddressRate } from './address-rate.js';

describe('a rate by address', () => {
  it('is so many a second for each, and anew in the next second', () => {
    const rate = new AddressRate(2);
    const taken = (address: string, now: number) => [1, 2, 3].map(() => rate.take(address, now));
    expect(taken('a', 5_000)).toEqual([true, true, false]);
    expect(taken('a', 5_999)).toEqual([false, false, false]);
    expect(taken('b', 5_999)).toEqual([true, true, false]);
    expect(taken('a', 6_000)).toEqual([true, true, false]);
  });
});
