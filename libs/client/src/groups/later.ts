import type { Step } from './group-ports.js';

/** What can't be read yet, as it came. */
export interface LaterRecord {
  readonly payload: Uint8Array;
  /** Unix milliseconds. */
  readonly at: number;
  /** The state or commit without which it can't be read; of a group that is not known, the group. */
  readonly waitsFor: string;
}

const KEPT_MS = 14 * 86_400_000;

/** Kept durably until it can be read. Bounded: the oldest make room, and whoever sent them owes them still. */
export class Later {
  readonly #records = new Map<string, LaterRecord>();
  readonly #byWanted = new Map<string, Set<string>>();
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

  /** When the last of them came. Unix milliseconds; 0: there are none. */
  get newestAt(): number {
    let newest = 0;
    for (const { at } of this.#records.values()) newest = at;
    return newest;
  }

  /** When it came first, and began to wait for what it waits for now. Unix milliseconds. */
  since(id: string): number | undefined {
    return this.#records.get(id)?.at;
  }

  /** What they wait for. */
  wanted(): string[] {
    return [...this.#byWanted.keys()];
  }

  /** Oldest first. */
  waitingFor(wanted: string): [string, LaterRecord][] {
    return [...(this.#byWanted.get(wanted) ?? [])].map((id) => [id, this.#records.get(id)!]);
  }

  /** What came before this. Oldest first. */
  olderThan(at: number): [string, LaterRecord][] {
    return [...this.#records].filter(([, record]) => record.at < at);
  }

  /** What nobody can be waiting for any more. */
  expire(step: Step): void {
    for (const [id, { at }] of this.#records) {
      if (at > step.now - KEPT_MS) break;
      this.take(id, step);
    }
  }

  keep(id: string, kept: { readonly payload: Uint8Array; readonly waitsFor: string }, handle: bigint | undefined, step: Step): void {
    if (handle !== undefined) this.#handles.set(id, handle);
    const before = this.#records.get(id);
    if (before?.waitsFor === kept.waitsFor) return;
    if (before !== undefined) this.#unindex(id, before);
    const record: LaterRecord = { payload: kept.payload, waitsFor: kept.waitsFor, at: step.now };
    this.#index(id, record);
    step.journal.put('later', `${this.group}/${id}`, record);
    while (this.#records.size > this.most.count || this.#bytes > this.most.bytes) this.take(this.#records.keys().next().value!, step);
  }

  /** Returns the handle of its delivery, if that can still be answered. */
  take(id: string, step: Step): bigint | undefined {
    const record = this.#records.get(id);
    if (record !== undefined) {
      this.#unindex(id, record);
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
    const same = this.#byWanted.get(record.waitsFor);
    if (same === undefined) this.#byWanted.set(record.waitsFor, new Set([id]));
    else same.add(id);
  }

  #unindex(id: string, { payload, waitsFor }: LaterRecord): void {
    this.#records.delete(id);
    this.#bytes -= payload.length;
    const same = this.#byWanted.get(waitsFor);
    same?.delete(id);
    if (same?.size === 0) this.#byWanted.delete(waitsFor);
  }
}
