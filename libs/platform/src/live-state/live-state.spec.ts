import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ErrorCode, RateClass } from '@sotto/protocol';
import { startRedis, type RunningServer, WeakLink } from '@sotto/testing';
import type { Redis } from 'ioredis';
import type { RpcError } from '../rpc/index.js';
import { CallLimiter } from './call-limiter.js';
import { closeLiveState, connectLiveState, pingLiveState } from './connect-live-state.js';
import { deviceRouteStoreContract } from './device-route.store.contract.js';
import { leaseStoreContract } from './lease.store.contract.js';
import type { LiveState } from './live-state.js';
import { MemoryDeviceRouteStore } from './memory-device-route.store.js';
import { MemoryLeaseStore } from './memory-lease.store.js';
import { RedisDeviceRouteStore } from './redis-device-route.store.js';
import { RedisLeaseStore } from './redis-lease.store.js';

/** What every CallLimiter keeps, whatever it counts with. */
function callLimiterContract(open: () => CallLimiter): void {
  const chargeOften = async (limiter: CallLimiter, rate: RateClass, who: { account: string; address: string }, times: number) => {
    for (let i = 0; i < times; i++) await limiter.charge(rate, who);
  };
  const refused = { code: ErrorCode.RATE_LIMITED };

  it('counts an account over all its addresses, and an address over all its accounts', async () => {
    const limiter = open();
    for (let i = 0; i < 20; i++) await limiter.charge(RateClass.PASSWORD, { account: 'alice', address: `192.0.2.${i}` });
    await expect(limiter.charge(RateClass.PASSWORD, { account: 'alice', address: '192.0.2.99' })).rejects.toMatchObject(refused);
    await chargeOften(limiter, RateClass.PASSWORD, { account: '', address: '203.0.113.1' }, 300);
    await expect(limiter.charge(RateClass.PASSWORD, { account: 'bob', address: '203.0.113.1' })).rejects.toMatchObject(refused);
    await limiter.charge(RateClass.PASSWORD, { account: 'bob', address: '203.0.113.2' });
  });

  it('keeps the classes apart, and says when to come again', async () => {
    const limiter = open();
    await chargeOften(limiter, RateClass.REGISTER, { account: 'alice', address: '' }, 10);
    const error = await limiter.charge(RateClass.REGISTER, { account: 'alice', address: '' }).catch((reason: RpcError) => reason);
    expect(error).toMatchObject(refused);
    expect((error as RpcError).retryAfterMs).toBeGreaterThan(3_500_000);
    expect((error as RpcError).retryAfterMs).toBeLessThanOrEqual(3_600_000);
    await limiter.charge(RateClass.READ, { account: 'alice', address: '' });
  });

  it('charges neither whom it does not know nor calls between services', async () => {
    const limiter = open();
    await chargeOften(limiter, RateClass.REGISTER, { account: '', address: '' }, 30);
    await chargeOften(limiter, RateClass.INTERNAL, { account: 'alice', address: '192.0.2.1' }, 30);
    await limiter.charge(RateClass.REGISTER, { account: 'alice', address: '192.0.2.1' });
  });
}

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
  describe('limits of calls', () => callLimiterContract(() => new CallLimiter({ kind: 'memory' })));

  it('refuses the call after the last point of an account', async () => {
    expect(await chargeUntilRefused(new CallLimiter({ kind: 'memory' }))).toBe(10);
  });
});

