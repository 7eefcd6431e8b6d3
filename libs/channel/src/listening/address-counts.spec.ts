import { describe, expect, it } from '@jest/globals';
import { AddressCounts } from './address-counts.js';

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

  it('tell who would have most, a newcomer among them', () => {
    const counts = new AddressCounts();
    expect(counts.largestWith('a')).toEqual({ address: 'a', count: 1 });
    for (const address of ['a', 'b', 'b']) counts.enter(address);
    expect(counts.largestWith('c')).toEqual({ address: 'b', count: 2 });
    expect(counts.largestWith('a')).toEqual({ address: 'a', count: 2 });
    expect(counts.largestWith('b')).toEqual({ address: 'b', count: 3 });
  });
});
