import type { InFlightMessage } from './message.js';
import { PairHash } from './pair-hash.js';

const NONE: readonly InFlightMessage[] = [];
const LEAST_BITS = 10;

/**
 * The messages in flight, by sender device and id. Those of one bucket are linked through themselves, where a Map by id would do, because of what
 * Numbered says of maps; lists by sender are for what concerns all of them.
 */
export class MessageTable {
  private readonly senders = new Map<string, InFlightMessage[]>();
  private readonly hash = new PairHash();
  private bits = LEAST_BITS;
  private buckets = emptyBuckets(LEAST_BITS);
  private count = 0;

  get size(): number {
    return this.count;
  }

  find(sender: string, key: string): InFlightMessage | undefined {
    let message = this.buckets[this.bucketOf(this.hash.of(sender, key))];
    while (message !== undefined && (message.key !== key || message.sender !== sender)) message = message.nextInBucket;
    return message;
  }

  hasSender(device: string): boolean {
    return this.ofSender(device).length > 0;
  }

  ofSender(device: string): readonly InFlightMessage[] {
    return this.senders.get(device) ?? NONE;
  }

  add(message: InFlightMessage): void {
    if (++this.count > this.buckets.length && this.bits < PairHash.BITS) this.grow();
    message.hash = this.hash.of(message.sender, message.key);
    this.link(message);
    const messages = this.senders.get(message.sender);
    message.indexOfSender = messages?.length ?? 0;
    if (messages === undefined) this.senders.set(message.sender, [message]);
    else messages.push(message);
  }

  delete(message: InFlightMessage): void {
    if (!this.unlink(message)) return;
    this.count--;
    const messages = this.senders.get(message.sender)!;
    const last = messages.pop()!;
    if (last === message) return;
    messages[message.indexOfSender] = last;
    last.indexOfSender = message.indexOfSender;
  }

  /** Forgets senders without messages: not at once, as most send again soon. */
  sweep(): void {
    for (const [sender, messages] of this.senders) if (messages.length === 0) this.senders.delete(sender);
  }

  private link(message: InFlightMessage): void {
    const bucket = this.bucketOf(message.hash);
    message.nextInBucket = this.buckets[bucket];
    this.buckets[bucket] = message;
  }

  /** False: it is not there. */
  private unlink(message: InFlightMessage): boolean {
    const bucket = this.bucketOf(message.hash);
    let before: InFlightMessage | undefined;
    let there = this.buckets[bucket];
    while (there !== undefined && there !== message) there = (before = there).nextInBucket;
    if (there === undefined) return false;
    if (before === undefined) this.buckets[bucket] = message.nextInBucket;
    else before.nextInBucket = message.nextInBucket;
    message.nextInBucket = undefined;
    return true;
  }

  private grow(): void {
    const old = this.buckets;
    this.buckets = emptyBuckets(++this.bits);
    for (const first of old) {
      for (let message = first, next; message !== undefined; message = next) {
        next = message.nextInBucket;
        this.link(message);
      }
    }
  }

  private bucketOf(hash: number): number {
    return hash >>> (PairHash.BITS - this.bits);
  }
}

function emptyBuckets(bits: number): (InFlightMessage | undefined)[] {
  return Array.from({ length: 1 << bits }, () => undefined);
}
