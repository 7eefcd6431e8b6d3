import type { DeviceRoute } from '@sotto/platform/live-state';

/** Where a sender's receipts go. */
export interface Sender {
  gateway: number;
  connection: number;
}

/** A Send that is not settled for all its recipients. */
export interface InFlightMessage extends Sender {
  /** 16 bytes; means something only with its sender. */
  id: Uint8Array;
  /** Id as a map key. */
  key: string;
  /** Device id of the sender, hex. */
  sender: string;
  account: string;
  payload: Uint8Array;
  /** What it counts against its account's budgets: payload and recipients, whoever they are. Bytes. */
  charge: number;
  /** It waits for the answer about its commit slot: nothing of it has gone out, and it has no deadline yet. */
  claiming: boolean;
  /** When it was taken over. Milliseconds since the epoch. */
  arrivedAt: number;
  /** Milliseconds since the epoch, a whole second. */
  deadline: number;
  /** Deliveries without an outcome. */
  open: Delivery[];
  /** The sender was told that it is accepted. */
  accepted: boolean;
  /** Which of its account's budgets it is charged to. */
  charged: 'moving' | 'held' | 'none';
}

export function isSettled(message: InFlightMessage): boolean {
  return message.open.length === 0;
}

/** One message to one device. */
export interface Delivery {
  /** The relay's number of it, in the handle. */
  number: number;
  message: InFlightMessage;
  to: DeviceEntry;
  device: Uint8Array;
  token: Uint8Array;
  /** When a Deliver last went out; 0 when none has. */
  sentAt: number;
  /** Waits for a further try: doubled after each. Milliseconds. */
  backoff: number;
  /** Counts in the device's window. */
  inWindow: boolean;
  /** The device keeps it and cannot read it yet: only its own retry or another connection of the device sends it again. */
  parked: boolean;
  /** Has an entry in the retry timers. */
  timed: boolean;
  settled: boolean;
}

/** What this relay knows of a device, and what it has for it. */
export interface DeviceEntry {
  /** Hex. */
  device: string;
  /** undefined: not loaded; null: there is none. */
  route: DeviceRoute | null | undefined;
  loading: boolean;
  /** Its route changed while it was being loaded: what comes may be older than the change. */
  stale: boolean;
  /** Deliveries without an outcome, in order of number. */
  open: Set<Delivery>;
  /** How many of them are sent and unacknowledged. */
  unacknowledged: number;
  unacknowledgedBytes: number;
  /** One had to wait for room: those behind it wait too, so that order stays. */
  full: boolean;
  /** The connection that its gateway last called gone. */
  goneGateway: number;
  goneConnection: number;
}
