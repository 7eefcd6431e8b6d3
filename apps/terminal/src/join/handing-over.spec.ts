import { describe, expect, it } from '@jest/globals';
import type { ClientEvents, QueuedMessage } from '@sotto/client';
import { handOver, staysHere } from './handing-over.js';

type Status = QueuedMessage['status'];

/** What alice wrote to bob, and how it fares. */
class Written {
  readonly #listeners = new Set<() => void>();
  messages: QueuedMessage[];

  constructor(...statuses: Status[]) {
    this.messages = statuses.map((status, i) => ({ id: String(i), to: 'bob', what: 'text', text: 'hi', sentAt: 0, status }));
  }

  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  becomes(...statuses: Status[]): void {
    this.messages = new Written(...statuses).messages;
    for (const listener of [...this.#listeners]) listener();
  }

  on<Name extends keyof ClientEvents>(_event: Name, listener: (value: ClientEvents[Name]) => void): () => void {
    const heard = listener as () => void;
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  }

  leaves(interrupted = new AbortController().signal, withinMs = 60_000): Promise<readonly QueuedMessage[]> {
    return handOver(this, () => this.messages, interrupted, withinMs);
  }
}

describe('what came through a pipe', () => {
  it('is waited for until all of it is delivered', async () => {
    const written = new Written('queued', 'queued');
    const left = written.leaves();
    written.becomes('accepted', 'queued');
    written.becomes('accepted');
    expect(written.isWatched).toBe(true);
    written.becomes();
    expect(await left).toEqual([]);
    expect(written.isWatched).toBe(false);
  });

  it('is waited for no longer when its recipient is away', async () => {
    const written = new Written('queued');
    const left = written.leaves();
    written.becomes('waiting-for-online');
    expect((await left).filter(staysHere)).toHaveLength(1);
  });

  it('is given up after a while, and what is on its way counts as gone', async () => {
    const left = await new Written('queued', 'accepted').leaves(undefined, 1);
    expect(left.map(staysHere)).toEqual([true, false]);
  });

  it('keeps nobody who is told to end', async () => {
    const [written, told] = [new Written('queued'), new AbortController()];
    const left = written.leaves(told.signal);
    told.abort();
    expect(await left).toHaveLength(1);
    expect(await written.leaves(told.signal)).toHaveLength(1);
  });
});
