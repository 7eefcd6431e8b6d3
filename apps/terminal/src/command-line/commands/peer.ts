import { type Address, checkNewName, DEFAULT_PEER_PORT, givenPin, parsePeerAddress } from '../address.js';
import { PEER_HELP } from '../chat-help.js';
import { type CommandSpec, flag, noMore, type OptionSpecs, type ParsedOptions, valued, wholeNumber } from '../options.js';
import { KEY_FILE_OPTIONS, keyFileOf, type KeyFileSource, secretOptions, type SecretSource, secretSource } from '../secrets.js';
import { UsageError } from '../usage-error.js';

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

const NAME = valued('NAME', 'your name: 3 to 32 of a-z, 0-9 and _', { short: 'i' });

const STORE_OPTIONS: OptionSpecs = {
  ...secretOptions('passphrase', 'the passphrase of the store'),
  store: valued('FOLDER', 'where this device keeps its keys and messages\n(~/.local/share/sotto/peer/NAME)', { completes: 'folder' }),
  ...KEY_FILE_OPTIONS,
  plain: flag('line mode also on a terminal'),
  json: flag('one JSON object a line, in and out;\n{"do":"help"} lists the commands'),
};

export const LISTEN: CommandSpec<PeerCommand> = {
  summary: 'wait for others, and talk',
  usage: 'sotto listen [-p PORT] -i NAME [options]         wait for others, and talk without a server',
  options: {
    port: valued('PORT', `port to listen on; 0 takes a free one (${DEFAULT_PEER_PORT})`, { short: 'p' }),
    name: NAME,
    host: valued('ADDR', 'address to listen on; 0.0.0.0 for all (127.0.0.1)'),
    pin: valued('PIN', 'let in nobody new but the one with this pin', { short: 'k' }),
    'trust-new': flag('of those that /connect reaches: trust the key that they show the first time'),
    ...STORE_OPTIONS,
  },
  about: `It prints the line with which others reach you. Without -k whoever reaches the port and gives a name that you don't know
becomes a contact: compare safety numbers before you say anything. NAME, keys and messages stay in the store: the next
sotto listen or connect with it is the same person. The passphrase seals it, and is asked for without echo when no file is given.

${PEER_HELP}`,
  parse: (options) => {
    noMore(options, 0);
    const port = wholeNumber('--port', options.text('port') ?? String(DEFAULT_PEER_PORT), 0, 65_535);
    return peerCommand('listen', { host: options.text('host') ?? '127.0.0.1', port }, options);
  },
};

export const CONNECT: CommandSpec<PeerCommand> = {
  summary: 'talk to somebody who listens',
  usage: 'sotto connect HOST[:PORT] -i NAME [options]      talk to somebody who listens, without a server',
  options: {
    name: NAME,
    pin: valued('PIN', 'the pin of who is to be there, 64 hexadecimal digits', { short: 'k' }),
    'trust-new': flag('trust the key that a new peer shows the first time'),
    ...STORE_OPTIONS,
  },
  about: `A peer that you have not met shows its pin and the safety number, and you are asked before anything of you is told to it.
Its key is kept: when another one comes by its name, nothing is sent until you /confirm it. What you write while it is away
waits here. It keeps connected; who has never been reached ends the command.

${PEER_HELP}`,
  parse: (options) => {
    noMore(options, 1);
    const [text] = options.positionals;
    if (text === undefined) throw new UsageError('say where: sotto connect HOST:PORT -i NAME');
    return peerCommand('connect', parsePeerAddress(text), options);
  },
};

function peerCommand(command: PeerCommand['command'], address: Address, options: ParsedOptions): PeerCommand {
  const name = options.text('name');
  if (name === undefined) throw new UsageError('say who you are: -i NAME');
  checkNewName(name);
  return {
    command,
    ...address,
    name,
    pin: givenPin(options, undefined),
    trustNew: options.flag('trust-new'),
    passphrase: secretSource(options, 'passphrase'),
    store: options.text('store'),
    keyFile: keyFileOf(options),
    json: options.flag('json'),
    plain: options.flag('plain'),
  };
}
