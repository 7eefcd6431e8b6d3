import { causesOf, textOf } from './causes.js';
import { errorName } from './describe-error.js';

const REFUSED = 'it refuses the user or password';
const NOT_FOUND = 'host not found';
const NO_CONNECTION = 'connection refused';
const NO_ANSWER = 'no answer';
const BROKEN = 'the connection broke';
const NO_TLS = 'TLS fails';

/** Codes of Node and of PostgreSQL (SQLSTATE). */
const WHY_BY_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: NO_CONNECTION,
  ENOTFOUND: NOT_FOUND,
  EAI_AGAIN: NOT_FOUND,
  EHOSTUNREACH: 'no route to its host',
  ENETUNREACH: 'no route to its host',
  ETIMEDOUT: NO_ANSWER,
  ECONNRESET: BROKEN,
  EPIPE: BROKEN,
  '28000': REFUSED,
  '28P01': REFUSED,
  '3D000': 'there is no such database',
  '42501': 'its user may not do what is needed',
  '42P01': 'its tables are not there: have the migrations run?',
  '53100': 'its disk is full',
  '53300': 'it has too many connections',
  '57P03': 'it is starting',
};
/** What NATS, Redis and the drivers say; the first that fits counts. */
const WHY_BY_TEXT: readonly (readonly [said: RegExp, why: string])[] = [
  [/^(WRONGPASS|NOAUTH|ERR AUTH)|AuthorizationError/m, REFUSED],
  [/^NOPERM/m, 'its user may not do what is needed'],
  [/^ERR max number of clients/m, 'it has too many connections'],
  [/^LOADING/m, 'it is starting'],
  [/connection refused/i, NO_CONNECTION],
  [/ENOTFOUND|EAI_AGAIN/, NOT_FOUND],
  [/RESP type/, 'what answers there is something else'],
  [/TlsConnectionError|\b(ERR_TLS|ERR_SSL|EPROTO|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)|certificate|'tls'/, NO_TLS],
  [/TimeoutError|SocketTimeout|time(d ?)?out/i, NO_ANSWER],
  [/ConnectionClosed|closed|terminated/i, BROKEN],
];

/** Why a part of the server can't be used, in a few fixed words: nothing of the error itself, which may quote an address or a password. */
export function whyAway(error: unknown): string {
  for (const cause of causesOf(error)) {
    const why = whyOfOne(cause);
    if (why !== undefined) return why;
  }
  return errorName(error);
}

function whyOfOne(error: object): string | undefined {
  const [kind, code, originalCode] = ['kind', 'code', 'originalCode'].map((key) => textOf(error, key) ?? '');
  if (kind === 'DatabaseNotReachable') return whyNotReachable(error);
  const said = [kind, code, textOf(error, 'name'), textOf(error, 'message')].join('\n');
  return WHY_BY_CODE[originalCode!] ?? WHY_BY_CODE[code!] ?? WHY_BY_TEXT.find(([pattern]) => pattern.test(said))?.[1];
}

/** Prisma says one thing of a host that refuses and of one that is not found, but knows a port of the first alone. */
function whyNotReachable(error: object): string {
  return textOf(error, 'host') !== undefined && Reflect.get(error, 'port') === undefined ? NOT_FOUND : NO_CONNECTION;
}
