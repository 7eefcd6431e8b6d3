import { resolve } from 'node:path';
import { LIMITS, NAME_PATTERN, TAGGED_NAME_PATTERN } from '@sotto/protocol';
import type { InspectedServer } from '../doctor/server-check.js';
import { isJoinLink, parseJoinLink, PIN_PATTERN } from '../link/join-link.js';
import type { RememberedServer } from '../servers/remembered-servers.js';
import { type Shell, SHELLS } from './shells.js';
import { type OptionSpecs, type ParsedOptions, parseOptions, wholeNumber } from './options.js';
import { didYouMean } from './suggestion.js';
import { UsageError } from './usage-error.js';

export const DEFAULT_PORT = 7788;
const DEFAULT_PEER_PORT = 7789;
const DEFAULT_SIZE = 1_000;
const DEFAULT_RETRY_WINDOW_SECONDS = 30;
const MAX_RETRY_WINDOW_SECONDS = 24 * 3_600;

export type Registration = 'invite' | 'open' | 'closed';

export interface HostCommand {
  readonly command: 'host';
  readonly host: string;
  readonly port: number;
  /** Most open connections. */
  readonly size: number;
  readonly data: string | undefined;
  readonly registration: Registration;
  readonly serverName: string | undefined;
  readonly retryWindowSeconds: number;
  readonly json: boolean;
}

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

/** `mailbox`: a device that nobody sits at. */
export interface JoinCommand {
  readonly command: 'join' | 'mailbox';
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly pin: string | undefined;
  readonly trustNew: boolean;
  /** Undefined: log in, never register. */
  readonly register: { readonly invite: string | undefined } | undefined;
  readonly password: SecretSource;
  /** A new device is confirmed by this file instead of by another device. */
  readonly recovery: { readonly file: string; readonly passphrase: SecretSource } | undefined;
  /** What a new device calls itself while it waits. */
  readonly deviceName: string;
  readonly store: string | undefined;
  /** Absent: the password opens the store. */
  readonly keyFile?: KeyFileSource | undefined;
  readonly tls: boolean;
  readonly json: boolean;
  /** Line mode also on a terminal. */
  readonly plain: boolean;
}

/** Talks to peers without a server. */
export interface PeerCommand {
  readonly command: 'listen' | 'connect';
  /** Where it listens, or whom it dials. */
  readonly host: string;
  readonly port: number;
  readonly name: string;
  /** Of the peer that is expected. */
  readonly pin: string | undefined;
  /** Of those that it dials. */
  readonly trustNew: boolean;
  readonly passphrase: SecretSource;
  readonly store: string | undefined;
  /** Absent: the passphrase opens the store. */
  readonly keyFile?: KeyFileSource | undefined;
  readonly json: boolean;
  /** Line mode also on a terminal. */
  readonly plain: boolean;
}

/** Undefined `at`: the account of that name that is remembered. */
interface StoredAccount {
  readonly name: string;
  readonly at: JoinCommand | undefined;
  readonly store: string | undefined;
  readonly keyFile: KeyFileSource | undefined;
  readonly password: SecretSource;
  readonly json: boolean;
}

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

export interface PanicCommand extends StoredAccount {
  readonly command: 'panic';
  readonly everywhere: boolean;
  /** Ask nothing. */
  readonly yes: boolean;
}

/** `sotto` alone: all remembered accounts. */
export interface OpenCommand {
  readonly command: 'open';
  readonly password: SecretSource;
}

export type ServersCommand = { readonly command: 'servers'; readonly json: boolean } & (
  | { readonly action: 'list' }
  | { readonly action: 'add'; readonly server: RememberedServer }
  | { readonly action: 'remove'; readonly address: string; readonly name: string | undefined }
);

export interface InviteCommand {
  readonly command: 'invite';
  readonly name: string | undefined;
  readonly data: string | undefined;
  readonly json: boolean;
}

export interface CompletionCommand {
  readonly command: 'completion';
  readonly shell: Shell;
}

/** Looks at one account or server, or at all that are remembered. */
export interface DoctorCommand {
  readonly command: 'doctor';
  readonly server: InspectedServer | undefined;
  /** Undefined: what needs the password is not looked at. It is never asked for. */
  readonly password: SecretSource | undefined;
  readonly json: boolean;
}

