import type { InFlightMessage } from './message.js';

/** The messages in flight by sender device and id. */
export class MessageTable {
  private readonly senders = new Map<string, Map<string, InFlightMessage>>();

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

  add(message: InFlightMessage): void {
    let messages = this.senders.get(message.sender);
    if (messages === undefined) this.senders.set(message.sender, (messages = new Map<string, InFlightMessage>()));
    messages.set(message.key, message);
  }

  delete(message: InFlightMessage): void {
    const messages = this.senders.get(message.sender);
    messages?.delete(message.key);
    if (messages?.size === 0) this.senders.delete(message.sender);
  }
}
