import type { Step } from './group-ports.js';

/** What can't be read yet, as it came. */
export interface LaterRecord {
  readonly payload: Uint8Array;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Kept durably until it can be read. Bounded: the oldest make room, and whoever sent them owes them still. */
export class Later {
  readonly #records = new Map<string, LaterRecord>();
  /** Of deliveries on this connection that were answered with `later`. */
  readonly #handles = new Map<string, bigint>();
  #bytes = 0;

  constructor(
    private readonly group: string,
    private readonly most: { readonly count: number; readonly bytes: number },
    records: Iterable<readonly [string, LaterRecord]> = [],
  ) {
    for (const [id, record] of records) this.#index(id, record);
  }

  get size(): number {
    return this.#records.size;
  }

  /** Oldest first. */
  all(): [string, LaterRecord][] {
    return [...this.#records];
  }

  keep(id: string, payload: Uint8Array, handle: bigint | undefined, step: Step): void {
    if (handle !== undefined) this.#handles.set(id, handle);
    if (this.#records.has(id)) return;
    const record = { payload, at: step.now };
    this.#index(id, record);
    step.journal.put('later', `${this.group}/${id}`, record);
    while (this.#records.size > this.most.count || this.#bytes > this.most.bytes) this.take(this.#records.keys().next().value!, step);
  }

  /** Returns the handle of its delivery, if that can still be answered. */
  take(id: string, step: Step): bigint | undefined {
    const record = this.#records.get(id);
    if (record !== undefined) {
      this.#bytes -= record.payload.length;
      this.#records.delete(id);
      step.journal.remove('later', `${this.group}/${id}`);
    }
    const handle = this.#handles.get(id);
    this.#handles.delete(id);
    return handle;
  }

  /** The connection is another: its deliveries can't be answered any more. */
  forgetHandles(): void {
    this.#handles.clear();
  }

  #index(id: string, record: LaterRecord): void {
    this.#records.set(id, record);
    this.#bytes += record.payload.length;
  }
}
