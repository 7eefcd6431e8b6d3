import { resolve } from 'node:path';
import { LIMITS } from '@sotto/protocol/limits';
import { isJoinLink, parseJoinLink } from '../../link/join-link.js';
import type { RememberedServer } from '../../servers/remembered-servers.js';
import { checkName, DEFAULT_PORT, givenPin, type JoinTarget, ownName, parseTarget } from '../address.js';
import { CHAT_HELP } from '../chat-help.js';
import { type CommandSpec, flag, noMore, type OptionSpecs, type ParsedOptions, valued, wholeNumber } from '../options.js';
import { KEY_FILE_OPTIONS, keyFileOf, type KeyFileSource, secretOptions, type SecretSource, secretSource } from '../secrets.js';
import { UsageError } from '../usage-error.js';

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

/** Which server, and whose account there. */
export const SERVER_OPTIONS: OptionSpecs = {
  to: valued('HOST', 'the server', { short: 't' }),
  port: valued('PORT', `its port (${DEFAULT_PORT})`, { short: 'p' }),
  pin: valued('PIN', "the server's identity, 64 hexadecimal digits", { short: 'k' }),
  tls: flag('the server is behind TLS'),
};

export const TRUST_NEW_OPTION: OptionSpecs = { 'trust-new': flag('trust the identity that the server shows the first time') };

const JOIN_OPTIONS: OptionSpecs = {
  ...SERVER_OPTIONS,
  name: valued('NAME', 'your name: 3 to 32 of a-z, 0-9 and _;\nto log in with its tag (alice.1234), if the server gave one', {
    short: 'i',
  }),
  ...TRUST_NEW_OPTION,
  invite: valued('CODE', 'register with this invite'),
  new: flag('register on a server that is open to everybody'),
  ...secretOptions('password', 'the password'),
  recovery: valued('FILE', 'let this new device in by a recovery file', { completes: 'file' }),
  ...secretOptions('passphrase', 'its passphrase'),
};

const LAST_OPTIONS: OptionSpecs = {
  ...KEY_FILE_OPTIONS,
  json: flag('one JSON object a line, in and out;\n{"do":"help"} lists the commands'),
};

export const JOIN: CommandSpec<JoinCommand> = {
  summary: 'log in (or register) and talk',
  usage: `sotto join -t HOST -p PORT -i NAME [options]     log in and talk
sotto join LINK [-i NAME]                        the same with what the link says`,
  options: {
    ...JOIN_OPTIONS,
    device: valued('NAME', 'what a new device calls itself while it waits to be let in;\nthe server sees it (sotto on SYSTEM)'),
    store: valued('FOLDER', 'where this device keeps its keys and messages\n(~/.local/share/sotto/HOST_PORT/NAME)', {
      completes: 'folder',
    }),
    plain: flag('line mode also on a terminal: what happens is printed line\nby line, as a screen reader can follow it'),
    ...LAST_OPTIONS,
  },
  about: `On a terminal it takes the whole screen (? shows the keys), and the account is remembered; without one, or where TERM is
dumb, it is line mode. NO_COLOR leaves the colours out. Through a pipe it ends when its input does and what was written has
left, after 10 s at most: then it shows what stays here, and ends with 1.

Without --invite or --new it only logs in. A log-in where nothing is stored makes a new device: it waits until another
device of yours lets it in, or --recovery is given. The password is asked for without echo when no file is given. It also
seals what this device stores: after /password the new one does; after a change on another device the old one, until /login.
With --key-file it does not: it is asked for only when there is to be a log-in.

${CHAT_HELP}`,
  parse: (options) => joinCommand('join', options),
};

export const MAILBOX: CommandSpec<JoinCommand> = {
  summary: 'a device of yours that is always on, and keeps for your others what they miss',
  usage: `sotto mailbox -t HOST -p PORT -i NAME [options]  a device of yours that is always on
sotto mailbox LINK [-i NAME]`,
  options: {
    ...JOIN_OPTIONS,
    device: valued('NAME', 'what it calls itself while it waits (sotto mailbox)'),
    store: valued('FOLDER', 'where it keeps its keys and messages\n(~/.local/share/sotto/HOST_PORT/NAME-mailbox)', { completes: 'folder' }),
    ...LAST_OPTIONS,
  },
  about: `The server keeps no messages. A mailbox takes part in all your conversations like a phone, and hands over to your other
devices what they missed while the senders were away. It holds your keys: run it on a machine that you trust, not on the
server of somebody else.
It is let in once, like every new device: by --recovery FILE; or from another of your devices by /approve there, then
/approve CODE on both. It is brought into each conversation by that other device while both are connected.

It prints a line when something happens, never what people wrote. /approve, /deny, /devices, /invisible, /help and /quit are
understood while its input is open. SIGTERM or Ctrl-C ends it when all that has arrived is stored; it ends with an error when its session is over.`,
  parse: (options) => joinCommand('mailbox', options),
};

function joinCommand(command: JoinCommand['command'], options: ParsedOptions): JoinCommand {
  return { ...joinOf(command, options), recovery: recoveryOf(options) };
}

/** All but what is done with a recovery file. Throws UsageError. */
export function joinOf(command: JoinCommand['command'], options: ParsedOptions): JoinCommand {
  noMore(options, 1);
  const { host, port, name, pin, invite } = joinTarget(command, options);
  if (name === undefined) throw new UsageError('say who you are: -i NAME');
  checkName(name);
  if (invite !== undefined && options.flag('new')) throw new UsageError('--new registers without an invite: give one or the other');
  return {
    command,
    host,
    port,
    name,
    pin,
    trustNew: options.flag('trust-new'),
    register: invite !== undefined || options.flag('new') ? { invite } : undefined,
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

function joinTarget(command: JoinCommand['command'], options: ParsedOptions): JoinTarget {
  const [text] = options.positionals;
  const name = options.text('name');
  if (text === undefined) {
    const host = options.text('to');
    if (host === undefined) throw new UsageError(`say where: sotto ${command} -t HOST -p PORT -i NAME, or sotto ${command} LINK`);
    const port = wholeNumber('--port', options.text('port') ?? String(DEFAULT_PORT), 1, 65_535);
    return { host, port, name, pin: givenPin(options, undefined), invite: options.text('invite') };
  }
  if (!isJoinLink(text))
    throw new UsageError(`"${text}" is no link: use sotto ${command} -t HOST -p PORT, or a link that begins with sotto://`);
  const link = parseJoinLink(text);
  if (options.flag('to') || options.flag('port')) throw new UsageError('a link names the server already: leave out -t and -p');
  const pin = givenPin(options, link.pin);
  const invite = options.text('invite') ?? link.invite;
  return { host: link.host, port: link.port, pin, name: ownName(name, link), invite };
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

// --- without a command line

/** What joins a server that is given as a link or as HOST:PORT. Throws UsageError. */
export function targetCommand(target: string, name: string | undefined): JoinCommand {
  const parsed = parseTarget(target);
  const { host, port, pin, invite } = parsed;
  const own = ownName(name, parsed);
  if (own === undefined) throw new UsageError('say who you are there: a NAME behind it');
  checkName(own);
  const joined = commandFor({ host, port, name: own, pin });
  return invite === undefined ? joined : { ...joined, register: { invite } };
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
