import { toHex } from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import { History } from '../history/history.js';
import { HistoryMerge } from '../history/history-merge.js';
import { keepSettings } from '../messaging/settings.js';
import { type Argon2id, portableArgon2id } from '../session/argon2id.js';
import { RESTORED } from '../session/restored-account.js';
import { PEER_COLLECTION, type SessionRecord } from '../session/session-record.js';
import { keyPairOf, sodiumReady } from '../sodium.js';
import { Journal } from '../storage/journal.js';
import { decodeRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';
import { badArchive, openArchive } from './archive-cipher.js';
import { type ArchivedAccount, type ArchiveRecord, unpackRecords } from './archive-record.js';

export interface ImportOptions {
  /** Into a store of the same account that has something already: what it lacks is added. */
  readonly merge?: boolean | undefined;
  /** Called before the store is touched. Whoever throws keeps it as it is. */
  readonly onAccount?: ((account: Pick<ArchivedAccount, 'name' | 'server'>) => void) | undefined;
  readonly argon2id?: Argon2id | undefined;
  readonly onProgress?: ((messages: { readonly done: number; readonly all: number }) => void) | undefined;
}

export interface Imported {
  readonly name: string;
  readonly server: string;
  /** Those that were not there. */
  readonly messages: number;
  readonly contacts: number;
}

interface Contents {
  readonly account: ArchivedAccount;
  readonly messages: number;
}

/** What makes a store one that has something; the pin of a server alone does not. */
const COLLECTIONS = [PEER_COLLECTION, 'contacts', 'groups', 'history-conversations', 'messages'] as const;
/** Messages of one commit. */
const BATCH = 256;

/**
 * Takes in an archive, in a store that no client has open: the first log-in of a client on it makes a new device, which the account's key in it
 * confirms. The archive is read twice: whole before anything is written. One that is cut off in between is completed by another one with `merge`.
 * Throws ClientError `bad-archive`, `wrong-passphrase`, `store-not-empty`, and what the store throws.
 */
export async function importArchive(
  store: Store,
  archive: () => AsyncIterable<Uint8Array>,
  passphrase: string,
  options: ImportOptions = {},
): Promise<Imported> {
  await sodiumReady();
  const argon2id = options.argon2id ?? portableArgon2id;
  const records = () => unpackRecords(openArchive(archive(), passphrase, argon2id));
  const { account, messages } = await examine(records());
  options.onAccount?.(account);
  const holder = await holderOf(store);
  if (holder !== undefined) checkMerge(holder, account, options.merge ?? false);
  const arrival = await Arrival.begin(store, account, holder === undefined);
  for await (const record of records()) {
    await arrival.take(record);
    if (record.kind === 'message') options.onProgress?.({ done: ++arrival.seen, all: messages });
  }
  return arrival.end();
}

async function examine(records: AsyncIterable<ArchiveRecord>): Promise<Contents> {
  let account: ArchivedAccount | undefined;
  let messages = 0;
  for await (const record of records) {
    if (record.kind === 'account') ({ account } = record);
    if (record.kind === 'message') messages++;
  }
  if (account === undefined) throw badArchive('does not say whose it is');
  if (toHex(keyPairOf(account.identitySeed).publicKey) !== toHex(account.identityKey)) throw badArchive("does not hold its account's key");
  return { account, messages };
}

/** The account of a store, or '' when it has something of nobody; undefined: it is empty. */
async function holderOf(store: Store): Promise<string | undefined> {
  const session = await store.load('session');
  for (const key of ['session', RESTORED])
    if (session.has(key)) return decodeRecord<Pick<SessionRecord, 'account'>>(session.get(key)!).account;
  if (session.size > (session.has('pin') ? 1 : 0)) return '';
  for (const collection of COLLECTIONS) if ((await store.load(collection)).size > 0) return '';
  return undefined;
}

function checkMerge(holder: string, { account, name }: ArchivedAccount, merge: boolean): void {
  if (holder !== account) throw new ClientError('store-not-empty', `the store has something that is not ${name}'s: choose an empty one`);
  if (!merge) throw new ClientError('store-not-empty', `the store has something of ${name} already: merge, or choose an empty one`);
}

/** An archive on its way into a store. */
class Arrival {
  seen = 0;
  #contacts = 0;
  #merge: HistoryMerge | undefined;
  #messages = 0;
  #waiting = 0;

  private constructor(
    private readonly history: History,
    private readonly journal: Journal,
    private readonly account: ArchivedAccount,
    private readonly isNew: boolean,
    private readonly known: ReadonlySet<string>,
  ) {}

  /** Whose it is comes first: then an import that was cut off is known as one. */
  static async begin(store: Store, account: ArchivedAccount, isNew: boolean): Promise<Arrival> {
    const journal = new Journal(store);
    if (isNew) {
      journal.put('session', RESTORED, account);
      if (account.pin !== undefined) journal.put('session', 'pin', { pin: account.pin });
      await journal.commit();
    }
    return new Arrival(await History.load(store), journal, account, isNew, new Set((await store.load('contacts')).keys()));
  }

  async take(record: ArchiveRecord): Promise<void> {
    if (record.kind === 'settings' && this.isNew) keepSettings(record.settings, this.journal);
    if (record.kind === 'contact' && !this.known.has(record.contact.name)) {
      this.#contacts++;
      this.journal.put('contacts', record.contact.name, { ...record.contact, online: false });
    }
    if (record.kind === 'message') await this.#takeMessage(record);
  }

  async #takeMessage({ message, read }: Extract<ArchiveRecord, { kind: 'message' }>): Promise<void> {
    if (message.expiresAt !== undefined && message.expiresAt <= Date.now()) return;
    if (this.#merge?.conversation !== message.conversation) {
      await this.#merge?.end();
      this.#merge = new HistoryMerge(this.history, message.conversation, this.journal);
    }
    if (await this.#merge.take(message, read)) this.#messages++;
    if (++this.#waiting % BATCH === 0) await this.journal.commit();
  }

  async end(): Promise<Imported> {
    await this.#merge?.end();
    await this.journal.commit();
    const { name, server } = this.account;
    return { name, server, messages: this.#messages, contacts: this.#contacts };
  }
}
