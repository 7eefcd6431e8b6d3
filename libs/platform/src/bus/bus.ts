/** Why a bus operation failed. `away`: no connection to the broker; `no-responder`: nobody serves the subject; `timeout`: no answer in time. */
export class BusError extends Error {
  constructor(
    readonly reason: 'away' | 'no-responder' | 'timeout' | 'closed',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'BusError';
  }
}

export interface Subscription {
  unsubscribe(): void;
  /** Takes nothing new. Resolves when what was on its way has been handed over; what a handler began then may still run. */
  drain(): Promise<void>;
}

/**
 * Carries bytes between services. Two implementations: core NATS and in-process; one contract test.
 *
 * Guarantees: messages of one publisher on one subject arrive in the order they were published; each at most once. Nothing is stored:
 * a publish while the broker is away, or to nobody, is lost without an error. Buffers given to the bus belong to it: the publisher
 * must not change them afterwards, and a receiver may keep slices of what it gets but must not write into them.
 */
export interface Bus {
  readonly connected: boolean;
  /** Synchronous, no promise: the hot path. Payloads up to 1 MiB; more throws RangeError. */
  publish(subject: string, payload: Uint8Array): void;
  /** One synchronous call of `handler` per message. With `queue`, each message reaches one member of the group. `*` matches one token, `>` the rest. A throwing handler is logged and goes on. */
  subscribe(subject: string, handler: (payload: Uint8Array, subject: string) => void, options?: { queue?: string }): Subscription;
  /** Throws BusError. */
  request(subject: string, payload: Uint8Array, options: { timeoutMs: number }): Promise<Uint8Array>;
  /** Serves requests as one member of the queue group. A handler that rejects is logged and leaves the request to time out. */
  respond(subject: string, queue: string, handler: (payload: Uint8Array) => Promise<Uint8Array>): Subscription;
  /** Called at each change of `connected`. */
  onStatus(listener: (connected: boolean) => void): Subscription;
  /** Hands over what was published, lets running handlers end, takes nothing new, then closes. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** Nest injection token of the process's Bus. */
export const BUS = Symbol('BUS');
