import type { InFlightMessage } from './message.js';

const NONE: readonly InFlightMessage[] = [];

/**
 * The messages in flight by sender device and id. Lists that are searched, not maps by id, because of what Numbered says of maps; a device mostly has a
 * few messages on their way, and its account never more than a few thousand.
 */
export class MessageTable {
  private readonly senders = new Map<string, InFlightMessage[]>();

  get size(): number {
    let count = 0;
    for (const messages of this.senders.values()) count += messages.length;
    return count;
  }

  find(sender: string, key: string): InFlightMessage | undefined {
    for (const message of this.ofSender(sender)) if (message.key === key) return message;
    return undefined;
  }

  hasSender(device: string): boolean {
    return this.ofSender(device).length > 0;
  }

  ofSender(device: string): readonly InFlightMessage[] {
    return this.senders.get(device) ?? NONE;
  }

  add(message: InFlightMessage): void {
    const messages = this.senders.get(message.sender);
    if (messages === undefined) this.senders.set(message.sender, [message]);
    else messages.push(message);
  }

  delete(message: InFlightMessage): void {
    const messages = this.senders.get(message.sender);
    const at = messages?.indexOf(message) ?? -1;
    if (messages === undefined || at < 0) return;
    const last = messages.pop()!;
    if (last !== message) messages[at] = last;
  }

  /** Forgets senders without messages: not at once, as most send again soon. */
  sweep(): void {
    for (const [sender, messages] of this.senders) if (messages.length === 0) this.senders.delete(sender);
  }
}
