import { type Address, DEFAULT_PORT, parseAddress } from '../address.js';
import { type CommandSpec, flag, noMore, type ParsedOptions, valued, wholeNumber } from '../options.js';
import { didYouMean } from '../suggestion.js';
import { UsageError } from '../usage-error.js';

const DEFAULT_SIZE = 1_000;
const DEFAULT_RETRY_WINDOW_SECONDS = 30;
const MAX_RETRY_WINDOW_SECONDS = 24 * 3_600;
const REGISTRATIONS = ['invite', 'open', 'closed'] as const;

export type Registration = (typeof REGISTRATIONS)[number];

/** What others reach the server by. Without a port: the one that it listens on. */
export type PublicAddress = Pick<Address, 'host'> & Partial<Address>;

export interface HostCommand {
  readonly command: 'host';
  readonly host: string;
  readonly port: number;
  /** Undefined: where it listens. */
  readonly publicAddress: PublicAddress | undefined;
  /** Most open connections. */
  readonly size: number;
  readonly data: string | undefined;
  readonly registration: Registration;
  readonly serverName: string | undefined;
  readonly retryWindowSeconds: number;
  readonly json: boolean;
}

export const HOST: CommandSpec<HostCommand> = {
  summary: 'start a server on this machine',
  usage: 'sotto host [-p PORT] [-s SIZE] [options]     start a server on this machine',
  options: {
    port: valued('PORT', `port to listen on; 0 takes a free one (${DEFAULT_PORT})`, { short: 'p' }),
    size: valued('SIZE', `most open connections; one more is refused (${DEFAULT_SIZE})`, { short: 's' }),
    host: valued('ADDR', 'address to listen on; 0.0.0.0 for all (127.0.0.1)'),
    public: valued(
      'HOST:PORT',
      'what others reach it by: links and lines to join with name it.\nHOST alone: with the port that it listens on',
    ),
    data: valued('FOLDER', "where accounts and the server's identity are kept\n(~/.local/share/sotto/server)", { completes: 'folder' }),
    registration: valued('WHO', 'invite, open or closed (invite)', { completes: REGISTRATIONS }),
    name: valued('NAME', "part of every account's credentials: never change it (localhost)"),
    'retry-window': valued(
      'SECS',
      `how long a message waits in memory for someone who just left,\n0 to 86400 (${DEFAULT_RETRY_WINDOW_SECONDS})`,
    ),
    json: flag('one JSON object a line'),
  },
  about: `It prints the address, the server's pin, an invite link and the line with which to join. Ctrl-C ends it.
Behind a proxy that ends TLS, --public is the proxy's address, and whoever joins adds --tls.`,
  parse: (options) => {
    noMore(options, 0);
    return {
      command: 'host',
      host: options.text('host') ?? '127.0.0.1',
      port: wholeNumber('--port', options.text('port') ?? String(DEFAULT_PORT), 0, 65_535),
      publicAddress: publicAddressOf(options),
      size: wholeNumber('--size', options.text('size') ?? String(DEFAULT_SIZE), 1, 1_000_000),
      data: options.text('data'),
      registration: registrationOf(options),
      serverName: options.text('name'),
      retryWindowSeconds: retryWindowOf(options),
      json: options.flag('json'),
    };
  },
};

function publicAddressOf(options: ParsedOptions): PublicAddress | undefined {
  const text = options.text('public');
  if (text === undefined) return undefined;
  const address = parseAddress(text) ?? { host: parseAddress(text, DEFAULT_PORT)?.host };
  const { host } = address;
  if (host === undefined || host === '0.0.0.0' || host === '::')
    throw new UsageError(`--public is HOST:PORT or HOST as others reach this server, such as chat.example.org:443, not "${text}"`);
  return { ...address, host };
}

function registrationOf(options: ParsedOptions): Registration {
  const text = options.text('registration') ?? 'invite';
  const registration = REGISTRATIONS.find((each) => each === text);
  if (registration === undefined) throw new UsageError(`--registration is invite, open or closed${didYouMean(text, REGISTRATIONS)}`);
  return registration;
}

function retryWindowOf(options: ParsedOptions): number {
  const text = options.text('retry-window') ?? String(DEFAULT_RETRY_WINDOW_SECONDS);
  return wholeNumber('--retry-window', text, 0, MAX_RETRY_WINDOW_SECONDS);
}
