import { blockOf, ErrorCode } from '@sotto/protocol';
import { RpcError } from '@sotto/platform/rpc';

/** A task that has no place yet. */
interface Waiting {
  start(): void;
  refuse(error: RpcError): void;
}

/**
 * Runs at most `running` tasks at once and lets at most `waiting` wait. Blocks of addresses take turns, and when all places are taken the newest task
 * of the block with the most gives up its own: whoever asks for much waits longer, and keeps nobody out whose own
 * block asks for little, as long as fewer blocks ask than may wait. What is refused ends in RpcError UNAVAILABLE.
 */
export class WorkLimit {
  private busy = 0;
  private count = 0;
  /** By block, the one whose turn is next first; none is empty. */
  private readonly queues = new Map<string, Waiting[]>();

  constructor(
    private readonly running: number,
    private readonly waiting: number,
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
    return new Promise((start, refuse) => this.append(block, { start, refuse }));
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
    const turn = this.queues.entries().next().value;
    if (turn === undefined) return void this.busy--;
    const [block, queue] = turn;
    const next = queue.shift()!;
    this.count--;
    this.queues.delete(block);
    if (queue.length > 0) this.queues.set(block, queue);
    next.start();
  }
}

function tooMany(): RpcError {
  return new RpcError(ErrorCode.UNAVAILABLE, 'The server is checking too many passwords; try again.', 2_000);
}
