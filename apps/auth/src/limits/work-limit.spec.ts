import { describe, expect, it } from '@jest/globals';
import { ErrorCode } from '@sotto/protocol';
import { WorkLimit } from './work-limit.js';

const ALICE = '192.0.2.1';
/** Networks of one customer. */
const crowd = (i: number) => `2001:db8:1:${i.toString(16)}::/64`;

/** Password checks that end one by one, when `end` says so. */
class Checks {
  readonly done: string[] = [];
  readonly refused: string[] = [];
  private readonly running: (() => void)[] = [];
  private readonly limit: WorkLimit;

  constructor(patienceMs?: number) {
    this.limit = new WorkLimit(1, 4, patienceMs);
  }

  ask(name: string, address: string): void {
    const task = () => new Promise<void>((resolve) => this.running.push(resolve)).then(() => void this.done.push(name));
    this.limit.run(task, address).catch((error: unknown) => {
      expect(error).toMatchObject({ code: ErrorCode.UNAVAILABLE });
      this.refused.push(name);
    });
  }

  async end(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await settled();
      this.running.shift()?.();
    }
    await settled();
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('what waits for its place', () => {
  it('gets it in order, and one more than may wait is refused', async () => {
    const checks = new Checks();
    for (let i = 0; i < 6; i++) checks.ask(String(i), ALICE);
    await checks.end(6);
    expect(checks.done).toEqual(['0', '1', '2', '3', '4']);
    expect(checks.refused).toEqual(['5']);
  });

  it('is next after one of the crowd that came before it', async () => {
    const checks = new Checks();
    for (let i = 0; i < 4; i++) checks.ask(`crowd ${i}`, crowd(i));
    checks.ask('alice', ALICE);
    await checks.end(3);
    expect(checks.done).toEqual(['crowd 0', 'crowd 1', 'alice']);
  });

  it('takes the place of the newest of a crowd that has them all', async () => {
    const checks = new Checks();
    for (let i = 0; i < 5; i++) checks.ask(`crowd ${i}`, crowd(i));
    checks.ask('alice', ALICE);
    checks.ask('crowd 5', crowd(5));
    await checks.end(5);
    expect(checks.refused.sort()).toEqual(['crowd 4', 'crowd 5']);
    expect(checks.done).toEqual(['crowd 0', 'crowd 1', 'alice', 'crowd 2', 'crowd 3']);
  });

  it('is refused when all the others have as few', async () => {
    const checks = new Checks();
    for (let i = 0; i < 5; i++) checks.ask(String(i), `192.0.${i}.1`);
    checks.ask('alice', '198.51.100.1');
    await checks.end(5);
    expect(checks.refused).toEqual(['alice']);
  });

  it('is refused in its turn when nobody listens for it any more, and does no work', async () => {
    const checks = new Checks(20);
    for (let i = 0; i < 3; i++) checks.ask(String(i), ALICE);
    await new Promise((resolve) => setTimeout(resolve, 40));
    checks.ask('bob', '198.51.100.1');
    await checks.end(4);
    expect(checks.refused).toEqual(['1', '2']);
    expect(checks.done).toEqual(['0', 'bob']);
  });
});
