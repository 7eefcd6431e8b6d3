import { describe, expect, it } from '@jest/globals';
import { Queue } from './queue.js';

describe('a queue', () => {
  it('runs so many at once and the rest in order, also past one that fails', async () => {
    const queue = new Queue(2);
    const began: number[] = [];
    const ends: (() => void)[] = [];
    const task = (number: number, fails = false) =>
      queue.run(async () => {
        began.push(number);
        await new Promise<void>((resolve) => ends.push(resolve));
        if (fails) throw new Error('no');
      });
    const settled = Promise.allSettled([task(1, true), task(2), task(3), task(4), task(5)]);
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    for (const expected of [2, 3, 4, 5, 5, 5]) {
      await turn();
      expect(began).toEqual([1, 2, 3, 4, 5].slice(0, expected));
      ends.shift()?.();
    }
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled']);
  });
});
