import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  closeLiveState,
  connectLiveState,
  type LiveState,
  MemoryDeviceRouteStore,
  RedisDeviceRouteStore,
} from '@sotto/platform/live-state';
import { type RunningServer, startRedis } from '@sotto/testing';
import { keyPackageStoreContract } from './key-package.store.contract.js';
import { MemoryKeyPackageStore } from './memory-key-package.store.js';
import { RedisKeyPackageStore } from './redis-key-package.store.js';

describe('key packages in memory', () => {
  keyPackageStoreContract(() => {
    const routes = new MemoryDeviceRouteStore();
    const store = new MemoryKeyPackageStore(routes);
    return Promise.resolve([store, store, routes]);
  });

  it('lets go of the account that published longest ago when full', async () => {
    const store = new MemoryKeyPackageStore(new MemoryDeviceRouteStore(), 1);
    const now = Math.floor(Date.now() / 1_000);
    const one = { keyPackage: Uint8Array.of(1), cipherSuite: 1, expires: now + 60, capability: '01'.repeat(16) };
    await store.publish('alice', 'phone', [one], undefined, now);
    await store.publish('bob', 'phone', [one], undefined, now);
    expect((await store.count('alice', 'phone', now)).left).toBe(0);
    expect((await store.count('bob', 'phone', now)).left).toBe(1);
  });
});

describe('key packages in Redis', () => {
  let server: RunningServer;
  let replicas: [LiveState, LiveState];
  const redisOf = (live: LiveState) => {
    if (live.kind !== 'redis') throw new Error('not Redis');
    return live.redis;
  };
  beforeAll(async () => {
    server = await startRedis();
    replicas = [await connectLiveState({ url: server.url }), await connectLiveState({ url: server.url })];
  });
  afterAll(async () => {
    await Promise.all(replicas.map(closeLiveState));
    await server.stop();
  });

  keyPackageStoreContract(async () => {
    await redisOf(replicas[0]).flushall();
    const [one, two] = [redisOf(replicas[0]), redisOf(replicas[1])];
    return [new RedisKeyPackageStore(one), new RedisKeyPackageStore(two), new RedisDeviceRouteStore(one)];
  });

  it('takes nothing in when Redis is full, and goes on handing out and revoking', async () => {
    const redis = redisOf(replicas[0]);
    await redis.flushall();
    const store = new RedisKeyPackageStore(redis);
    const now = Math.floor(Date.now() / 1_000);
    const one = { keyPackage: Uint8Array.of(1), cipherSuite: 1, expires: now + 60, capability: '01'.repeat(16) };
    await store.publish('alice', 'phone', [one], undefined, now);
    await redis.config('SET', 'maxmemory', '1');
    expect(await store.publish('alice', 'phone', [{ ...one, capability: '02'.repeat(16) }], undefined, now)).toBe('full');
    const claim = { claimer: 'bob', cipherSuite: 1, except: '', revoke: false, since: 1 };
    expect(await store.take('alice', claim, now)).toMatchObject([{ capability: one.capability }]);
    expect(await store.revokeTaken('alice', 'bob', { ended: 2, keep: [] }, now)).toHaveLength(1);
    await redis.config('SET', 'maxmemory', '0');
  });

  it('leaves no key without an expiry', async () => {
    const redis = redisOf(replicas[0]);
    await redis.flushall();
    const store = new RedisKeyPackageStore(redis);
    const now = Math.floor(Date.now() / 1_000);
    const one = { keyPackage: Uint8Array.of(1), cipherSuite: 1, expires: now + 60, capability: '01'.repeat(16) };
    await store.publish('alice', 'phone', [one, { ...one, capability: '02'.repeat(16) }], { ...one, capability: '03'.repeat(16) }, now);
    const claim = { claimer: 'bob', cipherSuite: 1, except: '', revoke: false, since: 0 };
    await store.take('alice', claim, now);
    await store.take('alice', claim, now);
    await store.take('alice', { ...claim, revoke: true }, now);
    await store.revokeTaken('alice', 'bob', { ended: 1, keep: [] }, now);
    const keys = (await redis.keys('*')).map((key) => key.replace(/^key-packages:\{alice\}:/, ''));
    expect(keys.sort()).toEqual([
      'dead:phone',
      'devices',
      'ended:bob',
      'last:phone',
      'ledger:bob',
      'low:phone',
      'revoked:phone',
      'spent:phone',
    ]);
    for (const key of await redis.keys('*')) expect(await redis.ttl(key)).toBeGreaterThan(0);
  });
});
