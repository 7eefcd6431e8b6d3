/** All that live state may know of a message that was not delivered at once (SECURITY.md). Ids are hex. */
export interface RetryTimer {
  id: string;
  sender: string;
  device: string;
  /** Milliseconds since the epoch. */
  deadline: number;
  /** Incarnation of the relay that holds the message. */
  owner: number;
}

/** Milliseconds: far longer than a relay takes to end what is over. A relay whose clock is so far ahead would take the others' timers, which serve those of a relay that died. */
export const LEFT_BEHIND_MS = 10 * 60_000;

/** Timers survive their relay, so that a sender is told although the relay died. */
export interface RetryTimerStore {
  add(timers: readonly RetryTimer[]): Promise<void>;
  remove(timers: readonly RetryTimer[]): Promise<void>;
  /**
   * Removes and returns timers whose deadline is before `before`, at most `limit`, but those of the owners who are `alive` (incarnations): they
   * end theirs themselves, by their own clock. Each is returned at most once, over all relays. Of those, what is overdue by LEFT_BEHIND_MS is removed:
   * its owner has ended it while live state was away.
   */
  takeDue(before: number, limit: number, alive: readonly number[]): Promise<RetryTimer[]>;
}

export const RETRY_TIMER_STORE = Symbol('RETRY_TIMER_STORE');

/** The timer as a sorted-set member. */
export function retryTimerKey(timer: RetryTimer): string {
  return `${timer.sender}:${timer.id}:${timer.device}:${timer.owner}`;
}
