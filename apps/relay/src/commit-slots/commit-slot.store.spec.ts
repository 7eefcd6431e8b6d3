import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { closeLiveState, connectLiveState, type LiveState } from '@sotto/platform/live-state';
import { type RunningServer, startRedis } from '@sotto/testing';
import type { Redis } from 'ioredis';
import { commitSlotStoreContract } from './commit-slot.store.contract.js';
import { MemoryCommitSlotStore } from './memory-commit-slot.store.js';
import { RedisCommitSlotStore } from './redis-commit-slot.store.js';

const SLOT = new Uint8Array(32).fill(7);
const FIRST = new Uint8Array(16).fill(1);
const SECOND = new Uint8Array(16).fill(2);

describe('commit slots in memory', () => {
  commitSlotStoreContract((lifetimeMs) => new MemoryCommitSlotStore(lifetimeMs));

  it('forgets the oldest claim when it holds too many', async () => {
    const store = new MemoryCommitSlotStore(5_000, 2);
    await store.claim(SLOT, FIRST);
    for (let i = 0; i < 2; i++) await store.claim(new Uint8Array(32).fill(i), FIRST);
    expect(await store.claim(SLOT, SECOND)).toEqual(SECOND);
  });
});

describe('commit slots in Redis', () => {
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

  commitSlotStoreContract((lifetimeMs) => new RedisCommitSlotStore(redis, lifetimeMs));

  it('keeps a hash of the slot, not the slot, and for a week', async () => {
    await new RedisCommitSlotStore(redis).claim(SLOT, FIRST);
    const [key, ...more] = await redis.keys('*');
    expect(more).toEqual([]);
    for (const form of ['hex', 'base64', 'base64url', 'latin1'] as const) expect(key).not.toContain(Buffer.from(SLOT).toString(form));
    const days = (await redis.pttl(key!)) / (24 * 3_600_000);
    expect(days).toBeLessThanOrEqual(7);
    expect(days).toBeGreaterThan(6.9);
  });

  it('rejects while Redis is away, and names the free slot free after it came back empty', async () => {
    const store = new RedisCommitSlotStore(redis);
    await store.claim(SLOT, FIRST);
    await server.kill();
    await expect(store.claim(SLOT, SECOND)).rejects.toThrow();
    await server.restart();
    for (let i = 0; i < 50 && redis.status !== 'ready'; i++) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await store.claim(SLOT, SECOND)).toEqual(SECOND);
  });
});
