import type { DeliveryStatus } from '../outbox/outbox-entry.js';
import type { Journal } from '../storage/journal.js';
import { decodeRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';

const COLLECTION = 'messages';

export interface Message {
  /** The content id: the same on all devices. */
  readonly id: string;
  /** The sender's name. */
  readonly from: string;
  readonly text: string;
  /** Unix milliseconds by the sender's clock. */
  readonly sentAt: number;
  readonly receivedAt: number;
  /** Whose conversation it is: the contact's name, or the group's id. */
  readonly conversation: string;
}

export interface QueuedMessage {
  readonly id: string;
  /** The contact's name, or the group's id. */
  readonly to: string;
  readonly text: string;
  readonly sentAt: number;
  readonly status: DeliveryStatus;
}

export function keepMessage(message: Message, journal: Journal): void {
  journal.put(COLLECTION, `${message.conversation}/${message.id}`, message);
}

/** Messages of a conversation in the order in which this device stored them. */
export async function historyOf(conversation: string, store: Store): Promise<Message[]> {
  const records = await store.load(COLLECTION);
  const all = [...records.values()].map((bytes) => decodeRecord<Message>(bytes));
  return all.filter((each) => each.conversation === conversation).sort((a, b) => a.receivedAt - b.receivedAt);
}
