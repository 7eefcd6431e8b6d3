import { describe, expect, it } from '@jest/globals';
import { Turns } from './turns.js';

describe('turns', () => {
  it('lets the event loop turn before each task, and keeps their order', async () => {
    const turns = new Turns();
    const seen: string[] = [];
    const tasks = ['a', 'b', 'c'].map((name) => turns.run(async () => void seen.push(name)));
    setImmediate(() => seen.push('turn 1'));
    await tasks[0];
    setImmediate(() => seen.push('turn 2'));
    await Promise.all(tasks);
    expect(seen.filter((name) => name.length === 1)).toEqual(['a', 'b', 'c']);
    expect(seen.indexOf('turn 1')).toBeLessThan(seen.indexOf('b'));
    expect(seen.indexOf('turn 2')).toBeLessThan(seen.indexOf('c'));
  });

  it('goes on after a task that fails, and tells only its own caller', async () => {
    const turns = new Turns();
    const failing = turns.run(() => Promise.reject(new Error('no')));
    const next = turns.run(() => Promise.resolve('yes'));
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });
});