export type Command =
  | HostCommand
  | JoinCommand
  | PeerCommand
  | OpenCommand
  | ServersCommand
  | InviteCommand
  | CompletionCommand
  | DoctorCommand
  | ExportCommand
  | ImportCommand
  | PanicCommand
  | { readonly command: 'help'; readonly about?: string }
  | { readonly command: 'version' };

const HELP = { help: { type: 'boolean', short: 'h' } } as const;

const KEY_FILE = { 'key-file': { type: 'string' }, 'new-key-file': { type: 'boolean' } } as const satisfies OptionSpecs;

const JOIN = {
  ...HELP,
  ...KEY_FILE,
  to: { type: 'string', short: 't' },
  port: { type: 'string', short: 'p' },
  name: { type: 'string', short: 'i' },
  pin: { type: 'string', short: 'k' },
  invite: { type: 'string' },
  new: { type: 'boolean' },
  'password-file': { type: 'string' },
  'password-fd': { type: 'string' },
  recovery: { type: 'string' },
  'passphrase-file': { type: 'string' },
  'passphrase-fd': { type: 'string' },
  device: { type: 'string' },
  'trust-new': { type: 'boolean' },
  store: { type: 'string' },
  tls: { type: 'boolean' },
  json: { type: 'boolean' },
} as const satisfies OptionSpecs;

const CONNECT = {
  ...HELP,
  ...KEY_FILE,
  name: { type: 'string', short: 'i' },
  pin: { type: 'string', short: 'k' },
  'trust-new': { type: 'boolean' },
  'passphrase-file': { type: 'string' },
  'passphrase-fd': { type: 'string' },
  store: { type: 'string' },
  plain: { type: 'boolean' },
  json: { type: 'boolean' },
} as const satisfies OptionSpecs;

const OPEN = {
  ...HELP,
  'password-file': { type: 'string' },
  'password-fd': { type: 'string' },
} as const satisfies OptionSpecs;

/** What tells which stored account is meant. */
const STORED = {
  ...HELP,
  to: { type: 'string', short: 't' },
  port: { type: 'string', short: 'p' },
  name: { type: 'string', short: 'i' },
  pin: { type: 'string', short: 'k' },
  store: { type: 'string' },
  tls: { type: 'boolean' },
  'key-file': { type: 'string' },
  'password-file': { type: 'string' },
  'password-fd': { type: 'string' },
  json: { type: 'boolean' },
} as const satisfies OptionSpecs;

const ARCHIVE = { ...STORED, 'passphrase-file': { type: 'string' }, 'passphrase-fd': { type: 'string' } } as const satisfies OptionSpecs;

