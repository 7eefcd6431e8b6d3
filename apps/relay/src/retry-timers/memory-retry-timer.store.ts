import { LEFT_BEHIND_MS, type RetryTimer, retryTimerKey, type RetryTimerStore } from './retry-timer.store.js';

/** In one process the relay that dies takes the timers along: they only serve the contract. Bounded by what the relay holds. */
export class MemoryRetryTimerStore implements RetryTimerStore {
  private readonly timers = new Map<string, RetryTimer>();

  add(timers: readonly RetryTimer[]): Promise<void> {
    for (const timer of timers) this.timers.set(retryTimerKey(timer), timer);
    return Promise.resolve();
  }

  remove(timers: readonly RetryTimer[]): Promise<void> {
    for (const timer of timers) this.timers.delete(retryTimerKey(timer));
    return Promise.resolve();
  }

  takeDue(before: number, limit: number, alive: readonly number[]): Promise<RetryTimer[]> {
    const due: RetryTimer[] = [];
    for (const [key, timer] of this.timers) {
      if (due.length === limit) break;
      if (timer.deadline >= before) continue;
      const isOwned = alive.includes(timer.owner);
      if (isOwned && timer.deadline >= before - LEFT_BEHIND_MS) continue;
      this.timers.delete(key);
      if (!isOwned) due.push(timer);
    }
    return Promise.resolve(due);
  }
}
