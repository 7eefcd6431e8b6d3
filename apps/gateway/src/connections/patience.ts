import { TIMES } from '@sotto/protocol';
import type { Connection } from './connection.js';

const DAY_MS = 86_400_000;
/** Routes in live state live for 30 days, and nothing refreshes them. Not all that began together end together. */
const OLDEST_MS = 20 * DAY_MS;
const SPREAD_MS = 5 * DAY_MS;
const SPREAD_OVER = 1_000;

export interface Patience {
  readonly handshakeMs: number;
  readonly logInMs: number;
}

type Timed = Pick<Connection, 'number' | 'openedAt' | 'awaitedSince' | 'lastSeen'> & {
  readonly channel?: unknown;
  readonly session?: unknown;
};

/** Why a connection is to end; undefined while it may stay. Pings don't keep one open that never logs in. */
export function whyOverdue({ number, channel, session, openedAt, awaitedSince, lastSeen }: Timed, now: number, patience: Patience) {
  if (channel === undefined) return now - openedAt > patience.handshakeMs ? 'no hello came' : undefined;
  if (session === undefined) return now - awaitedSince > patience.logInMs ? 'nobody logged in' : undefined;
  if (now - lastSeen > 2.5 * TIMES.heartbeatMs) return 'nothing heard for too long';
  return now - openedAt > OLDEST_MS + (SPREAD_MS * (number % SPREAD_OVER)) / SPREAD_OVER ? 'open for too long' : undefined;
}
