import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { closeLiveState, connectLiveState, type LiveState } from '@sotto/platform/live-state';
import { TIMES } from '@sotto/protocol';
import { type RunningServer, startRedis } from '@sotto/testing';
import { approvalStoreContract } from './approval.store.contract.js';
import { MemoryApprovalStore } from './memory-approval.store.js';
import { RedisApprovalStore } from './redis-approval.store.js';

describe('approvals in memory', () => {
  approvalStoreContract(() => {
    const store = new MemoryApprovalStore();
    return Promise.resolve([store, store]);
  });

  it('keep of what a message came in with nothing but the message', async () => {
    const store = new MemoryApprovalStore();
    const message = new Uint8Array(200_000).subarray(7, 10);
    await store.ask('alice', { device: 'tablet', name: '', message }, 1);
    await store.append('alice', { device: 'tablet', from: 'phone', position: 1, message }, 1);
    const [{ messages } = { messages: [] }] = await store.list('alice', 1);
    expect(messages.map(({ buffer }) => buffer.byteLength)).toEqual([3, 3]);
  });
});

describe('approvals in Redis', () => {
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

  approvalStoreContract(async () => {
    await redisOf(replicas[0]).flushall();
    return [new RedisApprovalStore(redisOf(replicas[0])), new RedisApprovalStore(redisOf(replicas[1]))];
  });

  it('leaves no key that outlives the last approval', async () => {
    const redis = redisOf(replicas[0]);
    await redis.flushall();
    const now = Math.floor(Date.now() / 1_000);
    const store = new RedisApprovalStore(redis);
    await store.ask('alice', { device: 'tablet', name: 'the tablet', message: Uint8Array.of(1) }, now);
    await store.append('alice', { device: 'tablet', from: 'phone', position: 1, message: Uint8Array.of(2) }, now);
    const lives = await Promise.all((await redis.keys('*')).map((key) => redis.ttl(key)));
    expect(lives).toHaveLength(1);
    for (const life of lives) {
      expect(life).toBeGreaterThan(0);
      expect(life).toBeLessThanOrEqual(TIMES.approvalSeconds);
    }
  });
});
