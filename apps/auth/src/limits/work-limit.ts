import { ErrorCode } from '@sotto/protocol';
import { RpcError } from '@sotto/platform/rpc';

/** Runs at most `running` tasks at once and lets at most `waiting` wait, in order; one more is refused with UNAVAILABLE. */
export class WorkLimit {
  private busy = 0;
  private readonly queue: (() => void)[] = [];

  constructor(
    private readonly running: number,
    private readonly waiting: number,
  ) {}

  async run<T>(task: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await task();
    } finally {
      this.leave();
    }
  }

  private enter(): Promise<void> {
    if (this.busy < this.running) {
      this.busy++;
      return Promise.resolve();
    }
    if (this.queue.length >= this.waiting) {
      throw new RpcError(ErrorCode.UNAVAILABLE, 'The server is checking too many passwords; try again.', 2_000);
    }
    return new Promise((resolve) => this.queue.push(resolve));
  }

  /** The place of a task that ends goes straight to the first that waits. */
  private leave(): void {
    const next = this.queue.shift();
    if (next) next();
    else this.busy--;
  }
}
