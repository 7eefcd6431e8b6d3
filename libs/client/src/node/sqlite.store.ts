import argon2 from 'argon2';
import Database from 'libsql';
import { ClientError } from '../client-error.js';
import { openRecord, randomBytes, sealRecord, sodiumReady } from '../sodium.js';
import type { Change, Store } from '../storage/store.js';

/** OWASP's parameters for argon2id. */
const ARGON2 = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1, hashLength: 32 } as const;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS records (collection TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (collection, key)) WITHOUT ROWID;
`;
const CHECK = new TextEncoder().encode('sotto store 1');

interface Waiting {
  readonly batch: readonly Change[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * A SQLite file with each value sealed by itself; collections and keys (random ids, contact names) stay readable.
 * Batches that wait at the same time share one transaction and one fsync.
 */
export class SqliteStore implements Store {
  #waiting: Waiting[] = [];
  #closed = false;

  private constructor(
    private readonly database: Database.Database,
    private readonly key: Uint8Array,
  ) {}

  /** Throws ClientError `wrong-passphrase`, or `storage-failed` for a file that cannot be written or is in use by another process. */
  static async open(file: string, passphrase: string): Promise<SqliteStore> {
    await sodiumReady();
    let database: Database.Database | undefined;
    try {
      database = new Database(file);
      // Exclusive: a second process on one file would use MLS generations twice.
      for (const pragma of ['locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL']) database.pragma(pragma);
      database.exec(SCHEMA);
      return new SqliteStore(database, await unlock(database, passphrase));
    } catch (error) {
      if (database !== undefined) release(database);
      throw failure(error);
    }
  }

  async load(collection: string): Promise<Map<string, Uint8Array>> {
    const rows = this.database.prepare('SELECT key, value FROM records WHERE collection = ?').all(collection) as {
      key: string;
      value: Uint8Array;
    }[];
    return new Map(rows.map(({ key, value }) => [key, this.#open(collection, key, value)]));
  }

  commit(batch: readonly Change[]): Promise<void> {
    if (this.#closed) return Promise.reject(new ClientError('storage-failed', 'the store is closed'));
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ batch, resolve, reject }) === 1) setImmediate(() => this.#flush());
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#flush();
    release(this.database);
    this.key.fill(0);
  }

  #open(collection: string, key: string, value: Uint8Array): Uint8Array {
    const plain = openRecord(new Uint8Array(value), `${collection}/${key}`, this.key);
    if (plain === undefined) throw new ClientError('storage-failed', `a record of the store is damaged (${collection})`);
    return plain;
  }

  #flush(): void {
    const waiting = this.#waiting.splice(0);
    if (waiting.length === 0) return;
    try {
      this.#write(waiting.flatMap(({ batch }) => batch));
    } catch (error) {
      for (const { reject } of waiting) reject(failure(error));
      return;
    }
    for (const { resolve } of waiting) resolve();
  }

  #write(changes: readonly Change[]): void {
    this.database.exec('BEGIN IMMEDIATE');
    try {
      const put = this.database.prepare('INSERT OR REPLACE INTO records (collection, key, value) VALUES (?, ?, ?)');
      const remove = this.database.prepare('DELETE FROM records WHERE collection = ? AND key = ?');
      for (const { collection, key, value } of changes) {
        if (value === undefined) remove.run(collection, key);
        else put.run(collection, key, Buffer.from(sealRecord(value, `${collection}/${key}`, this.key)));
      }
      this.database.exec('COMMIT');
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    try {
      this.database.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself (full disk, I/O error).
    }
  }
}

/** `close` of libsql leaves the file open, and with it our lock, until its statements are collected: so everything is given back before. */
function release(database: Database.Database): void {
  try {
    database.pragma('journal_mode = DELETE');
    database.pragma('locking_mode = NORMAL');
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch {
    // It was not ours to lock, or cannot be written: there is nothing to give back.
  }
  database.close();
}

async function unlock(database: Database.Database, passphrase: string): Promise<Uint8Array> {
  const meta = (key: string) =>
    (database.prepare('SELECT value FROM meta WHERE key = ?').get(key) as { value: Uint8Array } | undefined)?.value;
  const put = (key: string, value: Uint8Array) =>
    database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)').run(key, Buffer.from(value));
  const stored = meta('salt');
  const salt = stored === undefined ? randomBytes(16) : new Uint8Array(stored);
  const key = new Uint8Array(await argon2.hash(passphrase, { ...ARGON2, salt: Buffer.from(salt), raw: true }));
  if (stored === undefined) {
    database.exec('BEGIN IMMEDIATE');
    put('salt', salt);
    put('check', sealRecord(CHECK, 'check', key));
    database.exec('COMMIT');
    return key;
  }
  if (openRecord(new Uint8Array(meta('check')!), 'check', key) === undefined) {
    throw new ClientError('wrong-passphrase', 'the passphrase does not open this store');
  }
  return key;
}

function failure(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  const { code } = error as { code?: unknown };
  const text = `${typeof code === 'string' ? code : ''} ${error instanceof Error ? error.message : ''}`;
  if (/READONLY|readonly|read-only/.test(text)) return new ClientError('storage-failed', 'the store is read-only: nothing new was kept');
  if (/FULL|full/.test(text)) return new ClientError('storage-failed', 'the disk is full: nothing new was kept');
  if (/BUSY|locked/.test(text)) return new ClientError('storage-failed', 'another process uses this store');
  if (/CANTOPEN|unable to open/i.test(text))
    return new ClientError('storage-failed', 'the store cannot be opened: does its folder exist, and may it be written?');
  return new ClientError('storage-failed', 'the store cannot be read or written');
}
