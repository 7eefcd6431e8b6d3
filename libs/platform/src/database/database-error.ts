import { causesOf, isObject, textOf } from '../logging/causes.js';

/** The database cannot be opened, for a cause that its operator can remove; the message says which. */
export class DatabaseOpenError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DatabaseOpenError';
  }
}

/** `unique`: a row with this key exists. `away`: the database does not answer, trying later may help. `full`: its disk has no room. */
export type DatabaseErrorKind = 'unique' | 'away' | 'full' | 'other';

/** Prisma: no connection, time-outs, closed connection, too many connections, pool or transaction not to be had in time. */
const AWAY_PRISMA = new Set(['P1000', 'P1001', 'P1002', 'P1008', 'P1011', 'P1017', 'P2024', 'P2028', 'P2037']);
const AWAY_SYSTEM = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOENT']);
/** SQLSTATE "disk full", and what the system says. */
const FULL = new Set(['53100', 'ENOSPC', 'EDQUOT']);
/** SQLSTATE: connection exceptions, insufficient resources, operator intervention. */
const AWAY_SQLSTATE = /^(08|53|57P)/;
const AWAY_KINDS = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections', 'TlsConnectionError']);
const AWAY_TEXT = /connection terminated|timeout exceeded when trying to connect|PGlite is clos|server has closed the connection/i;

/** What a service has to know of a failed query; reads Prisma's errors and those of the drivers under it. */
export function databaseErrorKind(error: unknown): DatabaseErrorKind {
  for (const cause of causesOf(error)) {
    const kind = kindOfOne(cause);
    if (kind !== 'other') return kind;
  }
  return 'other';
}

function kindOfOne(error: object): DatabaseErrorKind {
  const code = textOf(error, 'code') ?? textOf(error, 'originalCode') ?? textOf(error, 'errorCode') ?? '';
  const kind = textOf(error, 'kind') ?? '';
  if (code === 'P2002' || code === '23505' || kind === 'UniqueConstraintViolation') return 'unique';
  if (FULL.has(code)) return 'full';
  if (AWAY_PRISMA.has(code) || AWAY_SYSTEM.has(code) || AWAY_SQLSTATE.test(code) || AWAY_KINDS.has(kind)) return 'away';
  return AWAY_TEXT.test(textOf(error, 'message') ?? '') ? 'away' : 'other';
}

/** The code of a system error ("ENOSPC"), if it is one. */
export function codeOf(error: unknown): string | undefined {
  return isObject(error) ? textOf(error, 'code') : undefined;
}
