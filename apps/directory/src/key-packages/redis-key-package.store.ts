import { LuaScript } from '@sotto/platform/live-state';
import { LIMITS } from '@sotto/protocol';
import type { Redis } from 'ioredis';
import { PUBLISH, REVOKE_TAKEN, TAKE } from './key-package.lua.js';
import type { BeyondBound, Claim, KeyPackageStore, StockedKeyPackage, TakenCapability, TakenKeyPackage } from './key-package.store.js';

const publish = new LuaScript<number>(PUBLISH);
/** Length of capability, suite and expiry before the bytes of a packed package. */
const HEAD = 46;

/** The bytes of a package are base64 in it, because script replies are read as text. */
type Row = [device: string, packed: string, lastResort: number, left: number, ranLow: number, revoked: number];
const take = new LuaScript<Row[]>(TAKE);
const revokeTaken = new LuaScript<string[]>(REVOKE_TAKEN);

/** KeyPackageStore of all replicas: every change is one Lua step. */
export class RedisKeyPackageStore implements KeyPackageStore {
  constructor(private readonly redis: Redis) {}

  async publish(
    account: string,
    device: string,
    oneTime: StockedKeyPackage[],
    lastResort: StockedKeyPackage | undefined,
    now: number,
  ): Promise<number | BeyondBound> {
    const last = lastResort === undefined ? '' : pack(lastResort);
    const { oneTimeKeyPackages, keyPackagesLowWater, stockedKeyPackageBytes } = LIMITS;
    const bounds = [oneTimeKeyPackages, keyPackagesLowWater, stockedKeyPackageBytes];
    const args = [prefixOf(account), now, device, ...bounds, last, ...oneTime.map(pack)];
    const left = await publish.run(this.redis, [`${prefixOf(account)}devices`], args).catch((error: Error) => {
      if (error.message.startsWith('OOM')) return 'full' as const;
      throw error;
    });
    if (left === 'full') return left;
    if (left < 0) return left === -1 ? 'count' : 'bytes';
    return left;
  }

  async take(owner: string, { claimer, cipherSuite, except, revoke, since }: Claim, now: number): Promise<TakenKeyPackage[]> {
    const args = [prefixOf(owner), now, claimer, suiteOf(cipherSuite), except, LIMITS.keyPackagesLowWater, revoke ? 1 : 0, since];
    const rows = await take.run(this.redis, [`${prefixOf(owner)}devices`], args);
    return rows.map(([device, packed, lastResort, left, ranLow, revoked]) => ({
      device,
      capability: packed.slice(0, 32),
      keyPackage: new Uint8Array(Buffer.from(packed.slice(HEAD), 'base64')),
      lastResort: lastResort === 1,
      left,
      ranLow: ranLow === 1,
      revoked: revoked === 1,
    }));
  }

  async revokeTaken(
    owner: string,
    claimer: string,
    { ended, keep }: { ended: number; keep: readonly string[] },
    now: number,
  ): Promise<TakenCapability[]> {
    const taken = await revokeTaken.run(this.redis, [`${prefixOf(owner)}devices`], [prefixOf(owner), now, claimer, ended, ...keep]);
    return taken.map((entry) => ({ capability: entry.slice(0, 32), device: entry.slice(32) }));
  }

  async count(account: string, device: string, now: number): Promise<{ left: number; hasLastResort: boolean }> {
    const prefix = prefixOf(account);
    const [left, last] = await Promise.all([
      this.redis.zcount(`${prefix}one:${device}`, `(${now}`, '+inf'),
      this.redis.getrange(`${prefix}last:${device}`, 36, HEAD - 1),
    ]);
    return { left, hasLastResort: Number(last) > now };
  }

  async clear(account: string, device: string): Promise<void> {
    const prefix = prefixOf(account);
    await this.redis.del(`${prefix}one:${device}`, `${prefix}last:${device}`);
  }

  async clearAll(account: string): Promise<void> {
    const devices = await this.redis.smembers(`${prefixOf(account)}devices`);
    for (const device of devices) await this.clear(account, device);
  }
}

function prefixOf(account: string): string {
  return `key-packages:{${account}}:`;
}

function suiteOf(cipherSuite: number): string {
  return cipherSuite.toString(16).padStart(4, '0');
}

function pack({ capability, cipherSuite, expires, keyPackage }: StockedKeyPackage): string {
  return `${capability}${suiteOf(cipherSuite)}${String(expires).padStart(10, '0')}${Buffer.from(keyPackage).toString('base64')}`;
}
