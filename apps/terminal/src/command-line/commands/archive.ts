import { isJoinLink } from '../../link/join-link.js';
import { type CommandSpec, flag, type ParsedOptions, valued } from '../options.js';
import { KEY_FILE_OPTIONS, secretOptions, type SecretSource, secretSource } from '../secrets.js';
import { UsageError } from '../usage-error.js';
import { type JoinCommand, joinOf, SERVER_OPTIONS, TRUST_NEW_OPTION } from './join.js';
import { JSON_OPTION, type StoredAccount, STORED_OPTIONS, storedAccount } from './stored-account.js';

export interface ExportCommand extends StoredAccount {
  readonly command: 'export';
  readonly file: string;
  /** Of the archive. */
  readonly passphrase: SecretSource;
}

export interface ImportCommand {
  readonly command: 'import';
  readonly file: string;
  readonly passphrase: SecretSource;
  readonly merge: boolean;
  /** Where the new device is to be. */
  readonly join: JoinCommand;
}

const PASSPHRASE_OPTIONS = secretOptions('passphrase', 'the passphrase of the archive');

export const EXPORT: CommandSpec<ExportCommand> = {
  summary: 'write what a device has into an archive',
  usage: `sotto export FILE -i NAME [options]              write what a device has into an archive
sotto export FILE LINK [-i NAME]`,
  options: { ...STORED_OPTIONS, ...PASSPHRASE_OPTIONS, ...JSON_OPTION },
  completes: 'file',
  about: `No server is needed, and no sotto may run with the store. FILE holds history, contacts with their keys, settings and the
account's key, sealed under a passphrase of its own. It holds no keys of the device: a copy of them would be used twice.
So sotto import makes a new device, which joins your groups anew. Messages that wait to be delivered stay where they are.`,
  parse: (options) => {
    const { file, others } = fileOf('export', options);
    return { command: 'export', file, passphrase: secretSource(options, 'passphrase'), ...storedAccount(others) };
  },
};

export const IMPORT: CommandSpec<ImportCommand> = {
  summary: 'make a new device from it',
  usage: `sotto import FILE -t HOST -p PORT -i NAME [options]   make a new device from an archive
sotto import FILE LINK [-i NAME]`,
  options: {
    name: valued('NAME', 'whose archive it is', { short: 'i' }),
    ...SERVER_OPTIONS,
    ...TRUST_NEW_OPTION,
    store: valued('FOLDER', 'where the new device is to keep its keys and messages', { completes: 'folder' }),
    merge: flag('into a store of the same account that has something: it gets the\nmessages and contacts that it lacks'),
    ...secretOptions('password', "the account's password"),
    ...KEY_FILE_OPTIONS,
    ...PASSPHRASE_OPTIONS,
    ...JSON_OPTION,
  },
  completes: 'file',
  about: `The archive is read whole before anything is written. The device logs in with the password, and the account's key in the
archive confirms it; when the server is away the next sotto join does that. Your other devices bring it into your groups
while they and it are connected. An import that was cut off: the same again with --merge.`,
  parse: (options) => {
    const { file, others } = fileOf('import', options);
    const passphrase = secretSource(options, 'passphrase');
    return { command: 'import', file, passphrase, merge: options.flag('merge'), join: joinOf('join', others) };
  },
};

function fileOf(command: 'export' | 'import', options: ParsedOptions): { readonly file: string; readonly others: ParsedOptions } {
  const [file, ...positionals] = options.positionals;
  if (file === undefined || isJoinLink(file)) throw new UsageError(`say which file: sotto ${command} FILE -t HOST -p PORT -i NAME`);
  return { file, others: { ...options, positionals } };
}
