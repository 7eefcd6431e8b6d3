import { readFile } from 'node:fs/promises';
import { closeSync, readSync } from 'node:fs';
import { LIMITS } from '@sotto/protocol/limits';
import type { SecretSource } from '../command-line/secrets.js';
import { UsageError } from '../command-line/usage-error.js';
import { askHidden, type Terminal } from './hidden-prompt.js';

const MAX_BYTES = 4_096;

/** @param twice for a new password, which must not have a slip of the finger in it. Throws UsageError. */
export function readPassword(source: SecretSource, terminal: Terminal, twice: boolean): Promise<string> {
  return readSecret(source, terminal, twice ? 'New password (10 characters or more): ' : 'Password: ', { what: 'password', twice });
}

/** Throws UsageError. */
export function readPassphrase(source: SecretSource, terminal: Terminal): Promise<string> {
  return readSecret(source, terminal, 'Passphrase of the recovery file: ', { what: 'passphrase', twice: false });
}

/** Of an archive. @param isNew it is to be made. Throws UsageError. */
export function readArchivePassphrase(source: SecretSource, terminal: Terminal, isNew: boolean): Promise<string> {
  const question = isNew
    ? `New passphrase for the archive (${LIMITS.passwordMinBytes} characters or more): `
    : 'Passphrase of the archive: ';
  return readSecret(source, terminal, question, { what: 'passphrase', twice: isNew });
}

/** Of a store that belongs to no account at a server. @param isNew it is to be made. Throws UsageError. */
export async function readStorePassphrase(source: SecretSource, terminal: Terminal, isNew: boolean): Promise<string> {
  const question = isNew ? `New passphrase for what is stored here (${LIMITS.passwordMinBytes} characters or more): ` : 'Passphrase: ';
  const passphrase = await readSecret(source, terminal, question, { what: 'passphrase', twice: isNew });
  if (isNew && Buffer.byteLength(passphrase) < LIMITS.passwordMinBytes)
    throw new UsageError(`the passphrase is to have at least ${LIMITS.passwordMinBytes} characters: it seals your keys and messages`);
  return passphrase;
}

async function readSecret(
  source: SecretSource,
  terminal: Terminal,
  question: string,
  { what, twice }: { what: 'password' | 'passphrase'; twice: boolean },
): Promise<string> {
  if (source.from === 'file') return firstLine(await fileText(source.path), source.path, what);
  if (source.from === 'descriptor') return firstLine(descriptorText(source.descriptor), `descriptor ${source.descriptor}`, what);
  if (!terminal.input.isTTY) throw new UsageError(`there is no terminal to ask for the ${what}: use --${what}-file or --${what}-fd`);
  const secret = await askHidden(terminal, question);
  if (secret === '') throw new UsageError(`no ${what} was given`);
  if (twice && (await askHidden(terminal, 'Once more: ')) !== secret) throw new UsageError(`the two ${what}s differ`);
  return secret;
}

async function fileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`the file ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
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

function firstLine(text: string, where: string, what: string): string {
  const line = /^[^\r\n]*/.exec(text)?.[0] ?? '';
  if (line === '') throw new UsageError(`the first line of ${where} is empty: it must be the ${what}`);
  return line;
}
