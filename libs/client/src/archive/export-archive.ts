import { ClientError } from '../client-error.js';
import type { Contact } from '../contacts/contact-list.js';
import { History } from '../history/history.js';
import { loadSettings } from '../messaging/settings.js';
import { type Argon2id, portableArgon2id } from '../session/argon2id.js';
import type { RestoredAccount } from '../session/restored-account.js';
import { type DeviceSecrets, PEER_COLLECTION, type SessionRecord } from '../session/session-record.js';
import { sodiumReady } from '../sodium.js';
import { decodeRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';
import { sealArchive } from './archive-cipher.js';
import { type ArchivedAccount, type ArchiveRecord, packRecords } from './archive-record.js';

export interface ExportOptions {
  readonly argon2id?: Argon2id | undefined;
  /** After each message. */
  readonly onProgress?: ((messages: number) => void) | undefined;
}

/**
 * History, contacts, settings and account key of a store that no client has open, sealed under a passphrase of its own. It reads page by page.
 * Throws ClientError `not-logged-in` for a device without the account's key, `weak-passphrase`, `bad-store`.
 */
export async function* exportArchive(store: Store, passphrase: string, options: ExportOptions = {}): AsyncGenerator<Uint8Array> {
  await sodiumReady();
  const account = await accountOf(store);
  const records = packRecords(recordsOf(store, account, options));
  yield* sealArchive(records, passphrase, options.argon2id ?? portableArgon2id);
}

async function* recordsOf(store: Store, account: ArchivedAccount, { onProgress }: ExportOptions): AsyncGenerator<ArchiveRecord> {
  const now = Date.now();
  yield { kind: 'account', account, exportedAt: now };
  yield { kind: 'settings', settings: await loadSettings(store) };
  for (const bytes of (await store.load('contacts')).values()) yield { kind: 'contact', contact: archived(decodeRecord<Contact>(bytes)) };
  const history = await History.load(store);
  let messages = 0;
  for (const conversation of history.conversations) {
    const readTo = history.readTo(conversation);
    for await (const { number, message } of history.oldestFirst(conversation)) {
      if (message.expiresAt !== undefined && message.expiresAt <= now) continue;
      yield { kind: 'message', message, read: number < readTo };
      onProgress?.(++messages);
    }
  }
}

function archived({ name, status, account, identityKey, changedKey, acceptedByMe }: Contact): Omit<Contact, 'online'> {
  return { name, status, account, identityKey, changedKey, acceptedByMe };
}

async function accountOf(store: Store): Promise<ArchivedAccount> {
  if ((await store.load(PEER_COLLECTION)).size > 0)
    throw new ClientError('not-allowed', 'a peer without a server has no account that another device could join: it cannot be exported');
  const records = await store.get('session', ['session', 'secrets', 'restored', 'pin']);
  const one = <T>(key: string): T | undefined => (records.has(key) ? decodeRecord<T>(records.get(key)!) : undefined);
  const restored = one<RestoredAccount>('restored');
  if (restored !== undefined) return restored;
  const [session, secrets] = [one<SessionRecord>('session'), one<DeviceSecrets>('secrets')];
  if (session === undefined || secrets?.identitySeed === undefined || session.pending)
    throw new ClientError('not-logged-in', "this device does not hold the account's key: let another device approve it first");
  const { name, account, server, identityKey } = session;
  return { name, account, server, identityKey, identitySeed: secrets.identitySeed, pin: one<{ pin: string }>('pin')?.pin };
}
