import { describe, expect, it } from '@jest/globals';
import { Turns } from './turns.js';

const NOW = 1_800_000_000_000;

/** Seconds from now on at which so many are asked in turn. */
function asked(turns: Turns, members: number, times: number): number[] {
  const lastAt = new Array<number>(members).fill(0);
  const at: number[] = [];
  for (let now = NOW; at.length < times; now += 1_000) {
    if (!turns.isDue(now)) continue;
    turns.take(lastAt.shift()!, now);
    lastAt.push(now);
    at.push((now - NOW) / 1_000);
  }
  return at;
}

describe('those who seem to be away', () => {
  it('are asked one after the other, and each round half as fast as the one before', () => {
    expect(asked(new Turns(5_000, 600_000), 1, 6)).toEqual([0, 5, 15, 35, 75, 155]);
    expect(asked(new Turns(5_000, 600_000), 3, 9)).toEqual([0, 5, 10, 15, 25, 35, 45, 65, 85]);
    const many = asked(new Turns(5_000, 600_000), 1, 15);
    expect(many.at(-1)! - many.at(-2)!).toBe(600);
  });

  it('are asked anew when something new has come', () => {
    const turns = new Turns(5_000, 600_000);
    asked(turns, 1, 8);
    turns.beginAnew(NOW);
    expect(asked(turns, 2, 4)).toEqual([0, 5, 10, 20]);
  });

  it('are not asked before the time from which on they may be', () => {
    const turns = new Turns(5_000, 600_000);
    turns.beginAnew(NOW, 60_000);
    expect(asked(turns, 1, 3)).toEqual([60, 65, 75]);
  });
});
