import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';
import { ClientError } from '../client-error.js';

export const FORMAT = 2;
/** "Sott": tells our files from other SQLite databases. */
const APPLICATION_ID = 0x536f7474;
const SCHEMA = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE records (collection BLOB NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (collection, key)) WITHOUT ROWID;
`;

/** SQLite, "Database File Format" §1.3: offsets in the first 100 bytes. */
const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';
const PAGE_SIZE_AT = 16;
const PAGE_COUNT_AT = 28;
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;

/** `recovered`: the last process that had it was killed, and SQLite has yet to take in its log. */
export type StoreFileState = 'closed' | 'recovered';

/** By device and inode: a file has several names. */
const taken = new Set<string>();

export function isAbsent(file: string): boolean {
  return !existsSync(file);
}

/**
 * SQLite's lock keeps other processes out, but not our own: there, opening and closing the file anywhere lifts the lock (fcntl, POSIX).
 * So a file is taken once in a process, before anything opens it. Returns what gives it back. Throws ClientError `store-in-use`.
 */
export function takeStoreFile(file: string): () => void {
  const { dev, ino } = statSync(file);
  const identity = `${dev}:${ino}`;
  if (taken.has(identity)) throw new ClientError('store-in-use', 'this process uses this store already');
  taken.add(identity);
  return () => void taken.delete(identity);
}

/** Looks at a file without changing a byte of it. Throws ClientError `bad-store` for what is no whole store of this format. */
export function inspectStoreFile(file: string): StoreFileState {
  const { size } = statSync(file);
  const header = headerOf(file);
  if (header.length < HEADER_BYTES) throw badStore('was cut short: take it from a backup, or move it away to begin anew');
  if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) throw badStore('is no store of Sotto, or is damaged');
  checkFormat(header);
  if (existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0) return 'recovered';
  if (size < pageSizeOf(header) * header.readUInt32BE(PAGE_COUNT_AT)) throw badStore('was cut short: take it from a backup');
  return 'closed';
}

/** All of the file or none of it: a process that dies in between leaves nothing under this name. Nothing happens when it is there by then. */
export function createStoreFile(file: string, meta: ReadonlyMap<string, Uint8Array>): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    writeDraft(draft, meta);
    publish(draft, file);
  } finally {
    for (const left of [draft, `${draft}-journal`]) rmSync(left, { force: true });
  }
}

export function badStore(what: string): ClientError {
  return new ClientError('bad-store', `the store ${what}`);
}

function headerOf(file: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const descriptor = openSync(file, 'r');
  try {
    return header.subarray(0, readSync(descriptor, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(descriptor);
  }
}

function checkFormat(header: Buffer): void {
  const format = header.readUInt32BE(USER_VERSION_AT);
  if (header.readUInt32BE(APPLICATION_ID_AT) !== APPLICATION_ID)
    throw badStore('is no store of Sotto, or of a version before the first release');
  if (format > FORMAT)
    throw badStore(`is of a newer version of Sotto (format ${format}, this one reads ${FORMAT}): nothing in it was changed`);
  if (format < FORMAT) throw badStore(`is of an older version of Sotto (format ${format}): nothing in it was changed`);
}

/** 1 stands for 65,536. */
function pageSizeOf(header: Buffer): number {
  const size = header.readUInt16BE(PAGE_SIZE_AT);
  return size === 1 ? 65_536 : size;
}

function writeDraft(draft: string, meta: ReadonlyMap<string, Uint8Array>): void {
  // For the user alone, wherever its folder is; SQLite gives its log and journal the rights that the file has.
  closeSync(openSync(draft, 'wx', 0o600));
  const database = new Database(draft);
  try {
    for (const pragma of ['synchronous = FULL', `application_id = ${APPLICATION_ID}`, `user_version = ${FORMAT}`]) database.pragma(pragma);
    database.exec(SCHEMA);
    const put = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
    for (const [key, value] of meta) put.run(key, Buffer.from(value));
  } finally {
    database.close();
  }
}

/** By a link, which never replaces what another process made meanwhile; by a new name where the file system has no links. */
function publish(draft: string, file: string): void {
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    renameSync(draft, file);
  }
  syncFolder(dirname(file));
}

/** So that the names in it are durable, too. */
export function syncFolder(folder: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
  } catch {
    // Not to be had on every system; the file's own first commit is synced in any case.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
