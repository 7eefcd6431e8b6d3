import { describe, expect, it } from '@jest/globals';
import { Random } from './random.js';

describe('the random numbers of a seed', () => {
  it('are the same each time, and others for another seed or stream', () => {
    const first = new Random(7, 'network').bytes(32);
    expect(new Random(7, 'network').bytes(32)).toEqual(first);
    expect(new Random(8, 'network').bytes(32)).not.toEqual(first);
    expect(new Random(7 + 2 ** 32, 'network').bytes(32)).not.toEqual(first);
    expect(new Random(7, 'devices').bytes(32)).not.toEqual(first);
  });

  it('are spread evenly', () => {
    const random = new Random(1);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) counts[random.whole(0, 9)]!++;
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  it('pick by weight, and never what weighs nothing', () => {
    const random = new Random(1);
    const picked = Array.from({ length: 1_000 }, () =>
      random.weighted([
        ['often', 3],
        ['never', 0],
        ['seldom', 1],
      ] as const),
    );
    expect(picked).not.toContain('never');
    expect(picked.filter((each) => each === 'often').length).toBeGreaterThan(600);
  });
});
