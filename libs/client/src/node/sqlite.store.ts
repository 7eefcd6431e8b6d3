import Database from 'libsql';
import { createHmac, hkdfSync } from 'node:crypto';
import { ClientError } from '../client-error.js';
import { openRecord, randomBytes, sealRecord, sodiumReady } from '../sodium.js';
import type { Change, Store } from '../storage/store.js';
import { badStore, createStoreFile, inspectStoreFile, isAbsent, takeStoreFile } from './store-file.js';
import { type StoreSecret, unwrapped, wrapped } from './store-secret.js';

const KEY_BYTES = 32;
/** Of the HMAC under which collections and keys stand in the file. */
const OPAQUE_BYTES = 16;
/** Of one query; SQLite takes 32,766 variables. */
const KEYS_AT_ONCE = 256;

interface Waiting {
  readonly batch: readonly Change[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface StoredRecord {
  readonly key: ArrayBuffer;
  readonly value: ArrayBuffer;
}

interface StoreKeys {
  /** Seals values. */
  readonly records: Uint8Array;
  /** Hides names of collections and keys. */
  readonly names: Uint8Array;
}

/**
 * A SQLite file of sealed records. Collections and keys stand in it as keyed hashes, so that it shows how many records there are and how large,
 * and no account, contact or message. All keys come from one random store key, which lies in the file sealed under the passphrase or a key file.
 * Batches that wait at the same time share one transaction and one fsync.
 */
export class SqliteStore implements Store {
  #waiting: Waiting[] = [];
  #closed = false;
  readonly #collections = new Map<string, Buffer>();

  private constructor(
    private readonly database: Database.Database,
    private readonly storeKey: Uint8Array,
    private readonly keys: StoreKeys,
    private readonly giveBack: () => void,
  ) {}

  /**
   * Makes the file when there is none. Throws ClientError `wrong-passphrase`, `wrong-secret-kind`, `bad-store` for a file that is cut short, damaged or of another
   * version (and changes nothing in it), `store-in-use`, or `storage-failed` for one that cannot be written.
   */
  static async open(file: string, secret: StoreSecret): Promise<SqliteStore> {
    await sodiumReady();
    let database: Database.Database | undefined;
    let giveBack: () => void = () => undefined;
    try {
      if (isAbsent(file)) createStoreFile(file, await wrapped(randomBytes(KEY_BYTES), secret));
      giveBack = takeStoreFile(file);
      const state = inspectStoreFile(file);
      database = new Database(file);
      // Exclusive: a second process on one file would use MLS generations twice.
      database.pragma('locking_mode = EXCLUSIVE');
      if (state === 'recovered') checkPages(database);
      const storeKey = await unwrapped((key) => metaOf(database!, key), secret);
      // What is removed is overwritten: the key that would open it stays.
      for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'secure_delete = ON']) database.pragma(pragma);
      return new SqliteStore(database, storeKey, keysOf(storeKey), giveBack);
    } catch (error) {
      if (database !== undefined) release(database);
      giveBack();
      throw failure(error);
    }
  }

