import { describe, expect, it } from '@jest/globals';
import { TIMES } from '@sotto/protocol';
import { whyOverdue } from './patience.js';

const PATIENCE = { handshakeMs: 10_000, logInMs: 20_000 };
const DAY_MS = 86_400_000;

describe('the patience with a connection', () => {
  const stranger = { number: 1, openedAt: 0, awaitedSince: 0, lastSeen: 0 };
  const device = { ...stranger, channel: {}, session: {} };

  it('ends without a hello, without a log-in however often it pings, and without a word of a device', () => {
    expect([10_000, 10_001].map((now) => whyOverdue(stranger, now, PATIENCE))).toEqual([undefined, 'no hello came']);
    const greeted = { ...stranger, channel: {}, awaitedSince: 5_000, lastSeen: 25_000 };
    expect([25_000, 25_001].map((now) => whyOverdue(greeted, now, PATIENCE))).toEqual([undefined, 'nobody logged in']);
    const silent = 2.5 * TIMES.heartbeatMs;
    expect([silent, silent + 1].map((now) => whyOverdue(device, now, PATIENCE))).toEqual([undefined, 'nothing heard for too long']);
  });

  it('ends before the route in live state does, and not for all at once', () => {
    const ends = (number: number, days: number) =>
      whyOverdue({ ...device, number, lastSeen: days * DAY_MS }, days * DAY_MS, PATIENCE) === 'open for too long';
    expect([ends(1_000, 20), ends(1_000, 20.1), ends(1_500, 22), ends(1_500, 22.6), ends(1_999, 25)]).toEqual([
      false,
      true,
      false,
      true,
      true,
    ]);
  });
});
