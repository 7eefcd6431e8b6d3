import type { RetryTimer } from '../retry-timers/retry-timer.store.js';
import type { Budgets } from './budgets.js';
import { type Delivery, type InFlightMessage, isSettled } from './message.js';
import type { RelayPorts } from './relay-ports.js';
import { LEAST_WINDOW_MS } from './schedule.js';

/** Messages that nobody acknowledged at once: charged as held, and known to the retry timers. */
export class Hold {
  constructor(
    private readonly incarnation: number,
    private readonly budgets: Budgets,
    private readonly ports: Pick<RelayPorts, 'addTimers' | 'removeTimers' | 'now'>,
    private readonly giveUp: (message: InFlightMessage) => void,
  ) {}

  takeIn(messages: InFlightMessage[]): void {
    const timers: RetryTimer[] = [];
    for (const message of messages) this.takeInOne(message, timers);
    if (timers.length > 0) this.ports.addTimers(timers);
  }

  letGo(delivery: Delivery): void {
    if (delivery.timed) this.ports.removeTimers([this.timerOf(delivery)]);
  }

  private takeInOne(message: InFlightMessage, timers: RetryTimer[]): void {
    // One that became due with it may have pushed it out.
    if (isSettled(message)) return;
    // Ends within a second anyway: ttl 0 is never held.
    if (message.deadline - this.ports.now() <= LEAST_WINDOW_MS) return;
    ownBytes(message);
    for (const delivery of message.open) {
      delivery.timed = true;
      timers.push(this.timerOf(delivery));
    }
    for (const old of this.budgets.hold(message)) this.giveUp(old);
  }

  private timerOf(delivery: Delivery): RetryTimer {
    const { message } = delivery;
    return { id: message.key, sender: message.sender, device: delivery.to.device, deadline: message.deadline, owner: this.incarnation };
  }
}

/** Copies what so far are views into a whole batch: a held message holds its own bytes only. */
function ownBytes(message: InFlightMessage): void {
  message.id = new Uint8Array(message.id);
  message.payload = new Uint8Array(message.payload);
  for (const delivery of message.open) {
    delivery.device = new Uint8Array(delivery.device);
    delivery.token = new Uint8Array(delivery.token);
  }
}
