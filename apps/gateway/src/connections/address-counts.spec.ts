import { describe, expect, it } from '@jest/globals';
import { AddressCounts, AddressRate } from './address-counts.js';

describe('counts by address', () => {
  it('go up, go down, and are forgotten at none', () => {
    const counts = new AddressCounts();
    counts.enter('a');
    counts.enter('a');
    counts.enter('b');
    expect([counts.of('a'), counts.of('b'), counts.of('c')]).toEqual([2, 1, 0]);
    counts.leave('a');
    counts.leave('b');
    expect([counts.of('a'), counts.of('b')]).toEqual([1, 0]);
  });
});

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
