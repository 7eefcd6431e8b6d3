import { randomBytes } from 'node:crypto';
import { chmod, open, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ClientError } from '../client-error.js';
import { syncFolder } from './store-file.js';
import { LEAST_KEY_FILE_BYTES } from './store-secret.js';

/** Enough for any key, and few enough to be read at once. */
const MOST_KEY_FILE_BYTES = 1024 * 1024;
const OTHERS = 0o077;

export interface KeyFile {
  readonly key: Uint8Array;
  /** Others of the machine may read it, or change it. Not known on Windows. */
  readonly isOpenToOthers: boolean;
}

/** Undefined: there is none. Throws ClientError `bad-key-file`. */
export async function readKeyFile(path: string): Promise<KeyFile | undefined> {
  try {
    const { mode, size } = await stat(path);
    if (size > MOST_KEY_FILE_BYTES) throw badKeyFile(`${path} is no key file: it has more than ${MOST_KEY_FILE_BYTES} bytes`);
    const key = new Uint8Array(await readFile(path));
    if (key.length < LEAST_KEY_FILE_BYTES) throw badKeyFile(`${path} is no key file: it has fewer than ${LEAST_KEY_FILE_BYTES} bytes`);
    return { key, isOpenToOthers: process.platform !== 'win32' && (mode & OTHERS) !== 0 };
  } catch (error) {
    if (error instanceof ClientError) throw error;
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw badKeyFile(`the key file ${path} cannot be read (${code})`);
  }
}

/** For this user alone, and on the disk before anything is sealed under it. Never in place of a file that is there. Throws ClientError `bad-key-file`. */
export async function createKeyFile(path: string): Promise<Uint8Array> {
  const key = new Uint8Array(randomBytes(LEAST_KEY_FILE_BYTES));
  try {
    const handle = await open(path, 'wx', 0o600);
    try {
      await handle.writeFile(key);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await chmod(path, 0o600);
    syncFolder(dirname(path));
  } catch (error) {
    throw badKeyFile(`the key file ${path} cannot be made (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  return key;
}

function badKeyFile(text: string): ClientError {
  return new ClientError('bad-key-file', text);
}
