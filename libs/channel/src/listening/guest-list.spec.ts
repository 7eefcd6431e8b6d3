import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Guest, GuestList } from './guest-list.js';

const PATIENCE = 2_000;
const NOW = 1_700_000_000_000;
const LATE = NOW - PATIENCE;

let list: GuestList<Guest>;

beforeEach(() => {
  list = new GuestList(PATIENCE);
});

function came(address: string, awaitedSince = NOW): Guest {
  const guest = { address, awaitedSince };
  list.enter(guest);
  return guest;
}

function crowd(count: number, addressOf: (i: number) => string, awaitedSince = NOW): Guest[] {
  return Array.from({ length: count }, (_, i) => came(addressOf(i), awaitedSince));
}

describe('whose place a newcomer gets', () => {
  it('is the oldest of those who have been waited for', () => {
    came('192.0.2.1', LATE + 1);
    const [silent] = [came('198.51.100.1', LATE), came('203.0.113.1', LATE)];
    expect(list.whoGoesFor('192.0.2.9', NOW)).toBe(silent);
    list.leave(silent);
    expect(list.whoGoesFor('192.0.2.9', NOW)).not.toBe(silent);
  });

  it('is nobody who is quick, or who waits for us, however many there are', () => {
    crowd(500, (i) => `2001:db8:${i.toString(16)}:0::/64`, LATE + 1);
    crowd(500, (i) => `2001:db9:${i.toString(16)}:0::/64`, Infinity);
    expect(list.whoGoesFor('192.0.2.9', NOW)).toBeUndefined();
  });

  it('is one of the block of addresses with most, before older ones', () => {
    came('192.0.2.1', LATE - 5_000);
    const [first] = crowd(10, (i) => `2001:db8:1:${i}::/64`, LATE);
    crowd(9, (i) => `198.51.100.${i}`, LATE);
    expect(list.whoGoesFor('192.0.2.9', NOW)).toBe(first);
  });

  it('is one of a crowd from one block at once: new connections again and again keep nobody out', () => {
    crowd(500, (i) => `192.0.${i % 250}.${i}`);
    const [first] = crowd(500, (i) => `2001:db8:1:${i.toString(16)}::/64`);
    expect(list.whoGoesFor('203.0.113.1', NOW)).toBe(first);
  });

  it('is of the block of the newcomer, when that would have most', () => {
    crowd(16, (i) => `192.0.2.${i}`);
    const [first] = crowd(16, (i) => `198.51.100.${i}`);
    expect(list.whoGoesFor('198.51.100.99', NOW)).toBe(first);
    expect(list.whoGoesFor('203.0.113.1', NOW)).toBeUndefined();
  });

  it('is of the same address, when only that has no room', () => {
    came('192.0.2.2', LATE);
    const mine = came('192.0.2.1', LATE);
    expect(list.whoGoesAt('192.0.2.1', NOW)).toBe(mine);
    list.leave(mine);
    came('192.0.2.1', LATE + 1);
    expect(list.whoGoesAt('192.0.2.1', NOW)).toBeUndefined();
  });
});

describe('room', () => {
  const bounds = { together: 3, ofAddress: 2 };
  const ended: Guest[] = [];
  const enters = (address: string) => list.makeRoom(address, NOW, bounds, (guest) => ended.push(guest)) && came(address);

  it('is made by ending who was waited for, of the same address when that has no more', () => {
    ended.length = 0;
    const [first, second] = [came('192.0.2.1', LATE), came('198.51.100.1', LATE)];
    expect(enters('198.51.100.1')).toBeTruthy();
    expect(enters('198.51.100.1')).toBeTruthy();
    expect(ended).toEqual([second]);
    expect(enters('203.0.113.1')).toBeTruthy();
    expect(ended).toEqual([second, first]);
    expect(enters('203.0.113.2')).toBe(false);
    expect([list.size, ended.length]).toEqual([3, 2]);
  });
});

describe('a list of guests', () => {
  it('counts them by address, and forgets who leaves, once', () => {
    const [one, other] = [came('192.0.2.1'), came('192.0.2.1')];
    list.leave(one);
    list.leave(one);
    expect([list.size, list.byAddress.of('192.0.2.1'), [...list]]).toEqual([1, 1, [other]]);
  });
});
