import { fromHex, ID_BYTES, toHex, TOKEN_BYTES } from '@sotto/protocol';
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
  /** Those of them who have not settled it: what is done each second goes by these. */
  readonly open: Set<RecipientState>;
  /** Of a commit with a slot: the slot is its own. */
  won: boolean;
}

/** As stored: what changes stands apart (see SettledRecord), so that a receipt does not rewrite the payload. */
export type EntryRecord = Omit<Dispatch, 'recipients'> &
  Pick<OutboxEntry, 'id' | 'order' | 'createdAt'> & {
    /** Device, token, account and leaf of each, one after the other: a message to many would be mostly names otherwise. */
    readonly recipients: Uint8Array;
  };

export interface SettledRecord {
  /** Devices that need it no more, one after the other. */
  readonly devices: Uint8Array;
  readonly won: boolean;
}

export const FIRST_TIMEOUT_MS = 10_000;
export const LAST_TIMEOUT_MS = 300_000;

export function queued(recipient: Recipient): RecipientState {
  const { device, token, account, leaf } = recipient;
  return { device, token, account, leaf, status: 'queued', sentAt: 0, timeoutMs: FIRST_TIMEOUT_MS, notBefore: 0, relay: 0 };
}

const RECIPIENT_BYTES = 3 * ID_BYTES + TOKEN_BYTES;

export function packRecipients(recipients: readonly Recipient[]): Uint8Array {
  const packed = new Uint8Array(recipients.length * RECIPIENT_BYTES);
  recipients.forEach(({ device, token, account, leaf }, i) => {
    packed.set(fromHex(device + account + leaf), i * RECIPIENT_BYTES);
    packed.set(token, i * RECIPIENT_BYTES + 3 * ID_BYTES);
  });
  return packed;
}

export function unpackRecipients(packed: Uint8Array): Recipient[] {
  const recipients: Recipient[] = [];
  for (let at = 0; at < packed.length; at += RECIPIENT_BYTES) {
    const [device, account, leaf] = [0, 1, 2].map((i) => toHex(packed.subarray(at + i * ID_BYTES, at + (i + 1) * ID_BYTES)));
    recipients.push({ device: device!, account: account!, leaf: leaf!, token: packed.slice(at + 3 * ID_BYTES, at + RECIPIENT_BYTES) });
  }
  return recipients;
}

export function idsIn(packed: Uint8Array): string[] {
  const ids: string[] = [];
  for (let at = 0; at < packed.length; at += ID_BYTES) ids.push(toHex(packed.subarray(at, at + ID_BYTES)));
  return ids;
}

export function isSettled({ status }: RecipientState): boolean {
  return status === 'delivered' || status === 'cannot';
}

/** As far as is known. */
export function isWithNobody({ recipients }: Pick<OutboxEntry, 'recipients'>): boolean {
  return [...recipients.values()].every(({ status }) => status !== 'delivered');
}
