import { afterAll, beforeAll, beforeEach, describe } from '@jest/globals';
import { closeLiveState, connectLiveState, type LiveState } from '@sotto/platform/live-state';
import { type RunningServer, startRedis } from '@sotto/testing';
import type { Redis } from 'ioredis';
import { MemoryRetryTimerStore } from './memory-retry-timer.store.js';
import { RedisRetryTimerStore } from './redis-retry-timer.store.js';
import { retryTimerStoreContract } from './retry-timer.store.contract.js';

describe('retry timers in memory', () => retryTimerStoreContract(() => new MemoryRetryTimerStore()));

describe('retry timers in Redis', () => {
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

  retryTimerStoreContract(() => new RedisRetryTimerStore(redis));
});
