import type { Journal } from '../storage/journal.js';
import { decodeRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';
import type { History } from './history.js';

/** Where versions before the pages kept all messages. */
const FORMER = 'messages';

interface FormerMessage {
  /** The content id, which was random. */
  readonly id: string;
  readonly from: string;
  readonly text: string;
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly conversation: string;
}

/** Puts them where messages are now. @param accountOf of a name; empty for one that is not known any more */
export async function moveFormerMessages(
  store: Store,
  history: History,
  accountOf: (name: string) => string,
  journal: Journal,
): Promise<void> {
  const records = [...(await store.load(FORMER))].map(([key, bytes]) => [key, decodeRecord<FormerMessage>(bytes)] as const);
  for (const [key, { id, from: name, ...rest }] of records.sort(([, a], [, b]) => a.receivedAt - b.receivedAt)) {
    // The same on all devices, as the ids of today are.
    const ref = `01${id}${'0'.repeat(30)}`;
    await history.add({ ref, author: { account: accountOf(name), name }, ...rest }, journal);
    journal.remove(FORMER, key);
  }
}
