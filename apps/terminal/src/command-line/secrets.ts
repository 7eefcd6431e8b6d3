import { resolve } from 'node:path';
import { type OptionSpecs, type ParsedOptions, flag, valued, wholeNumber } from './options.js';
import { UsageError } from './usage-error.js';

/** Where a password or passphrase comes from; never from the command line, which every process of the machine can read. */
export type SecretSource =
  | { readonly from: 'prompt' }
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'descriptor'; readonly descriptor: number };

/** A file of random bytes that opens the store, in place of a passphrase. */
export interface KeyFileSource {
  readonly path: string;
  /** It may be made when it is not there, without a question. */
  readonly isNew: boolean;
}

/** @param secret what it is, with its article */
export function secretOptions(what: 'password' | 'passphrase', secret: string): OptionSpecs {
  return {
    [`${what}-file`]: valued('F', `${secret} is the first line of F`, { completes: 'file' }),
    [`${what}-fd`]: valued('N', 'or the first line of descriptor N'),
  };
}

export const KEY_FILE_OPTIONS: OptionSpecs = {
  'key-file': valued(
    'F',
    'the random bytes in F (32 or more) open what is stored, instead of a secret\nto type; keep F elsewhere, and for you alone',
    {
      completes: 'file',
    },
  ),
  'new-key-file': flag('make F when it is not there'),
};

export function secretSource(options: ParsedOptions, what: 'password' | 'passphrase'): SecretSource {
  const path = options.text(`${what}-file`);
  const descriptor = options.text(`${what}-fd`);
  if (path !== undefined && descriptor !== undefined) throw new UsageError(`give --${what}-file or --${what}-fd, not both`);
  if (path !== undefined) return { from: 'file', path };
  if (descriptor !== undefined) return { from: 'descriptor', descriptor: wholeNumber(`--${what}-fd`, descriptor, 0, 1_023) };
  return { from: 'prompt' };
}

export function keyFileOf(options: ParsedOptions): KeyFileSource | undefined {
  const path = options.text('key-file');
  const isNew = options.flag('new-key-file');
  if (path === undefined && isNew) throw new UsageError('--new-key-file makes the file of --key-file FILE');
  return path === undefined ? undefined : { path: resolve(path), isNew };
}
