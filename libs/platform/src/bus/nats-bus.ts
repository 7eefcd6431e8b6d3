import { Logger } from '@nestjs/common';
import {
  connect,
  errors,
  type Msg,
  type NatsConnection,
  type NodeConnectionOptions,
  type Subscription as NatsSubscription,
} from '@nats-io/transport-node';
import { describeError } from '../logging/describe-error.js';
import { whyAway } from '../logging/why-away.js';
import { assertFits } from './bus-limits.js';
import { type Bus, BusError, type Subscription } from './bus.js';

export interface NatsBusOptions {
  /** "nats://host:port"; several separated by commas. */
  servers: string;
  user?: string;
  password?: string;
  /** The service's name, as the broker lists it. */
  name: string;
  tls?: NonNullable<NodeConnectionOptions['tls']>;
  /** For who wants to hear why there is no bus: tries each server once, and gives up a silent one after this many milliseconds. */
  onceWithinMs?: number;
}

const DRAIN_LIMIT_MS = 5_000;
/** A broker that stays silent is noticed within three of these: it may hang, or the network between drop everything. */
const PING_MS = 2_000;
/** An attempt to connect that was made while nothing came through must not outlast that for long. */
const CONNECT_MS = 5_000;

/** Waits until the first connection stands, however long (but see `onceWithinMs`: throws BusError); afterwards reconnects for ever by itself. */
export async function connectNatsBus(options: NatsBusOptions): Promise<NatsBus> {
  const { onceWithinMs } = options;
  const opening = connect(connectionOptions(options));
  if (onceWithinMs === undefined) return new NatsBus(await opening);
  return new NatsBus(
    await opening.catch((error: unknown) => {
      throw new BusError('away', whyNotConnected(error, onceWithinMs), { cause: error });
    }),
  );
}

function connectionOptions(options: NatsBusOptions): NodeConnectionOptions {
  return {
    servers: options.servers.split(','),
    name: options.name,
    timeout: options.onceWithinMs ?? CONNECT_MS,
    waitOnFirstConnect: options.onceWithinMs === undefined,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    pingInterval: PING_MS,
    maxPingOut: 2,
    // A password that is being rotated is refused for a while; giving up would need a restart.
    ignoreAuthErrorAbort: true,
    ...(options.user === undefined ? {} : { user: options.user, inboxPrefix: `_INBOX.${options.user}` }),
    ...(options.password === undefined ? {} : { pass: options.password }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  };
}

function whyNotConnected(error: unknown, withinMs: number): string {
  if (error instanceof errors.TimeoutError) return `the broker did not answer within ${withinMs / 1_000} s`;
  if (error instanceof errors.AuthorizationError) return 'the broker does not take this user and password';
  return `the broker can't be reached: ${whyAway(error)}`;
}

/** Core NATS: no JetStream, nothing stored, one callback per message. */
export class NatsBus implements Bus {
  private readonly logger = new Logger(NatsBus.name);
  private up = true;
  private readonly running = new Set<Promise<void>>();
  private readonly subscriptions = new Set<NatsSubscription>();
  private readonly listeners = new Set<(connected: boolean) => void>();

  constructor(private readonly connection: NatsConnection) {
    void this.watch();
  }

  get connected(): boolean {
    return this.up && !this.connection.isClosed();
  }

  publish(subject: string, payload: Uint8Array): void {
    assertFits(payload);
    // While away the client would gather an unbounded backlog and drop it on return; the contract says: lost, without an error.
    if (this.connected && !this.connection.isDraining()) this.connection.publish(subject, payload);
  }

  subscribe(subject: string, handler: (payload: Uint8Array, subject: string) => void, options: { queue?: string } = {}): Subscription {
    return this.add(subject, options.queue, (message) => handler(message.data, message.subject));
  }

  async request(subject: string, payload: Uint8Array, options: { timeoutMs: number }): Promise<Uint8Array> {
    assertFits(payload);
    if (this.connection.isClosed()) throw new BusError('closed', 'the bus is closed');
    if (!this.up) throw new BusError('away', 'no connection to the broker');
    try {
      return (await this.connection.request(subject, payload, { timeout: options.timeoutMs })).data;
    } catch (error) {
      throw busError(subject, error);
    }
  }

  respond(subject: string, queue: string, handler: (payload: Uint8Array) => Promise<Uint8Array>): Subscription {
    return this.add(subject, queue, (message) => {
      const work = this.answer(subject, message, handler);
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
    if (this.connected) await within(DRAIN_LIMIT_MS, this.drainConnection());
    await this.close();
  }

  async close(): Promise<void> {
    if (!this.connection.isClosed()) await this.connection.close();
    this.setUp(false);
  }

  private async drainConnection(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => subscription.drain()));
    await Promise.all(this.running);
    await this.connection.drain();
  }

  private add(subject: string, queue: string | undefined, deliver: (message: Msg) => void): Subscription {
    if (this.connection.isClosed()) throw new BusError('closed', 'the bus is closed');
    const callback = (error: Error | null, message: Msg): void => {
      if (error === null) this.hand(subject, message, deliver);
      else this.logger.error(`the subscription to ${subject} was refused: ${describeError(error)}`);
    };
    const subscription = this.connection.subscribe(subject, queue === undefined ? { callback } : { callback, queue });
    this.subscriptions.add(subscription);
    return {
      unsubscribe: () => {
        this.subscriptions.delete(subscription);
        if (!subscription.isClosed()) subscription.unsubscribe();
      },
      drain: async () => {
        this.subscriptions.delete(subscription);
        if (this.connected && !subscription.isClosed()) await within(DRAIN_LIMIT_MS, subscription.drain());
      },
    };
  }

  private hand(subject: string, message: Msg, deliver: (message: Msg) => void): void {
    try {
      deliver(message);
    } catch (error) {
      this.logger.error(`a handler of ${subject} threw: ${describeError(error)}`);
    }
  }

  private async answer(subject: string, message: Msg, handler: (payload: Uint8Array) => Promise<Uint8Array>): Promise<void> {
    try {
      const answer = await handler(message.data);
      assertFits(answer);
      message.respond(answer);
    } catch (error) {
      this.logger.error(`a responder of ${subject} failed: ${describeError(error)}`);
    }
  }

  private async watch(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect' || status.type === 'staleConnection') this.setUp(false);
      if (status.type === 'reconnect') this.setUp(true);
    }
    this.setUp(false);
  }

  private setUp(up: boolean): void {
    if (this.up === up) return;
    this.up = up;
    for (const listener of this.listeners) listener(up);
  }
}

function busError(subject: string, error: unknown): BusError {
  if (error instanceof errors.TimeoutError) return new BusError('timeout', `no answer on ${subject} in time`);
  if (error instanceof errors.NoRespondersError) return new BusError('no-responder', `nobody serves ${subject}`);
  if (error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError) {
    return new BusError('closed', 'the bus is closed');
  }
  if (error instanceof errors.RequestError) {
    if (error.isNoResponders()) return new BusError('no-responder', `nobody serves ${subject}`);
    if (error.cause instanceof errors.TimeoutError) return new BusError('timeout', `no answer on ${subject} in time`);
  }
  return new BusError('away', 'the connection to the broker broke');
}

function within(limitMs: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, limitMs);
    work.catch(() => undefined).finally(() => (clearTimeout(timer), resolve()));
  });
}
