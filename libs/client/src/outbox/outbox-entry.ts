import type { Dispatch, Recipient } from '../groups/group-ports.js';

/** `waiting-for-online`: the relay gave up, and a sign of life of the device is awaited. `delivered` and `cannot` settle it. */
export type RecipientStatus = 'queued' | 'sent' | 'accepted' | 'waiting-for-online' | 'delivered' | 'cannot';
/** What the user is told of a message. */
export type DeliveryStatus = 'queued' | 'accepted' | 'delivered' | 'undelivered' | 'waiting-for-online' | 'discarded';

export interface RecipientState extends Recipient {
  status: RecipientStatus;
  /** Unix milliseconds. */
  sentAt: number;
  /** Silence after which it is sent again. */
  timeoutMs: number;
  /** Not sent again before this. */
  notBefore: number;
  /** Incarnation of the relay that accepted it. */
  relay: number;
}

/** One sealing, or one commit or Welcome, on its way: the same bytes under the same id until every recipient has settled it. */
export interface OutboxEntry extends Omit<Dispatch, 'recipients'> {
  /** Id of the Send. */
  readonly id: string;
  /** Rises with every entry: the order in which they are sent. */
  readonly order: number;
  readonly createdAt: number;
  readonly recipients: ReadonlyMap<string, RecipientState>;
  /** Of a commit with a slot: the slot is its own. */
  won: boolean;
}

/** As stored: what changes stands apart (see SettledRecord), so that a receipt does not rewrite the payload. */
export type EntryRecord = Omit<Dispatch, 'recipients'> &
  Pick<OutboxEntry, 'id' | 'order' | 'createdAt'> & { readonly recipients: readonly Recipient[] };

export interface SettledRecord {
  /** Devices that need it no more. */
  readonly devices: readonly string[];
  readonly won: boolean;
}

export const FIRST_TIMEOUT_MS = 10_000;
export const LAST_TIMEOUT_MS = 300_000;

export function queued(recipient: Recipient): RecipientState {
  const { device, token, account, leaf } = recipient;
  return { device, token, account, leaf, status: 'queued', sentAt: 0, timeoutMs: FIRST_TIMEOUT_MS, notBefore: 0, relay: 0 };
}

export function isSettled({ status }: RecipientState): boolean {
  return status === 'delivered' || status === 'cannot';
}
