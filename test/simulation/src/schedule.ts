export interface Scheduled {
  readonly at: number;
  readonly act: () => Promise<void> | void;
  cancelled: boolean;
}

/** The virtual clock and what is still to happen. Events of one moment happen in the order in which they were scheduled. */
export class Schedule {
  readonly #heap: (Scheduled & { readonly order: number })[] = [];
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
    this.#heap.push(scheduled);
    this.#rise(this.#heap.length - 1);
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
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(at: number): void {
    for (let i = at; i > 0;) {
      const parent = (i - 1) >> 1;
      if (!this.#isBefore(i, parent)) return;
      this.#swap(i, parent);
      i = parent;
    }
  }

  #sink(at: number): void {
    for (let i = at; ;) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      let first = i;
      if (left < this.#heap.length && this.#isBefore(left, first)) first = left;
      if (right < this.#heap.length && this.#isBefore(right, first)) first = right;
      if (first === i) return;
      this.#swap(i, first);
      i = first;
    }
  }

  #isBefore(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i]!, this.#heap[j]!];
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #swap(i: number, j: number): void {
    [this.#heap[i], this.#heap[j]] = [this.#heap[j]!, this.#heap[i]!];
  }
}
