import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ClientError } from '../client-error.js';
import { exportArchive, type ExportOptions } from '../archive/export-archive.js';
import { importArchive, type Imported, type ImportOptions } from '../archive/import-archive.js';
import type { Store } from '../storage/store.js';
import { nodeArgon2id } from './argon2id.js';
import { syncFolder } from './store-file.js';

/** exportArchive into a file that is not there yet: all of it or none. Throws ClientError `bad-archive` for one that cannot be written. */
export async function exportToFile(store: Store, path: string, passphrase: string, options: ExportOptions = {}): Promise<void> {
  if (await isThere(path)) throw new ClientError('bad-archive', `${path} is there already: choose another name`);
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    await writeDraft(draft, exportArchive(store, passphrase, { argon2id: nodeArgon2id, ...options }));
    await publish(draft, path);
    syncFolder(dirname(path));
  } catch (error) {
    throw fileError(path, error, 'written');
  } finally {
    await rm(draft, { force: true });
  }
}

/** importArchive from a file. */
export async function importFromFile(store: Store, path: string, passphrase: string, options: ImportOptions = {}): Promise<Imported> {
  try {
    return await importArchive(store, () => createReadStream(path), passphrase, { argon2id: nodeArgon2id, ...options });
  } catch (error) {
    throw fileError(path, error, 'read');
  }
}

async function writeDraft(draft: string, archive: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await open(draft, 'wx', 0o600);
  try {
    for await (const piece of archive) await handle.writeFile(piece);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** By a link, which replaces nothing; by a new name where the file system has no links. */
async function publish(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
    await rename(draft, path);
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function fileError(path: string, error: unknown, what: 'read' | 'written'): unknown {
  const { code } = error as { code?: unknown };
  if (error instanceof ClientError || typeof code !== 'string') return error;
  return new ClientError('bad-archive', `the archive ${path} cannot be ${what} (${code})`);
}
