/**
 * When those are asked who seem to be away: one after the other, and each round half as fast as the one before, until it begins anew. Presence
 * may be wrong of any of them, and of most it is not.
 */
export class Turns {
  #waitMs: number;
  #dueAt = 0;
  #roundSince = 0;

  /** Milliseconds between two of them, in the first round and at most. */
  constructor(
    private readonly firstWaitMs: number,
    private readonly lastWaitMs: number,
  ) {
    this.#waitMs = firstWaitMs;
  }

  /** @param inMs when the first is due */
  beginAnew(now: number, inMs = 0): void {
    this.#waitMs = this.firstWaitMs;
    this.#dueAt = now + inMs;
    this.#roundSince = now;
  }

  isDue(now: number): boolean {
    return now >= this.#dueAt;
  }

  /** @param lastAt when it was last asked whose turn it is: the one of them who waits longest; 0: never */
  take(lastAt: number, now: number): void {
    if (lastAt > 0 && lastAt >= this.#roundSince) {
      this.#waitMs = Math.min(2 * this.#waitMs, this.lastWaitMs);
      this.#roundSince = now;
    }
    this.#dueAt = now + this.#waitMs;
  }
}
