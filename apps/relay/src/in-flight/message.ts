import type { DeliveryRights } from '../routing/delivery-token.js';

/** A connection: where a sender's receipts go, and a device's deliveries. */
export interface Endpoint {
  gateway: number;
  connection: number;
}

/** A Send that is not settled for all its recipients. */
export interface InFlightMessage extends Endpoint {
  /** 16 bytes; means something only with its sender. */
  id: Uint8Array;
  /** Keys (see keyOf) of its id, of the sender's device and of its account. */
  key: string;
  sender: string;
  account: string;
  payload: Uint8Array;
  /** Of all recipients, 32 bytes each. */
  tokens: Uint8Array;
  /** It waits for the answer about its commit slot: nothing of it has gone out, and it has no deadline yet. */
  claiming: boolean;
  /** When it was taken over. Milliseconds since the epoch. */
  arrivedAt: number;
  /** Milliseconds since the epoch, a whole second. */
  deadline: number;
  /** Deliveries without an outcome, each at its `index`. */
  open: Delivery[];
  /** The sender was told that it is accepted. */
  accepted: boolean;
  /** What it counts in its account's budgets. */
  charge: Charge;
  /** In the table: its place in its sender's list, the hash of sender and id, and the next in its bucket. */
  indexOfSender: number;
  hash: number;
  nextInBucket: InFlightMessage | undefined;
}

/** Bytes of the payload once, and recipients without an outcome, whoever they are. */
export interface Charge {
  budget: 'moving' | 'held' | 'none';
  bytes: number;
  recipients: number;
}

export function isSettled(message: InFlightMessage): boolean {
  return message.open.length === 0;
}

/** One message to one device. Small: a message may have a thousand. */
export interface Delivery {
  /** The relay's number of it, in the handle. */
  number: number;
  message: InFlightMessage;
  to: DeviceEntry;
  /** Of its token among the message's. */
  place: number;
  /** In the message's `open`. */
  index: number;
  previous: Delivery | undefined;
  next: Delivery | undefined;
  /** When it is tried again, and how long the wait after that is. Seconds, since the epoch. */
  retryAt: number;
  backoff: number;
  /** Whether its token gives the right to be delivered, and the device's terms by which that was found: undefined, it is to be checked. */
  allowed: boolean;
  allowedBy: DeliveryRights | undefined;
  /** Counts in the device's window. */
  inWindow: boolean;
  /** The device keeps it and cannot read it yet: only its own retry or another connection of the device sends it again. */
  parked: boolean;
  /** Has an entry in the retry timers. */
  timed: boolean;
}

/** What this relay knows of a device, and what it has for it. */
export interface DeviceEntry {
  /** 16 bytes. */
  id: Uint8Array;
  /** undefined: not loaded; null: it is nowhere. */
  route: Endpoint | null | undefined;
  /** Who may send to it, as far as it was heard. */
  rights: DeliveryRights | undefined;
  /** From when on a delivery that uses the route and the rights has them read again. Seconds. */
  readAgainAt: number;
  loading: boolean;
  /** Its route changed while it was being loaded: what comes may be older than the change. */
  stale: boolean;
  /** Deliveries without an outcome, in the order in which they go out: a list through `next` and `previous`, so that an absent device costs no collection. */
  first: Delivery | undefined;
  last: Delivery | undefined;
  /** How many of them are sent and unacknowledged. */
  unacknowledged: number;
  unacknowledgedBytes: number;
  /** One had to wait for room: those behind it wait too, so that order stays. */
  full: boolean;
  /** The first that waits for room. Those before it have gone out, or may not. */
  waiting: Delivery | undefined;
  /** The connection that its gateway last called gone. */
  goneGateway: number;
  goneConnection: number;
}
