import { describe, expect, it } from '@jest/globals';
import type { QueuedMessage } from '@sotto/client';
import { handOver, staysHere } from './handing-over.js';

type Status = QueuedMessage['status'];

const LONG_MS = 600_000;
const toBob = (...statuses: Status[]) =>
  statuses.map((status, i): QueuedMessage => ({ id: String(i), to: 'bob', what: 'text', text: 'hi', sentAt: 0, status }));
/** What is in the queue, look by look; the last stays. */
const inTurn = (...looks: Status[][]) => {
  const queue = { looks: 0, now: () => toBob(...(looks[Math.min(queue.looks++, looks.length - 1)] ?? [])) };
  return queue;
};
const never = new AbortController().signal;

describe('what came through a pipe', () => {
  it('is waited for until all of it is delivered', async () => {
    const queue = inTurn(['queued', 'queued'], ['accepted', 'queued'], ['accepted'], []);
    expect(await handOver(queue.now, never, LONG_MS)).toEqual([]);
  });

  it('is waited for no longer when its recipient is away', async () => {
    const queue = inTurn(['queued'], ['waiting-for-online']);
    expect((await handOver(queue.now, never, LONG_MS)).filter(staysHere)).toHaveLength(1);
  });

  it('is given up after a while, and what is on its way counts as gone', async () => {
    expect((await handOver(() => toBob('queued', 'accepted'), never, 1)).map(staysHere)).toEqual([true, false]);
  });

  it('keeps nobody who is told to end', async () => {
    const told = new AbortController();
    const left = handOver(() => toBob('queued'), told.signal, LONG_MS);
    told.abort();
    expect(await left).toHaveLength(1);
  });
});