/** Of each command; completion is made from it. */
export const OPTIONS = {
  host: {
    ...HELP,
    port: { type: 'string', short: 'p' },
    size: { type: 'string', short: 's' },
    host: { type: 'string' },
    data: { type: 'string' },
    registration: { type: 'string' },
    name: { type: 'string' },
    'retry-window': { type: 'string' },
    json: { type: 'boolean' },
  },
  join: { ...JOIN, plain: { type: 'boolean' } },
  mailbox: JOIN,
  listen: { ...CONNECT, port: { type: 'string', short: 'p' }, host: { type: 'string' } },
  connect: CONNECT,
  servers: {
    ...HELP,
    name: { type: 'string', short: 'i' },
    pin: { type: 'string', short: 'k' },
    store: { type: 'string' },
    tls: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  invite: { ...HELP, data: { type: 'string' }, json: { type: 'boolean' } },
  doctor: {
    ...HELP,
    name: { type: 'string', short: 'i' },
    pin: { type: 'string', short: 'k' },
    'password-file': { type: 'string' },
    'password-fd': { type: 'string' },
    store: { type: 'string' },
    tls: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  completion: HELP,
  export: ARCHIVE,
  import: { ...ARCHIVE, merge: { type: 'boolean' }, 'trust-new': { type: 'boolean' }, 'new-key-file': { type: 'boolean' } },
  panic: { ...STORED, everywhere: { type: 'boolean' }, yes: { type: 'boolean' } },
} as const satisfies Record<string, OptionSpecs>;

const COMMANDS = Object.keys(OPTIONS) as (keyof typeof OPTIONS)[];
const isCommand = (word: string): word is keyof typeof OPTIONS => COMMANDS.some((each) => each === word);

/** Throws UsageError. */
export function parseCommand(argv: readonly string[]): Command {
  const [word, ...rest] = argv;
  if (word === '--help' || word === '-h') return { command: 'help' };
  if (word === 'help') return rest[0] === undefined ? { command: 'help' } : { command: 'help', about: rest[0] };
  if (word === '--version' || word === '-v') return { command: 'version' };
  if (word === undefined || word.startsWith('--password-')) return openCommand(argv);
  if (!isCommand(word)) {
    throw new UsageError(`there is no command "${word}"${didYouMean(word, COMMANDS, 'sotto ')}`);
  }
  const options = parseOptions(word, rest, OPTIONS[word]);
  if (options.flag('help')) return { command: 'help', about: word };
  if (word === 'host') return hostCommand(options);
  if (word === 'listen' || word === 'connect') return peerCommand(word, options);
  if (word === 'servers') return serversCommand(options);
  if (word === 'doctor') return doctorCommand(options);
  if (word === 'completion') return completionCommand(options);
  if (word === 'export' || word === 'import') return archiveCommand(word, options);
  if (word === 'panic') return panicCommand(options);
  return word === 'invite' ? inviteCommand(options) : joinCommand(word, options);
}

function hostCommand(options: ParsedOptions): HostCommand {
  noMore(options, 0);
  const registration = options.text('registration') ?? 'invite';
  if (registration !== 'invite' && registration !== 'open' && registration !== 'closed') {
    throw new UsageError(`--registration is invite, open or closed${didYouMean(registration, ['invite', 'open', 'closed'])}`);
  }
  return {
    command: 'host',
    host: options.text('host') ?? '127.0.0.1',
    port: wholeNumber('--port', options.text('port') ?? String(DEFAULT_PORT), 0, 65_535),
    size: wholeNumber('--size', options.text('size') ?? String(DEFAULT_SIZE), 1, 1_000_000),
    data: options.text('data'),
    registration,
    serverName: options.text('name'),
    retryWindowSeconds: wholeNumber(
      '--retry-window',
      options.text('retry-window') ?? String(DEFAULT_RETRY_WINDOW_SECONDS),
      0,
      MAX_RETRY_WINDOW_SECONDS,
    ),
    json: options.flag('json'),
  };
}

function joinCommand(command: JoinCommand['command'], options: ParsedOptions): JoinCommand {
  return { ...joinOf(command, options), recovery: recoveryOf(options) };
}

function joinOf(command: JoinCommand['command'], options: ParsedOptions): JoinCommand {
  noMore(options, 1);
  const target = joinTarget(command, options);
  if (target.name === undefined) throw new UsageError('say who you are: -i NAME');
  if (!TAGGED_NAME_PATTERN.test(target.name)) throw new UsageError('a name is 3 to 32 of a-z, 0-9 and _');
  if (target.pin !== undefined && !PIN_PATTERN.test(target.pin)) throw new UsageError('-k takes the pin: 64 hexadecimal digits');
  if (target.invite !== undefined && options.flag('new')) throw new UsageError('--new registers without an invite: give one or the other');
  return {
    command,
    host: target.host,
    port: target.port,
    name: target.name,
    pin: target.pin,
    trustNew: options.flag('trust-new'),
    register: target.invite !== undefined || options.flag('new') ? { invite: target.invite } : undefined,
    password: secretSource(options, 'password'),
    recovery: undefined,
    deviceName: deviceNameOf(command, options),
    store: options.text('store'),
    keyFile: keyFileOf(options),
    tls: options.flag('tls'),
    json: options.flag('json'),
    plain: options.flag('plain'),
  };
}

function openCommand(argv: readonly string[]): OpenCommand {
  const options = parseOptions('', argv, OPEN);
  noMore(options, 0);
  return { command: 'open', password: secretSource(options, 'password') };
}

// --- servers

function serversCommand(options: ParsedOptions): ServersCommand {
  const [action = 'list', target] = options.positionals;
  const json = options.flag('json');
  noMore(options, action === 'list' ? 1 : 2);
  switch (action) {
    case 'list':
      return { command: 'servers', action, json };
    case 'add':
      if (target === undefined) throw new UsageError('say which: sotto servers add LINK|HOST:PORT -i NAME');
      return { command: 'servers', action, server: rememberedServer(target, options), json };
    case 'remove':
      if (target === undefined) throw new UsageError('say which: sotto servers remove HOST:PORT [-i NAME]');
      return { command: 'servers', action, address: target, name: options.text('name'), json };
    default:
      throw new UsageError(`there is no sotto servers ${action}${didYouMean(action, ['add', 'remove', 'list'], 'sotto servers ')}`);
  }
}

function rememberedServer(target: string, options: ParsedOptions): RememberedServer {
  const own = options.text('name');
  if (own === undefined && !isJoinLink(target)) throw new UsageError('say who you are there: -i NAME');
  const { host, port, pin, name, register } = targetCommand(target, own);
  if (register !== undefined) throw new UsageError('this link registers: sotto join LINK -i NAME does that, and remembers it');
  const store = options.text('store');
  return {
    host,
    port,
    name,
    pin: givenPin(options, pin),
    ...(options.flag('tls') && { tls: true }),
    ...(store !== undefined && { store: resolve(store) }),
  };
}

/** After -k, or else what a link says. */
function givenPin(options: ParsedOptions, pin: string | undefined): string | undefined {
  const given = options.text('pin')?.toLowerCase();
  if (given !== undefined && !PIN_PATTERN.test(given)) throw new UsageError('-k takes the pin: 64 hexadecimal digits');
  if (given !== undefined && pin !== undefined && given !== pin) throw new UsageError('the pin in the link is not the one after -k');
  return given ?? pin;
}

// --- doctor

function doctorCommand(options: ParsedOptions): DoctorCommand {
  noMore(options, 1);
  const [target] = options.positionals;
  const source = secretSource(options, 'password');
  const aboutOne = ['name', 'pin', 'store', 'tls'].filter((name) => options.flag(name));
  if (target === undefined && aboutOne.length > 0) throw new UsageError(`--${aboutOne[0]} is of one server: sotto doctor LINK|HOST:PORT`);
  return {
    command: 'doctor',
    server: target === undefined ? undefined : inspectedServer(target, options),
    password: source.from === 'prompt' ? undefined : source,
    json: options.flag('json'),
  };
}

function inspectedServer(target: string, options: ParsedOptions): InspectedServer {
  const link = isJoinLink(target) ? parseJoinLink(target) : addressed(target);
  const store = options.text('store');
  const name = options.text('name') ?? link.name;
  if (name !== undefined && !TAGGED_NAME_PATTERN.test(name)) throw new UsageError('a name is 3 to 32 of a-z, 0-9 and _');
  return {
    host: link.host,
    port: link.port,
    name,
    pin: givenPin(options, link.pin),
    tls: options.flag('tls'),
    store: store === undefined ? undefined : resolve(store),
  };
}

function completionCommand(options: ParsedOptions): CompletionCommand {
  noMore(options, 1);
  const [word = ''] = options.positionals;
  const shell = SHELLS.find((each) => each === word);
  if (shell === undefined) throw new UsageError(`say for which shell: sotto completion ${SHELLS.join('|')}`);
  return { command: 'completion', shell };
}

const ADDRESS = /^(\[[0-9a-f:.]+\]|[^\s/:#@?[\]]+):(\d{1,5})$/i;

/** What joins a server that is given as a link or as HOST:PORT. Throws UsageError. */
export function targetCommand(target: string, name: string | undefined): JoinCommand {
  const link = isJoinLink(target) ? parseJoinLink(target) : addressed(target);
  const own = name ?? link.name;
  if (own === undefined) throw new UsageError('say who you are there: a NAME behind it');
  if (!TAGGED_NAME_PATTERN.test(own)) throw new UsageError('a name is 3 to 32 of a-z, 0-9 and _');
  const { host, port, pin, invite } = link;
  const joined = commandFor({ host, port, name: own, pin });
  return invite === undefined ? joined : { ...joined, register: { invite } };
}

function addressed(text: string): JoinTarget {
  const [, host, port] = ADDRESS.exec(text) ?? [];
  if (host === undefined) throw new UsageError(`"${text}" is neither HOST:PORT nor a link that begins with sotto://`);
  const bare = host.replace(/^\[|\]$/g, '');
  return { host: bare, port: wholeNumber('the port', port ?? '', 1, 65_535), name: undefined, pin: undefined, invite: undefined };
}

/** What opens an account that is remembered. */
export function commandFor({ host, port, name, pin, tls = false, store, keyFile }: RememberedServer): JoinCommand {
  return {
    command: 'join',
    host,
    port,
    name,
    pin,
    trustNew: false,
    register: undefined,
    password: { from: 'prompt' },
    recovery: undefined,
    deviceName: defaultDeviceName('join'),
    store,
    keyFile: keyFile === undefined ? undefined : { path: keyFile, isNew: false },
    tls,
    json: false,
    plain: false,
  };
}

/** What is remembered of one that is open. */
export function serverOf({ host, port, name, pin, tls, store, keyFile }: JoinCommand): RememberedServer {
  const where = { ...(store !== undefined && { store: resolve(store) }), ...(keyFile !== undefined && { keyFile: keyFile.path }) };
  return { host, port, name, pin, ...(tls && { tls }), ...where };
}

// --- what is stored

function archiveCommand(command: 'export' | 'import', options: ParsedOptions): ExportCommand | ImportCommand {
  const [file, ...rest] = options.positionals;
  if (file === undefined || isJoinLink(file)) throw new UsageError(`say which file: sotto ${command} FILE -t HOST -p PORT -i NAME`);
  const others = { ...options, positionals: rest };
  const passphrase = secretSource(options, 'passphrase');
  if (command === 'export') return { command, file, passphrase, ...storedAccount(others) };
  return { command, file, passphrase, merge: options.flag('merge'), join: joinOf('join', others) };
}

function panicCommand(options: ParsedOptions): PanicCommand {
  return { command: 'panic', everywhere: options.flag('everywhere'), yes: options.flag('yes'), ...storedAccount(options) };
}

function storedAccount(options: ParsedOptions): StoredAccount {
  noMore(options, 1);
  const isNamed = options.flag('to') || options.positionals.length > 0;
  const loose = ['port', 'pin', 'tls'].find((each) => !isNamed && options.flag(each));
  if (loose !== undefined) throw new UsageError(`--${loose} goes with -t HOST: without it the account is one that is remembered`);
  const at = isNamed ? joinOf('join', options) : undefined;
  const name = at?.name ?? options.text('name');
  if (name === undefined) throw new UsageError('say whose: -i NAME, and -t HOST -p PORT where several servers are remembered');
  const store = options.text('store');
  const keyFile = keyFileOf(options);
  return {
    name,
    at,
    store: store === undefined ? undefined : resolve(store),
    keyFile,
    password: secretSource(options, 'password'),
    json: options.flag('json'),
  };
}

function keyFileOf(options: ParsedOptions): KeyFileSource | undefined {
  const path = options.text('key-file');
  const isNew = options.flag('new-key-file');
  if (path === undefined && isNew) throw new UsageError('--new-key-file makes the file of --key-file FILE');
  return path === undefined ? undefined : { path: resolve(path), isNew };
}

// --- where to join

interface JoinTarget {
  readonly host: string;
  readonly port: number;
  readonly name: string | undefined;
  readonly pin: string | undefined;
  readonly invite: string | undefined;
}

function joinTarget(command: JoinCommand['command'], options: ParsedOptions): JoinTarget {
  const [text] = options.positionals;
  const name = options.text('name');
  const pin = options.text('pin')?.toLowerCase();
  if (text === undefined) {
    const host = options.text('to');
    if (host === undefined) throw new UsageError(`say where: sotto ${command} -t HOST -p PORT -i NAME, or sotto ${command} LINK`);
    const port = wholeNumber('--port', options.text('port') ?? String(DEFAULT_PORT), 1, 65_535);
    return { host, port, name, pin, invite: options.text('invite') };
  }
  if (!isJoinLink(text))
    throw new UsageError(`"${text}" is no link: use sotto ${command} -t HOST -p PORT, or a link that begins with sotto://`);
  const link = parseJoinLink(text);
  if (options.flag('to') || options.flag('port')) throw new UsageError('a link names the server already: leave out -t and -p');
  if (pin !== undefined && pin !== link.pin) throw new UsageError('the pin in the link is not the one after -k');
  return { host: link.host, port: link.port, pin: link.pin, name: name ?? link.name, invite: options.text('invite') ?? link.invite };
}

function peerCommand(command: PeerCommand['command'], options: ParsedOptions): PeerCommand {
  noMore(options, command === 'listen' ? 0 : 1);
  const name = options.text('name');
  if (name === undefined) throw new UsageError('say who you are: -i NAME');
  if (!NAME_PATTERN.test(name)) throw new UsageError('a name is 3 to 32 of a-z, 0-9 and _');
  const pin = options.text('pin')?.toLowerCase();
  if (pin !== undefined && !PIN_PATTERN.test(pin)) throw new UsageError('-k takes the pin of the peer: 64 hexadecimal digits');
  return {
    command,
    ...(command === 'listen' ? listenAddress(options) : dialAddress(options)),
    name,
    pin,
    trustNew: options.flag('trust-new'),
    passphrase: secretSource(options, 'passphrase'),
    store: options.text('store'),
    keyFile: keyFileOf(options),
    json: options.flag('json'),
    plain: options.flag('plain'),
  };
}

function listenAddress(options: ParsedOptions): PeerAddress {
  const port = wholeNumber('--port', options.text('port') ?? String(DEFAULT_PEER_PORT), 0, 65_535);
  return { host: options.text('host') ?? '127.0.0.1', port };
}

function dialAddress(options: ParsedOptions): PeerAddress {
  const [text] = options.positionals;
  if (text === undefined) throw new UsageError('say where: sotto connect HOST:PORT -i NAME');
  return parsePeerAddress(text);
}

export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

/** Host (IPv6 in brackets), and a port unless it is the usual one. */
const PEER_ADDRESS = /^(\[[0-9a-f:.]+\]|[^\s/:#@?[\]]+)(?::(\d{1,5}))?$/i;

/** Throws UsageError. */
export function parsePeerAddress(text: string): PeerAddress {
  if (isJoinLink(text)) throw new UsageError('this link leads to a server: sotto join LINK');
  const [, host, port = String(DEFAULT_PEER_PORT)] = PEER_ADDRESS.exec(text) ?? [];
  if (host === undefined) throw new UsageError(`"${text}" is no address: HOST:PORT`);
  return { host: host.replace(/^\[|\]$/g, ''), port: wholeNumber('the port', port, 1, 65_535) };
}

function secretSource(options: ParsedOptions, what: 'password' | 'passphrase'): SecretSource {
  const path = options.text(`${what}-file`);
  const descriptor = options.text(`${what}-fd`);
  if (path !== undefined && descriptor !== undefined) throw new UsageError(`give --${what}-file or --${what}-fd, not both`);
  if (path !== undefined) return { from: 'file', path };
  if (descriptor !== undefined) return { from: 'descriptor', descriptor: wholeNumber(`--${what}-fd`, descriptor, 0, 1_023) };
  return { from: 'prompt' };
}

function recoveryOf(options: ParsedOptions): JoinCommand['recovery'] {
  const file = options.text('recovery');
  if (file !== undefined) return { file, passphrase: secretSource(options, 'passphrase') };
  if (options.flag('passphrase-file') || options.flag('passphrase-fd'))
    throw new UsageError('a passphrase opens a recovery file: --recovery FILE');
  return undefined;
}

/** Not the machine's name unless the user says so: the server sees it. */
function deviceNameOf(command: JoinCommand['command'], options: ParsedOptions): string {
  const name = options.text('device') ?? defaultDeviceName(command);
  if (Buffer.byteLength(name) > LIMITS.deviceNameBytes) throw new UsageError(`--device is at most ${LIMITS.deviceNameBytes} bytes long`);
  return name;
}

function defaultDeviceName(command: JoinCommand['command']): string {
  return command === 'mailbox' ? 'sotto mailbox' : `sotto on ${process.platform}`;
}

function inviteCommand(options: ParsedOptions): InviteCommand {
  noMore(options, 1);
  const [name] = options.positionals;
  if (name !== undefined && !NAME_PATTERN.test(name)) throw new UsageError('a name is 3 to 32 of a-z, 0-9 and _');
  return { command: 'invite', name, data: options.text('data'), json: options.flag('json') };
}

function noMore(options: ParsedOptions, allowed: number): void {
  const extra = options.positionals[allowed];
  if (extra !== undefined) throw new UsageError(`"${extra}" is one word too many`);
}
