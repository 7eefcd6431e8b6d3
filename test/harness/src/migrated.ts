import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Contents } from '@sotto/testing';

const MIGRATIONS = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));
const MIGRATE = fileURLToPath(new URL('./servers/migrate.js', import.meta.url));

/** A database as our migrations make it, with no row of anybody. */
export async function migrated(): Promise<Contents> {
  const entries = await readdir(MIGRATIONS, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const version = createHash('sha256');
  for (const file of files.sort()) version.update(await readFile(file));
  return {
    version: version.digest('hex'),
    make: async (url) => void (await promisify(execFile)(process.execPath, [MIGRATE, url])),
  };
}
