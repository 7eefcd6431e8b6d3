const FIRST_WAIT_MS = 5_000;
const LAST_WAIT_MS = 600_000;

/**
 * When those are asked who seem to be away: one after the other, and each round half as fast as the one before, until something new comes. Presence
 * may be wrong of any of them, and of most it is not.
 */
export class Turns {
  #waitMs = FIRST_WAIT_MS;
  #dueAt = 0;
  #roundSince = 0;

  beginAnew(now: number): void {
    this.#waitMs = FIRST_WAIT_MS;
    this.#dueAt = 0;
    this.#roundSince = now;
  }

  isDue(now: number): boolean {
    return now >= this.#dueAt;
  }

  /** @param lastAt when it was last asked whose turn it is: the one of them who waits longest; 0: never */
  take(lastAt: number, now: number): void {
    if (lastAt > 0 && lastAt >= this.#roundSince) {
      this.#waitMs = Math.min(2 * this.#waitMs, LAST_WAIT_MS);
      this.#roundSince = now;
    }
    this.#dueAt = now + this.#waitMs;
  }
}
