import { beforeEach, describe, expect, it } from '@jest/globals';
import { type CrashPoint, Disk, DiskStore } from './disk.js';
import { StepRunner } from './step-runner.js';

describe('a step of a device', () => {
  let disk: Disk;
  let runner: StepRunner;
  let happened: string[];

  beforeEach(() => {
    disk = new Disk();
    happened = [];
    runner = new StepRunner(new DiskStore(disk), {
      durable: () => void happened.push('durable'),
      crashed: (point, what) => void happened.push(`crashed ${point} in ${what}`),
      unsound: (text) => void happened.push(`unsound: ${text.split('\n')[0]}`),
    });
  });

  const write = (key: string, effects: string[] = []) =>
    runner.run('write', 0, async ({ journal }) => {
      journal.put('records', key, 1);
      for (const effect of effects) journal.afterwards(() => runner.effect(effect, () => void happened.push(effect)));
      return 'done';
    });
  const keys = () => [...disk.read('records').keys()];

  it('is durable before anything of it leaves', async () => {
    expect(await write('a', ['send', 'ack'])).toBe('done');
    expect(happened).toEqual(['durable', 'send', 'ack']);
    expect(keys()).toEqual(['a']);
  });

  it.each<[CrashPoint, string[], string[]]>([
    ['before-commit', ['crashed before-commit in write'], []],
    ['after-commit', ['durable', 'crashed after-commit in write'], ['a']],
    ['between-effects', ['durable', 'send', 'crashed between-effects in write'], ['a']],
  ])('may be the last, %s', async (point, events, left) => {
    runner.crashAt(point);
    expect(await write('a', ['send', 'ack'])).toBeUndefined();
    expect(happened).toEqual(events);
    expect(keys()).toEqual(left);
    expect(await write('b')).toBeUndefined();
    expect(keys()).toEqual(left);
  });

  it('crashes no more once that is taken back', async () => {
    runner.crashAt('before-commit');
    runner.crashAt(undefined);
    expect(await write('a')).toBe('done');
  });

  it('is unsound when it throws, and its changes are durable all the same', async () => {
    await runner.run('fail', 0, async ({ journal }) => {
      journal.put('records', 'a', 1);
      throw new Error('no');
    });
    expect(happened).toEqual(['unsound: fail threw Error: no', 'durable']);
    expect(keys()).toEqual(['a']);
  });

  it('is unsound when something leaves before it is durable', async () => {
    await runner.run('hurry', 0, async () => runner.effect('a Send', () => undefined));
    expect(happened).toEqual(['unsound: a Send left the device before its step was durable']);
  });

  it('leaves a copy of the disk as it was', async () => {
    await write('a');
    const copy = disk.copy();
    await write('b');
    expect([...copy.read('records').keys()]).toEqual(['a']);
  });
});
