import type { RetryTimer } from '../retry-timers/retry-timer.store.js';
import { toHex } from '@sotto/protocol';
import type { Budgets } from './budgets.js';
import { hexOfKey } from './id-key.js';
import type { Delivery, InFlightMessage } from './message.js';
import type { RelayPorts } from './relay-ports.js';
import { LEAST_WINDOW_MS } from './schedule.js';

/** Messages that nobody acknowledged at once: charged as held, and known to the retry timers. */
export class Hold {
  private over: RetryTimer[] = [];

  constructor(
    private readonly incarnation: number,
    private readonly budgets: Budgets,
    private readonly ports: Pick<RelayPorts, 'addTimers' | 'removeTimers' | 'now'>,
    private readonly giveUp: (message: InFlightMessage) => void,
  ) {}

  takeIn(messages: InFlightMessage[]): void {
    const held = messages.filter((message) => this.mayBeHeld(message));
    for (const message of held) {
      ownBytes(message);
      for (const old of this.budgets.hold(message)) this.giveUp(old);
    }
    // One that became due with others may have been given up for them: it gets no timers, which nobody would remove.
    const timers = held.flatMap((message) => message.open.map((delivery) => this.startTimer(delivery)));
    if (timers.length > 0) this.ports.addTimers(timers);
  }

  letGo(delivery: Delivery): void {
    if (delivery.timed) this.over.push(this.timerOf(delivery));
  }

  /** Removes the timers of what was let go since the last time, all at once. */
  flush(): void {
    if (this.over.length === 0) return;
    this.ports.removeTimers(this.over);
    this.over = [];
  }

  /** What ends within a second anyway is not held: ttl 0 never is. */
  private mayBeHeld(message: InFlightMessage): boolean {
    return message.deadline - this.ports.now() > LEAST_WINDOW_MS;
  }

  private startTimer(delivery: Delivery): RetryTimer {
    delivery.timed = true;
    return this.timerOf(delivery);
  }

  private timerOf(delivery: Delivery): RetryTimer {
    const { key, sender, deadline } = delivery.message;
    return { id: hexOfKey(key), sender: hexOfKey(sender), device: toHex(delivery.to.id), deadline, owner: this.incarnation };
  }
}

/** Copies what so far are views into a whole batch: a held message holds its own bytes only. */
function ownBytes(message: InFlightMessage): void {
  message.id = new Uint8Array(message.id);
  message.payload = new Uint8Array(message.payload);
}
