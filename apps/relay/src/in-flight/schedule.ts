import { TIMES } from '@sotto/protocol';
import { type InFlightMessage, isSettled } from './message.js';

/** The shortest time that a message may be on its way, also with ttl 0. */
export const LEAST_WINDOW_MS = 1_000;
/** Age at which an unacknowledged message is written to the retry timers and charged as held. */
const HELD_AFTER_MS = 1_000;

/** What is to be done when its time has come. */
export interface DueWork {
  accept(message: InFlightMessage): void;
  hold(messages: InFlightMessage[]): void;
  everySecond(now: number): void;
}

/**
 * Everything that waits for time. The queues are in order of arrival: all wait the same time, so the head is due first. What is settled
 * leaves at the next tick: a message that the queues kept for their whole time would grow old enough to cost the garbage collector far more
 * than its delivery.
 */
export class Schedule {
  private toAnswer: InFlightMessage[] = [];
  private toHold: InFlightMessage[] = [];
  private checkedSecond: number;

  constructor(
    private readonly retryWindowMs: number,
    now: number,
    private readonly work: DueWork,
  ) {
    this.checkedSecond = Math.floor(now / 1_000) - 1;
  }

  /** From now on its time runs. */
  start(message: InFlightMessage, ttlSeconds: number, now: number): void {
    const window = Math.max(Math.min(ttlSeconds * 1_000, this.retryWindowMs), LEAST_WINDOW_MS);
    message.arrivedAt = now;
    message.deadline = Math.ceil((now + window) / 1_000) * 1_000;
    this.toAnswer.push(message);
  }

  tick(now: number): void {
    this.answerDue(now);
    this.holdDue(now);
    const second = Math.floor(now / 1_000);
    if (second === this.checkedSecond) return;
    this.checkedSecond = second;
    this.work.everySecond(now);
  }

  private answerDue(now: number): void {
    this.toAnswer = this.toAnswer.filter((message) => {
      if (isSettled(message)) return false;
      if (message.arrivedAt + TIMES.acceptedAfterMs > now) return true;
      if (!message.accepted) this.work.accept(message);
      this.toHold.push(message);
      return false;
    });
  }

  private holdDue(now: number): void {
    const due: InFlightMessage[] = [];
    this.toHold = this.toHold.filter((message) => {
      if (isSettled(message)) return false;
      if (message.arrivedAt + HELD_AFTER_MS > now) return true;
      due.push(message);
      return false;
    });
    if (due.length > 0) this.work.hold(due);
  }
}
