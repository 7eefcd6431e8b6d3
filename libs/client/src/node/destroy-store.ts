import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, rmdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'libsql';
import { ClientError } from '../client-error.js';

/** The table with the sealed store key is made first and stays in the first pages; a page has 64 KiB at most (SQLite, "Database File Format" §1.3). */
const HEAD_BYTES = 128 * 1024;
const PIECE_BYTES = 64 * 1024;

/** Whether another process has the store open, destroyed or not: SQLite locks before it looks. Such a process goes on with what it has in memory, whatever becomes of the files. */
export function isStoreInUse(file: string): boolean {
  if (!existsSync(file)) return false;
  const database = new Database(file);
  try {
    database.exec('BEGIN IMMEDIATE; ROLLBACK');
    return false;
  } catch (error) {
    return /BUSY|locked/.test(error instanceof Error ? error.message : '');
  } finally {
    database.close();
  }
}

/**
 * Overwrites what the store key lies in, sealed: the head of the file, and all of SQLite's logs, which may hold it as well. Durable when it
 * returns: no passphrase and no key file opens the rest from then on. Needs neither, and works on a damaged file. Throws ClientError `storage-failed`.
 */
export function destroyStoreKey(file: string): void {
  try {
    for (const [path, most] of [
      [file, HEAD_BYTES],
      [`${file}-wal`, Number.POSITIVE_INFINITY],
      [`${file}-journal`, Number.POSITIVE_INFINITY],
    ] as const)
      if (existsSync(path)) overwrite(path, Math.min(most, statSync(path).size));
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new ClientError('storage-failed', `the key of the store could not be overwritten (${code})`);
  }
}

/** Removes the store's files, and its folder unless something else is in it. Returns what was left there. Throws ClientError `storage-failed`. */
export function removeStore(file: string): readonly string[] {
  const folder = dirname(file);
  try {
    const own = readdirSync(folder).filter(
      (name) => name === basename(file) || name.startsWith(`${basename(file)}-`) || isDraft(name, file),
    );
    for (const name of own) rmSync(join(folder, name), { force: true });
    const left = readdirSync(folder);
    if (left.length === 0) rmdirSync(folder);
    return left;
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new ClientError('storage-failed', `the store's key is destroyed, but its files could not be removed (${code}): remove ${folder}`);
  }
}

function isDraft(name: string, file: string): boolean {
  return name.startsWith(`${basename(file)}.`) && /\.new(-journal)?$/.test(name);
}

function overwrite(path: string, length: number): void {
  const descriptor = openSync(path, 'r+');
  try {
    // A write may take less than it is given.
    for (let at = 0; at < length;) at += writeSync(descriptor, randomBytes(Math.min(PIECE_BYTES, length - at)), 0, undefined, at);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
