import { readFile } from 'node:fs/promises';
import { closeSync, readSync } from 'node:fs';
import type { SecretSource } from '../command-line/secrets.js';
import { UsageError } from '../command-line/usage-error.js';
import { askHidden, type Terminal } from './hidden-prompt.js';
import { askNewSecret, SECRET_RULE, secretFault } from './new-secret.js';

const MAX_BYTES = 4_096;

/** @param isNew it must be long enough, and not have a slip of the finger in it. Throws UsageError. */
export function readPassword(source: SecretSource, terminal: Terminal, isNew: boolean): Promise<string> {
  return readSecret(source, terminal, isNew ? `New password (${SECRET_RULE}): ` : 'Password: ', { what: 'password', isNew });
}

/** Throws UsageError. */
export function readPassphrase(source: SecretSource, terminal: Terminal): Promise<string> {
  return readSecret(source, terminal, 'Passphrase of the recovery file: ', { what: 'passphrase', isNew: false });
}

/** Of an archive. @param isNew it is to be made. Throws UsageError. */
export function readArchivePassphrase(source: SecretSource, terminal: Terminal, isNew: boolean): Promise<string> {
  const question = isNew ? `New passphrase for the archive (${SECRET_RULE}): ` : 'Passphrase of the archive: ';
  return readSecret(source, terminal, question, { what: 'passphrase', isNew });
}

/** Of a store that belongs to no account at a server. @param isNew it is to be made. Throws UsageError. */
export function readStorePassphrase(source: SecretSource, terminal: Terminal, isNew: boolean): Promise<string> {
  const question = isNew ? `New passphrase for what is stored here (${SECRET_RULE}): ` : 'Passphrase: ';
  return readSecret(source, terminal, question, { what: 'passphrase', isNew });
}

async function readSecret(
  source: SecretSource,
  terminal: Terminal,
  question: string,
  { what, isNew }: { what: 'password' | 'passphrase'; isNew: boolean },
): Promise<string> {
  if (source.from !== 'prompt') {
    const given = await givenSecret(source, what);
    const fault = isNew ? secretFault(given) : undefined;
    if (fault !== undefined) throw new UsageError(`the ${what} is too short. ${fault}`);
    return given;
  }
  if (!terminal.input.isTTY) throw new UsageError(`there is no terminal to ask for the ${what}: use --${what}-file or --${what}-fd`);
  if (isNew) return askNewSecret((text) => askHidden(terminal, text), question);
  const secret = await askHidden(terminal, question);
  if (secret === '') throw new UsageError(`no ${what} was given`);
  return secret;
}

async function givenSecret(source: Exclude<SecretSource, { from: 'prompt' }>, what: string): Promise<string> {
  if (source.from === 'file') return firstLine(await fileText(source.path), source.path, what);
  return firstLine(descriptorText(source.descriptor), `descriptor ${source.descriptor}`, what);
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
