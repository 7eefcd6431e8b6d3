import { NAME_PATTERN } from '@sotto/protocol/limits';
import { UsageError } from '../command-line/usage-error.js';

/** Where a server is, who it is, and what lets one in: `sotto://HOST:PORT/#PIN/CODE[/NAME]`. */
export interface JoinLink {
  readonly host: string;
  readonly port: number;
  /** Lower-case hex of the server's identity, 32 bytes. */
  readonly pin: string;
  /** base64url; undefined when the link only points at the server. */
  readonly invite?: string | undefined;
  /** The name that the invite carries. */
  readonly name?: string | undefined;
}

export const PIN_PATTERN = /^[0-9a-f]{64}$/;
const CODE_PATTERN = /^[A-Za-z0-9_-]{1,256}$/;
const SCHEME = 'sotto://';
/** Host (IPv6 in brackets), port, and what stands behind the #. */
const ADDRESS = /^sotto:\/\/(\[[0-9a-f:.]+\]|[^\s/:#@?[\]]+):(\d{1,5})\/?#(\S*)$/i;

export function isJoinLink(text: string): boolean {
  return text.startsWith(SCHEME);
}

/** Pin and code stand behind `#`: what shortens or logs addresses does not get to see them. */
export function encodeJoinLink({ host, port, pin, invite, name }: JoinLink): string {
  const secret = [pin, invite, name].filter((part) => part !== undefined).join('/');
  return `${SCHEME}${hostForUrl(host)}:${port}/#${secret}`;
}

export function parseJoinLink(text: string): JoinLink {
  if (!isJoinLink(text)) throw broken('it does not start with sotto://');
  // Copied from a screen that is narrower than a link, it has the ends of its rows in it.
  const [, host = '', port = '', secret = ''] = ADDRESS.exec(text.replace(/\s+/gu, '')) ?? [];
  const [pin = '', invite, name, ...rest] = secret.split('/');
  if (port === '' || rest.length > 0) throw broken('it needs a host, a port and a pin');
  if (Number(port) < 1 || Number(port) > 65_535) throw broken('its port is not one');
  if (!PIN_PATTERN.test(pin)) throw broken('its pin is not 64 hexadecimal digits');
  if (invite !== undefined && !CODE_PATTERN.test(invite)) throw broken('its invite is cut short or altered');
  if (name !== undefined && !NAME_PATTERN.test(name)) throw broken('the name in it is not a legal name');
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port), pin, invite, name };
}

/** An IPv6 address needs brackets before a port. */
export function hostForUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function broken(why: string): UsageError {
  return new UsageError(`this is not a join link: ${why} (expected ${SCHEME}HOST:PORT/#PIN/CODE)`);
}
