import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { closeLiveState, connectLiveState, type LiveState } from '@sotto/platform/live-state';
import { type RunningServer, startRedis } from '@sotto/testing';
import { devicePlaceStoreContract } from './device-place.store.contract.js';
import { MemoryDevicePlaceStore } from './memory-device-place.store.js';
import { RedisDevicePlaceStore } from './redis-device-place.store.js';

describe('device places in memory', () => {
  devicePlaceStoreContract(() => {
    const store = new MemoryDevicePlaceStore();
    return Promise.resolve([store, store]);
  });
});

describe('device places in Redis', () => {
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

  devicePlaceStoreContract(async () => {
    await redisOf(replicas[0]).flushall();
    return [new RedisDevicePlaceStore(redisOf(replicas[0])), new RedisDevicePlaceStore(redisOf(replicas[1]))];
  });

  it('leaves no key without an expiry', async () => {
    const redis = redisOf(replicas[0]);
    await redis.flushall();
    const now = Math.floor(Date.now() / 1_000);
    const store = new RedisDevicePlaceStore(redis);
    const terms = { places: 10, since: 0, revoked: [] };
    await store.take('alice', { device: 'phone', pending: false, seen: now, expires: now + 600 }, terms);
    await store.take('alice', { device: 'laptop', pending: true, seen: now, expires: now + 60 }, terms);
    const ttl = await redis.ttl('device-places:alice');
    expect(ttl).toBeGreaterThan(60);
    expect(ttl).toBeLessThanOrEqual(600);
  });
});