  async load(collection: string): Promise<Map<string, Uint8Array>> {
    const select = 'SELECT key, value FROM records WHERE collection = ?';
    const records = this.#rows(select, [this.#collection(collection)]).map(({ key, value }) =>
      this.#open(collection, new Uint8Array(key), new Uint8Array(value)),
    );
    return new Map(records.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  async get(collection: string, keys: readonly string[]): Promise<Map<string, Uint8Array>> {
    const records = new Map<string, Uint8Array>();
    for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
      const some = keys.slice(at, at + KEYS_AT_ONCE).map((key) => this.#keyOf(collection, key));
      const places = some.map(() => '?').join();
      const select = `SELECT key, value FROM records WHERE collection = ? AND key IN (${places})`;
      const rows = this.#rows(select, [this.#collection(collection), ...some]);
      for (const { key, value } of rows) records.set(...this.#open(collection, new Uint8Array(key), new Uint8Array(value)));
    }
    return records;
  }

  commit(batch: readonly Change[]): Promise<void> {
    if (this.#closed) return Promise.reject(new ClientError('storage-failed', 'the store is closed'));
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ batch, resolve, reject }) === 1) setImmediate(() => this.#flush());
    });
  }

  /** From here on the file opens with this secret alone; its records stay as they are. */
  async changeSecret(secret: StoreSecret): Promise<void> {
    const meta = await wrapped(this.storeKey, secret);
    if (this.#closed) throw new ClientError('storage-failed', 'the store is closed');
    const put = this.database.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)');
    this.#transaction(() => meta.forEach((value, key) => put.run(key, Buffer.from(value))));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#flush();
    release(this.database);
    this.giveBack();
    for (const key of [this.storeKey, this.keys.records, this.keys.names]) key.fill(0);
  }

  #rows(select: string, values: readonly Buffer[]): StoredRecord[] {
    try {
      return this.database.prepare(select).all([...values]) as StoredRecord[];
    } catch (error) {
      throw failure(error);
    }
  }

  #open(collection: string, key: Uint8Array, value: Uint8Array): [key: string, value: Uint8Array] {
    const plain = openRecord(value, placeOf(this.#collection(collection), key), this.keys.records);
    if (plain === undefined) throw badStore(`is damaged: a record of it (${collection}) does not open`);
    return unpacked(plain);
  }

  #flush(): void {
    const waiting = this.#waiting.splice(0);
    if (waiting.length === 0) return;
    try {
      this.#write(waiting.flatMap(({ batch }) => batch));
    } catch (error) {
      const refused = new ClientError('storage-failed', failure(error).message);
      for (const { reject } of waiting) reject(refused);
      return;
    }
    for (const { resolve } of waiting) resolve();
  }

  #write(changes: readonly Change[]): void {
    const put = this.database.prepare('INSERT OR REPLACE INTO records (collection, key, value) VALUES (?, ?, ?)');
    const remove = this.database.prepare('DELETE FROM records WHERE collection = ? AND key = ?');
    this.#transaction(() => {
      for (const { collection, key, value } of changes) {
        const where = [this.#collection(collection), this.#keyOf(collection, key)] as const;
        if (value === undefined) remove.run(...where);
        else put.run(...where, Buffer.from(sealRecord(packed(key, value), placeOf(...where), this.keys.records)));
      }
    });
  }

  #transaction(work: () => void): void {
    this.database.exec('BEGIN IMMEDIATE');
    try {
      work();
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

  #collection(name: string): Buffer {
    const known = this.#collections.get(name) ?? this.#hidden(name);
    this.#collections.set(name, known);
    return known;
  }

  #keyOf(collection: string, key: string): Buffer {
    return this.#hidden(`${collection}\0${key}`);
  }

  #hidden(name: string): Buffer {
    return createHmac('sha256', this.keys.names).update(name).digest().subarray(0, OPAQUE_BYTES);
  }
}

function keysOf(storeKey: Uint8Array): StoreKeys {
  const derived = (purpose: string) => new Uint8Array(hkdfSync('sha256', storeKey, '', `sotto store ${purpose}`, KEY_BYTES));
  return { records: derived('records'), names: derived('names') };
}

/** What a sealed value is bound to: it opens at no other place. */
function placeOf(collection: Uint8Array, key: Uint8Array): string {
  return Buffer.concat([collection, key]).toString('hex');
}

/** Length of the key (4 bytes, big endian), key, value. */
function packed(key: string, value: Uint8Array): Uint8Array {
  const name = Buffer.from(key);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return Buffer.concat([length, name, value]);
}

function unpacked(plain: Uint8Array): [key: string, value: Uint8Array] {
  const bytes = Buffer.from(plain.buffer, plain.byteOffset, plain.length);
  const end = 4 + bytes.readUInt32BE(0);
  return [bytes.toString('utf8', 4, end), plain.slice(end)];
}

function metaOf(database: Database.Database, key: string): Uint8Array | undefined {
  const row = database.prepare('SELECT value FROM meta WHERE key = ?').get(key) as { value: Uint8Array } | undefined;
  return row && new Uint8Array(row.value);
}

/** After a kill the file's own length says nothing yet: its log may hold the rest. */
function checkPages(database: Database.Database): void {
  const [found] = database.prepare('PRAGMA quick_check(1)').all() as { quick_check: string }[];
  if (found?.quick_check !== 'ok') throw badStore('is damaged or was cut short: take it from a backup');
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

function failure(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  const { code } = error as { code?: unknown };
  const text = `${typeof code === 'string' ? code : ''} ${error instanceof Error ? error.message : ''}`;
  if (/READONLY|readonly|read-only|EROFS/.test(text))
    return new ClientError('storage-failed', 'the store is read-only: nothing new was kept');
  if (/FULL|full|ENOSPC/.test(text)) return new ClientError('storage-failed', 'the disk is full: nothing new was kept');
  if (/BUSY|locked/.test(text)) return new ClientError('store-in-use', 'another process uses this store');
  if (/CORRUPT|NOTADB|malformed|not a database/.test(text)) return badStore('is damaged: take it from a backup');
  if (/CANTOPEN|unable to open|EACCES|ENOENT|ENOTDIR/i.test(text))
    return new ClientError('storage-failed', 'the store cannot be opened: does its folder exist, and may it be written?');
  return new ClientError('storage-failed', 'the store cannot be read or written');
}
