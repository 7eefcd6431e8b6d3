import { isJoinLink, parseJoinLink, PIN_PATTERN } from '../link/join-link.js';
import { NAME_PATTERN, TAGGED_NAME_PATTERN } from '@sotto/protocol/limits';
import { type ParsedOptions, wholeNumber } from './options.js';
import { UsageError } from './usage-error.js';

export const DEFAULT_PORT = 7788;
export const DEFAULT_PEER_PORT = 7789;

/** A server as a link or an address names it. */
export interface JoinTarget {
  readonly host: string;
  readonly port: number;
  readonly name: string | undefined;
  readonly pin: string | undefined;
  readonly invite: string | undefined;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Host (IPv6 in brackets) and port. */
const ADDRESS = /^(\[[0-9a-f:.]+\]|[^\s/:#@?[\]]+)(?::(\d{1,5}))?$/i;

/** Undefined when the text is no HOST[:PORT]; `port` when it has none. Throws UsageError. */
export function parseAddress(text: string, defaultPort?: number): Address | undefined {
  const [, host, port = defaultPort?.toString()] = ADDRESS.exec(text) ?? [];
  if (host === undefined || port === undefined) return undefined;
  return { host: host.replace(/^\[|\]$/g, ''), port: wholeNumber('the port', port, 1, 65_535) };
}

/** LINK or HOST:PORT. Throws UsageError. */
export function parseTarget(text: string): JoinTarget {
  if (isJoinLink(text)) return { invite: undefined, name: undefined, ...parseJoinLink(text) };
  const address = parseAddress(text);
  if (address === undefined) throw new UsageError(`"${text}" is neither HOST:PORT nor a link that begins with sotto://`);
  return { ...address, name: undefined, pin: undefined, invite: undefined };
}

/** Throws UsageError. */
export function parsePeerAddress(text: string): Address {
  if (isJoinLink(text)) throw new UsageError('this link leads to a server: sotto join LINK');
  const address = parseAddress(text, DEFAULT_PEER_PORT);
  if (address === undefined) throw new UsageError(`"${text}" is no address: HOST:PORT`);
  return address;
}

/** After -k, or else what a link says. */
export function givenPin(options: ParsedOptions, pin: string | undefined): string | undefined {
  const given = options.text('pin')?.toLowerCase();
  if (given !== undefined && !PIN_PATTERN.test(given)) throw new UsageError('-k takes the pin: 64 hexadecimal digits');
  if (given !== undefined && pin !== undefined && given !== pin) throw new UsageError('the pin in the link is not the one after -k');
  return given ?? pin;
}

/** As the user says, or else the link. Throws UsageError: under another name than its own an invite would be spent on one with a tag. */
export function ownName(given: string | undefined, { name, invite }: Partial<Pick<JoinTarget, 'name' | 'invite'>>): string | undefined {
  const isOther = given !== undefined && name !== undefined && given !== name && !given.startsWith(`${name}.`);
  if (isOther && invite !== undefined)
    throw new UsageError(`this invite is for ${name}, not for ${given}: leave out ${given}, or ask for an invite without a name`);
  return given ?? name;
}

/** As an account is called; a server may have added a tag. */
export function checkName(name: string): void {
  if (!TAGGED_NAME_PATTERN.test(name)) throw noName(name);
}

/** As somebody may ask to be called. */
export function checkNewName(name: string): void {
  if (!NAME_PATTERN.test(name)) throw noName(name);
}

function noName(name: string): UsageError {
  const rule = 'a name is 3 to 32 of a-z, 0-9 and _';
  // As it stands in the lines that are there to be copied.
  return new UsageError(name === 'NAME' ? `put your own name in the place of NAME: ${rule}` : rule);
}
