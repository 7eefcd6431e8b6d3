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
    const store = new MemoryKeyPackageStore(new MemoryDeviceRouteStore(), { owners: 1, bytes: 1_000 });
    const now = Math.floor(Date.now() / 1_000);
    const one = { keyPackage: Uint8Array.of(1), cipherSuite: 1, expires: now + 60, capability: '01'.repeat(16) };
    await store.publish('alice', 'phone', [one], undefined, now);
    await store.publish('bob', 'phone', [one], undefined, now);
    expect((await store.count('alice', 'phone', now)).left).toBe(0);
    expect((await store.count('bob', 'phone', now)).left).toBe(1);
  });

  it('keeps of what a package came in with nothing but the package', async () => {
    const store = new MemoryKeyPackageStore(new MemoryDeviceRouteStore());
    const now = Math.floor(Date.now() / 1_000);
    const call = new Uint8Array(200_000);
    const packageOf = (capability: string) => ({ keyPackage: call.subarray(7, 10), cipherSuite: 1, expires: now + 60, capability });
    await store.publish('alice', 'phone', [packageOf('01'.repeat(16))], packageOf('02'.repeat(16)), now);
    const claim = { claimer: 'bob', cipherSuite: 1, except: '', revoke: false, since: 1 };
    const taken = [...(await store.take('alice', claim, now)), ...(await store.take('alice', claim, now))];
    expect(taken.map(({ keyPackage, lastResort }) => [keyPackage.buffer.byteLength, lastResort])).toEqual([
      [3, false],
      [3, true],
    ]);
  });

  it('takes nothing in when its bytes are used up, whoever has them, until some are handed out, withdrawn, out of date or let go', async () => {
    const store = new MemoryKeyPackageStore(new MemoryDeviceRouteStore(), { owners: 3, bytes: 1_000 });
    const now = Math.floor(Date.now() / 1_000);
    let made = 0;
    const publish = (account: string, bytes: number, at = now, last = false) => {
      const capability = (++made).toString(16).padStart(32, '0');
      const one = { keyPackage: new Uint8Array(bytes), cipherSuite: 1, expires: at + 600, capability };
      return store.publish(account, 'phone', last ? [] : [one], last ? one : undefined, at);
    };
    expect([await publish('alice', 500), await publish('bob', 400), await publish('bob', 200)]).toEqual([1, 1, 'full']);
    await store.take('alice', { claimer: 'bob', cipherSuite: 1, except: '', revoke: false, since: 1 }, now);
    expect([await publish('bob', 400), await publish('bob', 201)]).toEqual([2, 'full']);
    await store.clear('bob', 'phone');
    expect([await publish('alice', 900, now, true), await publish('bob', 200), await publish('alice', 800, now, true)]).toEqual([
      0,
      'full',
      0,
    ]);
    expect([await publish('bob', 201), await publish('bob', 200)]).toEqual(['full', 1]);
    // Of accounts that are not heard of any more, too.
    expect([await publish('carol', 900, now + 601), await publish('carol', 200, now + 601)]).toEqual([1, 'full']);
    await publish('dave', 1, now + 601);
    await publish('erin', 1, now + 601);
    expect(await publish('frank', 998, now + 601)).toBe(1);
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
