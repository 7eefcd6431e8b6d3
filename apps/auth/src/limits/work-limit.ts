import { blockOf, ErrorCode } from '@sotto/protocol';
import { steadyNow } from '@sotto/platform/clock';
import { FORWARD_TIMEOUT_MS, RpcError } from '@sotto/platform/rpc';

/** A task that has no place yet. */
interface Waiting {
  /** When whoever asked no longer listens; as steadyNow() counts. */
  readonly until: number;
  start(): void;
  refuse(error: RpcError): void;
}

/**
 * Runs at most `running` tasks at once and lets at most `waiting` wait. Blocks of addresses take turns, and when all places are taken the newest task
 * of the block with the most gives up its own: whoever asks for much waits longer, and keeps nobody out whose own
 * block asks for little, as long as fewer blocks ask than may wait. What is refused ends in RpcError UNAVAILABLE; so does what waited until
 * nobody listens for its answer, and no work is done for it.
 */
export class WorkLimit {
  private busy = 0;
  private count = 0;
  /** By block, the one whose turn is next first; none is empty. */
  private readonly queues = new Map<string, Waiting[]>();

  constructor(
    private readonly running: number,
    private readonly waiting: number,
    private readonly patienceMs = FORWARD_TIMEOUT_MS,
  ) {}

  /** @param address who asks, as limits count it. */
  async run<T>(task: () => Promise<T>, address: string): Promise<T> {
    await this.enter(blockOf(address));
    try {
      return await task();
    } finally {
      this.leave();
    }
  }

  private enter(block: string): Promise<void> {
    if (this.busy < this.running) {
      this.busy++;
      return Promise.resolve();
    }
    if (this.count >= this.waiting) this.makeRoomFor(block);
    const until = steadyNow() + this.patienceMs;
    return new Promise((start, refuse) => this.append(block, { until, start, refuse }));
  }

  private append(block: string, task: Waiting): void {
    const queue = this.queues.get(block);
    if (queue === undefined) this.queues.set(block, [task]);
    else queue.push(task);
    this.count++;
  }

  /** Throws when nobody has more waiting than who comes. */
  private makeRoomFor(block: string): void {
    const own = (this.queues.get(block)?.length ?? 0) + 1;
    let largest: Waiting[] = [];
    for (const queue of this.queues.values()) if (queue.length > largest.length) largest = queue;
    if (largest.length <= own) throw tooMany();
    largest.pop()!.refuse(tooMany());
    this.count--;
  }

  /** The place of a task that ends goes straight to one that waits. */
  private leave(): void {
    const next = this.takeNext();
    if (next === undefined) this.busy--;
    else next.start();
  }

  private takeNext(): Waiting | undefined {
    for (const [block, queue] of this.queues) {
      this.queues.delete(block);
      const next = this.takeFirst(queue);
      if (queue.length > 0) this.queues.set(block, queue);
      if (next !== undefined) return next;
    }
    return undefined;
  }

  private takeFirst(queue: Waiting[]): Waiting | undefined {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
      this.count--;
      if (task.until > steadyNow()) return task;
      task.refuse(tooMany());
    }
    return undefined;
  }
}

function tooMany(): RpcError {
  return new RpcError(ErrorCode.UNAVAILABLE, 'The server is checking too many passwords; try again.', 2_000);
}
