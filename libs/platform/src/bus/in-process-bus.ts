import { Logger } from '@nestjs/common';
import { describeError } from '../logging/describe-error.js';
import { assertFits } from './bus-limits.js';
import { type Bus, BusError, type Subscription } from './bus.js';
import { hasWildcard, matchesSubject } from './subject-pattern.js';

type Reply = (payload: Uint8Array) => void;
type Deliver = (payload: Uint8Array, subject: string, reply: Reply | undefined) => void;

/** Subscriptions on one pattern that share a queue name, or a single one without a queue. One member gets each message, in turn. */
interface Group {
  pattern: string;
  tokens: string[];
  queue: string | undefined;
  members: Deliver[];
  next: number;
}

interface Message {
  subject: string;
  payload: Uint8Array;
  reply: Reply | undefined;
  unserved: (() => void) | undefined;
}

/**
 * The bus of a single process. Payloads are handed over as they are, without a copy. Delivery is asynchronous, by microtask, and in
 * the order of publishing over all subjects.
 */
export class InProcessBus implements Bus {
  private readonly logger = new Logger(InProcessBus.name);
  private readonly exact = new Map<string, Group[]>();
  private wild: Group[] = [];
  private queue: Message[] = [];
  private scheduled = false;
  private draining = false;
  private closed = false;
  private readonly running = new Set<Promise<void>>();
  private readonly abandoned = new Set<() => void>();
  private readonly listeners = new Set<(connected: boolean) => void>();

  get connected(): boolean {
    return !this.closed;
  }

  publish(subject: string, payload: Uint8Array): void {
    assertFits(payload);
    if (!this.closed) this.enqueue({ subject, payload, reply: undefined, unserved: undefined });
  }

  subscribe(subject: string, handler: (payload: Uint8Array, subject: string) => void, options: { queue?: string } = {}): Subscription {
    return this.add(subject, options.queue, (payload, at) => handler(payload, at));
  }

  request(subject: string, payload: Uint8Array, options: { timeoutMs: number }): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      assertFits(payload);
      if (this.closed) throw new BusError('closed', 'the bus is closed');
      const settle = (): void => {
        clearTimeout(timer);
        this.abandoned.delete(onClose);
      };
      const fail = (error: BusError): void => (settle(), reject(error));
      const onClose = (): void => fail(new BusError('closed', 'the bus was closed'));
      const timer = setTimeout(
        () => fail(new BusError('timeout', `no answer on ${subject} in ${options.timeoutMs} ms`)),
        options.timeoutMs,
      );
      this.abandoned.add(onClose);
      this.enqueue({
        subject,
        payload,
        reply: (answer) => (settle(), resolve(answer)),
        unserved: () => fail(new BusError('no-responder', `nobody serves ${subject}`)),
      });
    });
  }

  respond(subject: string, queue: string, handler: (payload: Uint8Array) => Promise<Uint8Array>): Subscription {
    return this.add(subject, queue, (payload, _at, reply) => {
      const work = this.answer(subject, payload, reply, handler);
      this.running.add(work);
      void work.finally(() => this.running.delete(work));
    });
  }

  onStatus(listener: (connected: boolean) => void): Subscription {
    this.listeners.add(listener);
    const unsubscribe = () => void this.listeners.delete(listener);
    return { unsubscribe, drain: async () => unsubscribe() };
  }

  async drain(): Promise<void> {
    // What was published before the drain reaches its subscribers; what the last handlers publish goes nowhere, as with a broker.
    await this.handedOver();
    this.draining = true;
    await Promise.all(this.running);
    await this.close();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.exact.clear();
    this.wild = [];
    this.queue = [];
    for (const abandon of [...this.abandoned]) abandon();
    for (const listener of this.listeners) listener(false);
  }

  private async handedOver(): Promise<void> {
    await Promise.resolve();
    while (this.queue.length > 0) await Promise.resolve();
  }

  private add(pattern: string, queue: string | undefined, deliver: Deliver): Subscription {
    if (this.closed) throw new BusError('closed', 'the bus is closed');
    const groups = this.groupsOf(pattern);
    let group = queue === undefined ? undefined : groups.find((one) => one.queue === queue && one.pattern === pattern);
    if (group === undefined) {
      group = { pattern, tokens: pattern.split('.'), queue, members: [], next: 0 };
      groups.push(group);
    }
    group.members.push(deliver);
    const joined = group;
    const unsubscribe = () => this.remove(joined, deliver);
    return { unsubscribe, drain: () => this.handedOver().then(unsubscribe) };
  }

  private groupsOf(pattern: string): Group[] {
    if (hasWildcard(pattern)) return this.wild;
    let groups = this.exact.get(pattern);
    if (groups === undefined) this.exact.set(pattern, (groups = []));
    return groups;
  }

  private remove(group: Group, deliver: Deliver): void {
    group.members = group.members.filter((member) => member !== deliver);
    if (group.members.length > 0) return;
    this.wild = this.wild.filter((one) => one !== group);
    const left = this.exact.get(group.pattern)?.filter((one) => one !== group);
    if (left === undefined || left.length === 0) this.exact.delete(group.pattern);
    else this.exact.set(group.pattern, left);
  }

  private enqueue(message: Message): void {
    this.queue.push(message);
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => this.flush());
  }

  private flush(): void {
    this.scheduled = false;
    const messages = this.queue;
    this.queue = [];
    for (const message of messages) this.deliver(message);
  }

  private deliver(message: Message): void {
    let served = false;
    if (!this.draining && !this.closed) {
      for (const group of this.matching(message.subject)) {
        served = true;
        this.hand(group, message);
      }
    }
    if (!served) message.unserved?.();
  }

  private matching(subject: string): readonly Group[] {
    const exact = this.exact.get(subject) ?? [];
    if (this.wild.length === 0) return exact;
    const tokens = subject.split('.');
    return [...exact, ...this.wild.filter((group) => matchesSubject(group.tokens, tokens))];
  }

  private hand(group: Group, message: Message): void {
    const member = group.members[group.next++ % group.members.length];
    try {
      member?.(message.payload, message.subject, message.reply);
    } catch (error) {
      this.logger.error(`a handler of ${group.pattern} threw: ${describeError(error)}`);
    }
  }

  private async answer(
    subject: string,
    payload: Uint8Array,
    reply: Reply | undefined,
    handler: (payload: Uint8Array) => Promise<Uint8Array>,
  ): Promise<void> {
    try {
      const answer = await handler(payload);
      assertFits(answer);
      reply?.(answer);
    } catch (error) {
      this.logger.error(`a responder of ${subject} failed: ${describeError(error)}`);
    }
  }
}
