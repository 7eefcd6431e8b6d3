import { existsSync, readFileSync, statSync } from 'node:fs';
import Database from 'libsql';
import { ClientError } from '../client-error.js';
import { inspectStoreFile, takeStoreFile } from './store-file.js';

export interface StoreHealth {
  /**
   * `in-use`: another process has it, so it was not read. `interrupted`: the last process was killed, and whoever opens it next takes in its log
   * and checks it; where the system does not tell who locks a file, it may also be in use. `damaged`: `why` tells.
   */
  readonly state: 'whole' | 'in-use' | 'interrupted' | 'damaged';
  readonly why: string | undefined;
  /** The process that has it, where the system tells. */
  readonly holder: number | undefined;
  /** With its log. */
  readonly bytes: number;
}

const MOST_COMPLAINTS = 3;

/** Looks at a store without its passphrase, and changes nothing. The file must be there. */
export function examineStore(file: string): StoreHealth {
  const bytes = [file, `${file}-wal`].filter((each) => existsSync(each)).reduce((sum, each) => sum + statSync(each).size, 0);
  const holder = holderOf(file);
  if (holder !== undefined) return { state: 'in-use', why: undefined, holder, bytes };
  try {
    const state = inspectStoreFile(file) === 'recovered' ? 'interrupted' : 'whole';
    const complaints = state === 'whole' ? complaintsAbout(file) : [];
    return { state: complaints.length > 0 ? 'damaged' : state, why: complaints.join('; ') || undefined, holder, bytes };
  } catch (error) {
    return { ...stateBy(error), holder, bytes };
  }
}

/** SQLite's own check of every page and index. */
function complaintsAbout(file: string): string[] {
  const giveBack = takeStoreFile(file);
  const database = new Database(file);
  try {
    database.pragma('query_only = ON');
    const rows = database.prepare(`PRAGMA integrity_check(${MOST_COMPLAINTS})`).all() as { integrity_check: string }[];
    return rows.map(({ integrity_check }) => integrity_check).filter((line) => line !== 'ok');
  } finally {
    database.close();
    giveBack();
  }
}

function stateBy(error: unknown): Pick<StoreHealth, 'state' | 'why'> {
  const message = error instanceof Error ? error.message : 'it cannot be read';
  const isTaken = (error instanceof ClientError && error.reason === 'store-in-use') || /BUSY|locked/.test(message);
  return isTaken ? { state: 'in-use', why: undefined } : { state: 'damaged', why: message };
}

/** proc_locks(5): kind, mode, …, process, major:minor:inode. Device numbers are hexadecimal, and not those of stat on every file system. */
function holderOf(file: string): number | undefined {
  let locks: string;
  try {
    locks = readFileSync('/proc/locks', 'utf8');
  } catch {
    return undefined;
  }
  const { ino } = statSync(file);
  for (const line of locks.split('\n')) {
    const [, , , mode, holder, place] = line.trim().split(/\s+/);
    if (mode === 'WRITE' && place?.split(':')[2] === String(ino) && Number(holder) !== process.pid) return Number(holder);
  }
  return undefined;
}
