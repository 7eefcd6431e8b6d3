import type { InFlightMessage } from './message.js';

/** The messages in flight: by sender device and id, and by deadline. */
export class MessageTable {
  /** Sender device → id → message. */
  private readonly senders = new Map<string, Map<string, InFlightMessage>>();
  /** Whole second of the deadline → messages. */
  private readonly deadlines = new Map<number, Set<InFlightMessage>>();

  get size(): number {
    let count = 0;
    for (const messages of this.senders.values()) count += messages.size;
    return count;
  }

  find(sender: string, key: string): InFlightMessage | undefined {
    return this.senders.get(sender)?.get(key);
  }

  hasSender(device: string): boolean {
    return this.senders.has(device);
  }

  ofSender(device: string): Iterable<InFlightMessage> {
    return this.senders.get(device)?.values() ?? [];
  }

  /** Those whose deadline is this second. */
  endingAt(second: number): InFlightMessage[] {
    return [...(this.deadlines.get(second) ?? [])];
  }

  add(message: InFlightMessage): void {
    let messages = this.senders.get(message.sender);
    if (messages === undefined) this.senders.set(message.sender, (messages = new Map<string, InFlightMessage>()));
    messages.set(message.key, message);
    const second = message.deadline / 1_000;
    const due = this.deadlines.get(second);
    if (due === undefined) this.deadlines.set(second, new Set([message]));
    else due.add(message);
  }

  delete(message: InFlightMessage): void {
    const messages = this.senders.get(message.sender);
    messages?.delete(message.key);
    if (messages?.size === 0) this.senders.delete(message.sender);
    const second = message.deadline / 1_000;
    const due = this.deadlines.get(second);
    due?.delete(message);
    if (due?.size === 0) this.deadlines.delete(second);
  }
}
