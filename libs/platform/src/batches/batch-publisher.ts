import { LIMITS } from '@sotto/protocol';
import { encodeBatch } from '@sotto/protocol/frames';
import type { Bus } from '../bus/bus.js';

interface Pending {
  entries: Uint8Array[];
  length: number;
}

/**
 * Gathers entries for other processes during one turn of the event loop and publishes one bus message for each of them
 * (docs/decisions/fan-out.md). Order per destination is kept; nothing waits longer than the turn.
 */
export class BatchPublisher {
  private readonly pending = new Map<number, Pending>();
  private scheduled = false;

  constructor(
    private readonly bus: Bus,
    private readonly incarnation: number,
    private readonly subjectOf: (destination: number) => string,
  ) {}

  add(destination: number, entry: Uint8Array): void {
    let batch = this.pending.get(destination);
    if (batch === undefined) this.pending.set(destination, (batch = { entries: [], length: 0 }));
    if (batch.length > 0 && batch.length + entry.length > LIMITS.busBatchBytes) this.publish(destination, batch);
    batch.entries.push(entry);
    batch.length += entry.length;
    if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(this.flush);
    }
  }

  /** Publishes what has gathered. */
  readonly flush = (): void => {
    this.scheduled = false;
    for (const [destination, batch] of this.pending) {
      if (batch.length > 0) this.publish(destination, batch);
      else this.pending.delete(destination);
    }
  };

  private publish(destination: number, batch: Pending): void {
    this.bus.publish(this.subjectOf(destination), encodeBatch(this.incarnation, batch.entries, batch.length));
    batch.entries = [];
    batch.length = 0;
  }
}
