import { readFile } from 'node:fs/promises';
import { closeSync, readSync } from 'node:fs';
import type { PasswordSource } from '../command-line/command.js';
import { UsageError } from '../command-line/usage-error.js';
import { askHidden, type Terminal } from './hidden-prompt.js';

const MAX_BYTES = 4_096;

/** @param twice for a new password, which must not have a slip of the finger in it. Throws UsageError. */
export async function readPassword(source: PasswordSource, terminal: Terminal, twice: boolean): Promise<string> {
  if (source.from === 'file') return firstLine(await fileText(source.path), source.path);
  if (source.from === 'descriptor') return firstLine(descriptorText(source.descriptor), `descriptor ${source.descriptor}`);
  if (!terminal.input.isTTY) throw new UsageError('there is no terminal to ask for the password: use --password-file or --password-fd');
  const password = await askHidden(terminal, twice ? 'New password (10 characters or more): ' : 'Password: ');
  if (password === '') throw new UsageError('no password was given');
  if (twice && (await askHidden(terminal, 'Once more: ')) !== password) throw new UsageError('the two passwords differ');
  return password;
}

async function fileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`the password file ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

function descriptorText(descriptor: number): string {
  const chunks: Buffer[] = [];
  const chunk = Buffer.alloc(MAX_BYTES);
  try {
    for (let seen = 0; seen < MAX_BYTES && !chunks.some((each) => each.includes(0x0a));) {
      const count = readSync(descriptor, chunk, 0, 1, null);
      if (count === 0) break;
      seen += count;
      chunks.push(Buffer.from(chunk.subarray(0, count)));
    }
    // Standard input may carry the conversation afterwards.
    if (descriptor > 2) closeSync(descriptor);
  } catch (error) {
    throw new UsageError(`descriptor ${descriptor} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function firstLine(text: string, where: string): string {
  const line = /^[^\r\n]*/.exec(text)?.[0] ?? '';
  if (line === '') throw new UsageError(`the first line of ${where} is empty: it must be the password`);
  return line;
}
