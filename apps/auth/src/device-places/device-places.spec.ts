import 'reflect-metadata';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ErrorCode, LIMITS } from '@sotto/protocol';
import type { Account } from '../accounts/accounts.store.js';
import { DevicePlaces } from './device-places.js';
import { MemoryDevicePlaceStore } from './memory-device-place.store.js';

const NOW = 1_000_000;
const DAY = 24 * 3_600;
const alice: Account = {
  id: 'a'.repeat(32),
  name: 'alice',
  passwordHash: '',
  identityKey: null,
  sessionsValidAfter: 0,
  revokedDevices: new Map(),
  disabled: false,
  deleted: false,
  readAt: 0,
};

describe('the places of an account', () => {
  let places: DevicePlaces;
  const fill = async (pending: boolean): Promise<void> => {
    for (let i = 0; i < LIMITS.devicesPerAccount; i++) await places.hold(alice, { id: `device ${i}`, pending }, NOW + i);
  };
  beforeEach(() => {
    places = new DevicePlaces(new MemoryDevicePlaceStore());
  });

  it('are given back after a day by devices that nobody confirmed, and kept by the others', async () => {
    await fill(true);
    await places.hold(alice, { id: 'device 1', pending: false }, NOW + 60);
    await expect(places.hold(alice, { id: 'new', pending: true }, NOW + 60)).rejects.toMatchObject({ code: ErrorCode.LIMIT_REACHED });
    await places.hold(alice, { id: 'new', pending: true }, NOW + DAY + 60);
    expect((await places.list(alice, NOW + DAY + 60)).map(({ device }) => device)).toEqual(['device 1', 'new']);
  });

  it('are not refused to a confirmed device', async () => {
    await fill(false);
    await places.hold(alice, { id: 'back again', pending: false }, NOW + 60);
    expect(await places.list(alice, NOW + 60)).toHaveLength(LIMITS.devicesPerAccount + 1);
  });

  it('are refused to one that becomes confirmed and has none, and not to one that holds its own', async () => {
    await fill(true);
    const becoming = (id: string) => places.hold(alice, { id, pending: false, becomesConfirmed: true }, NOW + 60);
    await becoming('device 1');
    await expect(becoming('new')).rejects.toMatchObject({ code: ErrorCode.LIMIT_REACHED });
    expect(await places.list(alice, NOW + 60)).toHaveLength(LIMITS.devicesPerAccount);
  });

  it('are freed, when all are held, of the device that was away longest and is not connected', async () => {
    expect(await places.longestAwayIfFull(alice, new Set(), NOW)).toBeUndefined();
    await fill(false);
    await places.hold(alice, { id: 'device 1', pending: false }, NOW + 60);
    expect(await places.longestAwayIfFull(alice, new Set(['device 0']), NOW + 60)).toBe('device 2');
    const all = new Set((await places.list(alice, NOW)).map(({ device }) => device));
    expect(await places.longestAwayIfFull(alice, all, NOW + 60)).toBeUndefined();
  });
});
