import { describe, expect, it } from '@jest/globals';
import { Random } from './random.js';
import { Schedule } from './schedule.js';

describe('the schedule', () => {
  it('runs events in the order of time, and those of one moment in the order in which they were scheduled', async () => {
    const schedule = new Schedule(1_000);
    const random = new Random(3);
    const ran: [number, number][] = [];
    for (let i = 0; i < 500; i++) {
      const delay = random.whole(0, 50);
      schedule.after(delay, () => void ran.push([schedule.now, i]));
    }
    await schedule.runUntil(1_050);
    expect(ran).toHaveLength(500);
    expect(ran).toEqual([...ran].sort(([a, i], [b, j]) => a - b || i - j));
    expect(schedule.now).toBe(1_050);
  });

  it('lets events schedule others, waits for each, and leaves out what was cancelled', async () => {
    const schedule = new Schedule(0);
    const ran: string[] = [];
    schedule.after(10, async () => {
      schedule.after(5, () => void ran.push('nested'));
      await Promise.resolve();
      ran.push('first');
    });
    schedule.after(12, () => void ran.push('cancelled')).cancelled = true;
    schedule.after(99, () => void ran.push('too late'));
    await schedule.runUntil(50);
    expect(ran).toEqual(['first', 'nested']);
  });
});
