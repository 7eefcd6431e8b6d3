import { describe, expect, it } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Frames } from './frames.js';

describe('frames', () => {
  it('are drawn thirty times a second at most, the first at once and the last after the last change', async () => {
    let changes = 0;
    const drawn: number[] = [];
    const frames = new Frames(() => drawn.push(changes));
    const began = performance.now();
    while (performance.now() - began < 300) {
      changes += 1;
      frames.request();
      await nextTurn();
    }
    while (drawn.at(-1) !== changes) await nextTurn();
    const elapsed = performance.now() - began;
    frames.stop();
    expect(drawn[0]).toBeLessThan(changes);
    // A timer may be a millisecond early.
    expect(drawn.length).toBeLessThanOrEqual(elapsed / 32 + 1);
  });

  it('end when they are stopped', async () => {
    let drawn = 0;
    const frames = new Frames(() => drawn++);
    frames.now();
    frames.request();
    frames.stop();
    frames.request();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(drawn).toBe(1);
  });
});
