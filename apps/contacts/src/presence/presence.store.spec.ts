import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { closeLiveState, connectLiveState, type LiveState } from '@sotto/platform/live-state';
import { type RunningServer, startRedis } from '@sotto/testing';
import { MemoryPresenceStore } from './memory-presence.store.js';
import { presenceStoreContract } from './presence.store.contract.js';
import { RedisPresenceStore } from './redis-presence.store.js';

describe('presence in memory', () => {
  presenceStoreContract(() => {
    const store = new MemoryPresenceStore();
    return Promise.resolve([store, store]);
  });
});

describe('presence in Redis', () => {
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

  presenceStoreContract(async () => {
    await redisOf(replicas[0]).flushall();
    return [new RedisPresenceStore(redisOf(replicas[0])), new RedisPresenceStore(redisOf(replicas[1]))];
  });

  it('leaves no key without an expiry', async () => {
    const redis = redisOf(replicas[0]);
    const store = new RedisPresenceStore(redis);
    await store.online('a'.repeat(32));
    await store.keep('a'.repeat(32), ['b'.repeat(32)], 5_000);
    for (const key of await redis.keys('*')) expect(await redis.ttl(key)).toBeGreaterThan(0);
  });
});
