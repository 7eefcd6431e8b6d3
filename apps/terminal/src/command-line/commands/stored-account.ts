import { resolve } from 'node:path';
import { flag, noMore, type OptionSpecs, type ParsedOptions, valued } from '../options.js';
import { KEY_FILE_OPTIONS, keyFileOf, type KeyFileSource, secretOptions, type SecretSource, secretSource } from '../secrets.js';
import { UsageError } from '../usage-error.js';
import { type JoinCommand, joinOf, SERVER_OPTIONS } from './join.js';

/** Undefined `at`: the account of that name that is remembered. */
export interface StoredAccount {
  readonly name: string;
  readonly at: JoinCommand | undefined;
  readonly store: string | undefined;
  readonly keyFile: KeyFileSource | undefined;
  readonly password: SecretSource;
  readonly json: boolean;
}

/** What tells which stored account is meant, and what opens it. */
export const STORED_OPTIONS: OptionSpecs = {
  name: valued('NAME', 'whose; one that is remembered needs no more than that', { short: 'i' }),
  ...SERVER_OPTIONS,
  store: valued(
    'FOLDER',
    "where the device is, when not in the usual place. A mailbox's is\n~/.local/share/sotto/HOST_PORT/NAME-mailbox, and has to be said",
    { completes: 'folder' },
  ),
  ...secretOptions('password', 'the password that opens it'),
  ...(KEY_FILE_OPTIONS['key-file'] !== undefined && { 'key-file': KEY_FILE_OPTIONS['key-file'] }),
};

export const JSON_OPTION: OptionSpecs = { json: flag('one JSON object a line') };

/** Throws UsageError. */
export function storedAccount(options: ParsedOptions): StoredAccount {
  noMore(options, 1);
  const isNamed = options.flag('to') || options.positionals.length > 0;
  const loose = ['port', 'pin', 'tls'].find((each) => !isNamed && options.flag(each));
  if (loose !== undefined) throw new UsageError(`--${loose} goes with -t HOST: without it the account is one that is remembered`);
  const at = isNamed ? joinOf('join', options) : undefined;
  const name = at?.name ?? options.text('name');
  if (name === undefined) throw new UsageError('say whose: -i NAME, and -t HOST -p PORT where several servers are remembered');
  const store = options.text('store');
  return {
    name,
    at,
    store: store === undefined ? undefined : resolve(store),
    keyFile: keyFileOf(options),
    password: secretSource(options, 'password'),
    json: options.flag('json'),
  };
}
