import { statfs } from 'node:fs/promises';
import type { PGlite } from '@electric-sql/pglite';

/** Two segments of PostgreSQL's log. */
const RESERVE_BYTES = 32 * 1024 * 1024;

/** Nothing is stored, because the disk of the database has too little room. */
export class DatabaseFullError extends Error {
  readonly code = 'ENOSPC';

  constructor() {
    super('the disk of the database is full');
    this.name = 'DatabaseFullError';
  }
}

/**
 * Refuses what writes while the disk is all but full: when PGlite needs another segment of its log and there is no room for it, it tries for
 * ever, and the process stands still. Throws DatabaseFullError from `query` and `transaction`.
 */
export function keepRoom(postgres: PGlite, folder: string): void {
  const query = postgres.query.bind(postgres);
  const transaction = postgres.transaction.bind(postgres);
  postgres.query = async (...statement) => {
    if (!/^\s*select\b/i.test(statement[0])) await assertRoom(folder);
    return query(...statement);
  };
  postgres.transaction = async (...work) => {
    await assertRoom(folder);
    return transaction(...work);
  };
}

/** Throws DatabaseFullError. A file system that tells nothing of its size is taken to have room. */
export async function assertRoom(folder: string): Promise<void> {
  const { blocks, bavail, bsize } = await statfs(folder);
  if (blocks > 0 && bavail * bsize < RESERVE_BYTES) throw new DatabaseFullError();
}
