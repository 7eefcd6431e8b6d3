import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';
import { join } from 'node:path';
import { codeOf, DatabaseOpenError } from './database-error.js';

/** How often a holder touches its lock, and after how long without a touch a holder on another host counts as gone. Milliseconds. */
const TOUCH_EVERY_MS = 5_000;
const FOREIGN_HOLDER_GONE_MS = 30_000;
const LOCK_NAME = /^lock\.(\d+)$/;

export interface FolderLock {
  release(): Promise<void>;
}

interface Holder {
  pid: number;
  host: string;
  token: string;
}

/** Locks held by this process: tells our own from those of a dead process that had our pid (pid 1, in a container that was started again). */
const heldHere = new Set<string>();

/**
 * Makes the folder this process's alone, because PGlite takes no lock and a second process would destroy its rows.
 *
 * The lock is the file `lock.<n>` with the highest n. It is only ever taken over by linking `lock.<n+1>`, which the file system grants to one;
 * older files are removed after that, the highest never, so that who was late finds a higher one and steps back.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const token = randomUUID();
  const holder: Holder = { pid: process.pid, host: hostname(), token };
  const draft = join(folder, `draft.${token}`);
  await writeFile(draft, JSON.stringify(holder), { mode: 0o600, flush: true });
  heldHere.add(token);
  try {
    const path = await takeNext(folder, draft);
    return holdLock(path, token);
  } catch (error) {
    heldHere.delete(token);
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function takeNext(folder: string, draft: string): Promise<string> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const last = await highest(folder);
    if (last > 0 && (await isHeld(join(folder, `lock.${last}`)))) throw inUse(folder);
    const mine = join(folder, `lock.${last + 1}`);
    if (!(await linked(draft, mine))) continue;
    if ((await highest(folder)) === last + 1) {
      await removeOlder(folder, last + 1);
      return mine;
    }
    await rm(mine, { force: true });
  }
  throw inUse(folder);
}

function inUse(folder: string): DatabaseOpenError {
  return new DatabaseOpenError(`another process uses the data folder ${folder}: stop it first, or give this one its own folder`);
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function lockNumbers(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names.flatMap((name) => LOCK_NAME.exec(name)?.[1] ?? []).map(Number);
}

async function highest(folder: string): Promise<number> {
  return Math.max(0, ...(await lockNumbers(folder)));
}

async function removeOlder(folder: string, than: number): Promise<void> {
  const older = (await lockNumbers(folder)).filter((number) => number < than);
  await Promise.all(older.map((number) => rm(join(folder, `lock.${number}`), { force: true })));
}

async function isHeld(path: string): Promise<boolean> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return text !== '' && holderLives(JSON.parse(text) as Holder, mtimeMs);
  } catch (error) {
    // Gone: someone took the next number in between. The caller looks again.
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function holderLives(holder: Holder, touchedAt: number): boolean {
  if (holder.host !== hostname()) return Date.now() - touchedAt < FOREIGN_HOLDER_GONE_MS;
  if (holder.pid === process.pid) return heldHere.has(holder.token);
  const startedAt = Date.now() - uptime() * 1_000;
  return touchedAt > startedAt - TOUCH_EVERY_MS && processLives(holder.pid);
}

function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function holdLock(path: string, token: string): FolderLock {
  const touch = setInterval(() => {
    const now = new Date();
    // A failed touch costs nothing on this host, and a folder that cannot be touched cannot be written either: queries say so.
    utimes(path, now, now).catch(() => undefined);
  }, TOUCH_EVERY_MS);
  touch.unref();
  return {
    release: async () => {
      clearInterval(touch);
      // Emptied, not removed: the highest number must stay.
      await writeFile(path, '').catch(() => undefined);
      heldHere.delete(token);
    },
  };
}
