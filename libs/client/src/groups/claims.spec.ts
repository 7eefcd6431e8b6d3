import { beforeEach, describe, expect, it } from '@jest/globals';
import { Claims } from './claims.js';
import type { ClaimedPackage } from './group-ports.js';

const SECOND = 1_000;
const packages = (...devices: string[]): ReadonlyMap<string, ClaimedPackage> =>
  new Map(devices.map((device) => [device, { bytes: new Uint8Array(1), leaf: `${device}'s leaf`, token: new Uint8Array() }]));

let claims: Claims;
let now: number;
let asked: number;

beforeEach(() => {
  claims = new Claims();
  now = 1_800_000_000_000;
  asked = 0;
});

const of = (account = 'bob') => claims.packagesOf(account, now, () => asked++);

/** Seconds until the next claim, when every one fails. */
function waitsUntilNext(): number {
  const from = now;
  const before = asked;
  for (; asked === before; now += SECOND) of();
  return (now - SECOND - from) / SECOND;
}

describe('key packages of an account', () => {
  it('are claimed once, and there when the claim is answered', () => {
    expect(of()).toBeUndefined();
    expect(of()).toBeUndefined();
    expect(asked).toBe(1);
    claims.claimed('bob', packages('phone'), now);
    expect(of()).toEqual(packages('phone'));
    expect(asked).toBe(1);
  });

  it('are those of that account alone', () => {
    of('bob');
    of('carol');
    claims.claimed('bob', packages('phone'), now);
    expect(of('carol')).toBeUndefined();
    expect(asked).toBe(2);
  });

  it('are none, and known to be none, where an empty answer counts', () => {
    of();
    claims.claimed('bob', packages(), now);
    expect(of()).toEqual(new Map());
    expect(asked).toBe(1);
  });

  it('are used up by being used: the next who asks gets fresh ones', () => {
    of();
    claims.claimed('bob', packages('phone'), now);
    claims.used('bob');
    claims.used('carol');
    expect(of()).toBeUndefined();
    expect(asked).toBe(2);
  });

  it('are claimed at once for a few uses in a row, and then one for each 15 seconds: whoever is in a race takes not all there are', () => {
    const use = () => {
      of();
      claims.claimed('bob', packages('phone'), now);
      claims.used('bob');
    };
    for (let i = 0; i < 10; i++) use();
    expect(asked).toBe(4);
    expect(waitsUntilNext()).toBe(15);
    claims.claimed('bob', packages('phone'), now);
    claims.used('bob');
    now += 60 * SECOND;
    for (let i = 0; i < 10; i++) use();
    expect(asked).toBe(9);
  });

  it('are not kept longer than an hour: their device may be gone', () => {
    of();
    claims.claimed('bob', packages('phone'), now);
    now += 3_600 * SECOND - 1;
    expect(of()).toBeDefined();
    now += 1;
    expect(of()).toBeUndefined();
    expect(asked).toBe(2);
  });
});

describe('a claim that brings nothing', () => {
  it('is repeated after twice as long each time, at most every ten minutes', () => {
    of();
    const waits = [15, 30, 60, 120, 240, 480, 600, 600];
    for (const wait of waits) {
      claims.claimed('bob', undefined, now);
      const from = now;
      expect(waitsUntilNext()).toBe(wait);
      now = from + wait * SECOND;
    }
  });

  it('is repeated at once when the account appears', () => {
    of();
    claims.claimed('bob', undefined, now);
    expect(of()).toBeUndefined();
    expect(asked).toBe(1);
    claims.sighted('carol');
    claims.sighted('bob');
    of();
    expect(asked).toBe(2);
  });

  it('counts from the beginning again after one that brought some', () => {
    for (let i = 0; i < 5; i++) {
      waitsUntilNext();
      claims.claimed('bob', undefined, now);
    }
    waitsUntilNext();
    claims.claimed('bob', packages('phone'), now);
    claims.used('bob');
    now += 600 * SECOND;
    of();
    claims.claimed('bob', undefined, now);
    expect(waitsUntilNext()).toBe(15);
  });

  it('of any use goes on waiting longer and longer', () => {
    of();
    for (const wait of [15, 30, 60]) {
      claims.claimed('bob', packages('phone'), now);
      claims.useless('bob');
      const from = now;
      expect(waitsUntilNext()).toBe(wait);
      now = from + wait * SECOND;
    }
  });

  it('that was never answered is repeated on the next connection', () => {
    of();
    now += 3_600 * SECOND;
    of();
    expect(asked).toBe(1);
    claims.disconnected();
    of();
    expect(asked).toBe(2);
  });
});
