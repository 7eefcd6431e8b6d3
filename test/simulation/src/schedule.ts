export interface Scheduled {
  readonly at: number;
  readonly act: () => Promise<void> | void;
  cancelled: boolean;
}

interface Entry extends Scheduled {
  readonly order: number;
}

/** The virtual clock and what is still to happen. Events of one moment happen in the order in which they were scheduled. */
export class Schedule {
  readonly #heap: Entry[] = [];
  #order = 0;
  #now: number;

  /** Unix milliseconds. */
  constructor(start: number) {
    this.#now = start;
  }

  get now(): number {
    return this.#now;
  }

  after(delay: number, act: () => Promise<void> | void): Scheduled {
    const scheduled = { at: this.#now + Math.max(0, Math.round(delay)), act, cancelled: false, order: this.#order++ };
    this.#rise(scheduled);
    return scheduled;
  }

  /** Runs what is due until then, one event after the other; no further once `stop` says so. */
  async runUntil(end: number, stop: () => boolean = () => false): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      if (stop()) return;
      this.#takeFirst();
      if (next.cancelled) continue;
      this.#now = next.at;
      await next.act();
    }
    this.#now = Math.max(this.#now, end);
  }

  #takeFirst(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(last);
  }

  /** Those above the new one move down until it is in its place. */
  #rise(event: Entry): void {
    const heap = this.#heap;
    let i = heap.length;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = event;
  }

  /** From where the first was taken: those below move up. */
  #sink(event: Entry): void {
    const heap = this.#heap;
    let i = 0;
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, event)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = event;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
