import { existsSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UsageError } from './usage-error.js';

/**
 * With what is missing above it, for this user alone. Not by `recursive`: where nothing can be made and the system says that something
 * is missing, as below /proc, Node tries for ever. Throws UsageError. @param instead how to name another folder
 */
export async function makeFolder(folder: string, instead: string): Promise<void> {
  const path = resolve(folder);
  for (const each of missingOf(path)) {
    await mkdir(each, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      // Somebody else was faster, or it is none: said below.
      if (error.code !== 'EEXIST') throw refusal(each, error.code, instead);
    });
  }
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw refusal(path, error.code, instead);
  });
  if (!found.isDirectory()) throw new UsageError(`${path} is no folder: ${instead}`);
}

/** From the outermost on. */
function missingOf(path: string): string[] {
  return existsSync(path) || dirname(path) === path ? [] : [...missingOf(dirname(path)), path];
}

function refusal(folder: string, code = 'unknown', instead: string): UsageError {
  const parent = dirname(folder);
  if (code === 'ENOTDIR') return new UsageError(`${parent} is no folder: ${instead}`);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return new UsageError(`you may make no folder in ${parent}: ${instead}`);
  return new UsageError(`the folder ${folder} cannot be made (${code}): ${instead}`);
}