describe('live state in Redis', () => {
  let server: RunningServer;
  let state: LiveState;
  let redis: Redis;
  /** Waits as long as a busy machine takes. */
  let patient: Redis;
  beforeAll(async () => {
    server = await startRedis();
    state = await connectLiveState({ url: server.url });
    if (state.kind !== 'redis') throw new Error('not Redis');
    redis = state.redis;
    patient = redis.duplicate({ commandTimeout: 60_000, socketTimeout: 60_000 });
    patient.on('error', () => undefined);
  }, 60_000);
  beforeEach(() => patient.flushall());
  afterAll(async () => {
    patient.disconnect();
    await closeLiveState(state);
    await server.stop();
  });

  describe('leases', () => leaseStoreContract(() => new RedisLeaseStore(patient)));
  describe('device routes', () => deviceRouteStoreContract(() => new RedisDeviceRouteStore(patient)));
  describe('limits of calls', () => callLimiterContract(() => new CallLimiter({ kind: 'redis', redis: patient })));

  it('counts the calls of an account over all processes', async () => {
    const first = new CallLimiter(state);
    await first.charge(RateClass.REGISTER, { account: 'alice', address: '' });
    expect(await chargeUntilRefused(new CallLimiter(state))).toBe(9);
  });

  it('keeps leases, and lets devices come and leave, when Redis is full', async () => {
    const [leases, routes] = [new RedisLeaseStore(redis), new RedisDeviceRouteStore(redis)];
    const route = { account: 'a1'.repeat(16), gateway: 7, deliveryKey: new Uint8Array(32), revokedCapabilities: new Uint8Array() };
    const attach = (connection: number) => routes.attach({ ...route, device: `a${connection}`.repeat(16), connection, invisible: false });
    await leases.claim('gateway', 7, 5_000);
    await redis.config('SET', 'maxmemory', '1');
    await expect(redis.set('anything', 'else')).rejects.toThrow('OOM');
    expect(await leases.renew('gateway', 7, 5_000)).toBe(true);
    expect(await leases.claim('relay', 8, 5_000)).toBe(true);
    for (const connection of [1, 2]) await attach(connection);
    expect(await routes.detach('a1'.repeat(16), 7, 1, 1_000)).toBe(true);
    await leases.release('gateway', 7);
    expect(await routes.takeDevicesOf(7, 1_000)).toHaveLength(1);
    await redis.config('SET', 'maxmemory', '0');
  });

  it('takes no devices of a gateway that was missed, and has taken up its lease again', async () => {
    const [leases, routes] = [new RedisLeaseStore(patient), new RedisDeviceRouteStore(patient)];
    const [account, device] = ['a1'.repeat(16), 'b2'.repeat(16)];
    const keys = { deliveryKey: new Uint8Array(32), revokedCapabilities: new Uint8Array() };
    await routes.attach({ account, device, gateway: 7, connection: 1, invisible: false, ...keys });
    await leases.renew('gateway', 7, 5_000);
    expect(await routes.takeDevicesOf(7, 1_000)).toEqual([]);
    expect(await routes.connectedDevices(account)).toHaveLength(1);
    await leases.release('gateway', 7);
    await leases.claim('gateway', 77, 5_000);
    expect(await routes.takeDevicesOf(7, 1_000)).toEqual([{ device, account }]);
  });

  it('goes on limiting while Redis is away, and works again when it is back', async () => {
    const limiter = new CallLimiter(state);
    const leases = new RedisLeaseStore(redis);
    await server.kill();
    await expect(leases.alive('relay')).rejects.toThrow();
    expect(await chargeUntilRefused(limiter)).toBe(10);
    await server.restart();
    while (redis.status !== 'ready') await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await leases.claim('relay', 5, 5_000)).toBe(true);
    expect(await leases.alive('relay')).toEqual([5]);
  });

  it('is reached by a new connection soon after one that fell silent without an end', async () => {
    const link = await WeakLink.to(server.port);
    const behind = await connectLiveState({ url: `redis://127.0.0.1:${link.port}` });
    await pingLiveState(behind);
    link.silence();
    await expect(pingLiveState(behind)).rejects.toThrow();
    link.mend();
    let lost = 0;
    for (; !(await answers(behind)); lost++) if (lost === 4) throw new Error('it stays away');
    await closeLiveState(behind);
    await link.close();
  }, 30_000);
});

function answers(state: LiveState): Promise<boolean> {
  return pingLiveState(state).then(
    () => true,
    () => false,
  );
}
