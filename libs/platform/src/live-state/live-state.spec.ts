import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RateClass } from '@sotto/protocol';
import { startRedis, type RunningServer } from '@sotto/testing';
import type { Redis } from 'ioredis';
import { CallLimiter } from './call-limiter.js';
import { closeLiveState, connectLiveState } from './connect-live-state.js';
import { deviceRouteStoreContract } from './device-route.store.contract.js';
import { leaseStoreContract } from './lease.store.contract.js';
import type { LiveState } from './live-state.js';
import { MemoryDeviceRouteStore } from './memory-device-route.store.js';
import { MemoryLeaseStore } from './memory-lease.store.js';
import { RedisDeviceRouteStore } from './redis-device-route.store.js';
import { RedisLeaseStore } from './redis-lease.store.js';

async function chargeUntilRefused(limiter: CallLimiter): Promise<number> {
  for (let charged = 0; charged < 100; charged++) {
    const refused = await limiter.charge(RateClass.REGISTER, { account: 'alice', address: '' }).then(
      () => false,
      () => true,
    );
    if (refused) return charged;
  }
  return 100;
}

describe('live state in memory', () => {
  describe('leases', () => leaseStoreContract(() => new MemoryLeaseStore()));
  describe('device routes', () => deviceRouteStoreContract(() => new MemoryDeviceRouteStore()));

  it('refuses the call after the last point of an account', async () => {
    expect(await chargeUntilRefused(new CallLimiter({ kind: 'memory' }))).toBe(10);
  });
});

describe('live state in Redis', () => {
  let server: RunningServer;
  let state: LiveState;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    state = await connectLiveState({ url: server.url });
    if (state.kind !== 'redis') throw new Error('not Redis');
    redis = state.redis;
  }, 60_000);
  beforeEach(() => redis.flushall());
  afterAll(async () => {
    await closeLiveState(state);
    await server.stop();
  });

  describe('leases', () => leaseStoreContract(() => new RedisLeaseStore(redis)));
  describe('device routes', () => deviceRouteStoreContract(() => new RedisDeviceRouteStore(redis)));

  it('counts the calls of an account over all processes', async () => {
    const first = new CallLimiter(state);
    await first.charge(RateClass.REGISTER, { account: 'alice', address: '' });
    expect(await chargeUntilRefused(new CallLimiter(state))).toBe(9);
  });

  it('goes on limiting while Redis is away, and works again when it is back', async () => {
    const limiter = new CallLimiter(state);
    const leases = new RedisLeaseStore(redis);
    await server.kill();
    await expect(leases.alive('relay')).rejects.toThrow();
    expect(await chargeUntilRefused(limiter)).toBe(10);
    await server.restart();
    for (let i = 0; i < 50 && redis.status !== 'ready'; i++) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await leases.claim('relay', 5, 5_000)).toBe(true);
    expect(await leases.alive('relay')).toEqual([5]);
  });
});
