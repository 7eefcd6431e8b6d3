import type { Redis } from 'ioredis';
import { ALIVE_LEASES, CLAIM_LEASE, RENEW_LEASE } from './lease.lua.js';
import type { LeaseKind, LeaseStore } from './lease.store.js';
import { LuaScript } from './lua-script.js';

const claim = new LuaScript<number>(CLAIM_LEASE);
const renew = new LuaScript<number>(RENEW_LEASE);
const alive = new LuaScript<string[]>(ALIVE_LEASES);

export class RedisLeaseStore implements LeaseStore {
  constructor(private readonly redis: Redis) {}

  async claim(kind: LeaseKind, incarnation: number, ttlMs: number): Promise<boolean> {
    return (await claim.run(this.redis, [keyOf(kind)], [incarnation, ttlMs])) === 1;
  }

  async renew(kind: LeaseKind, incarnation: number, ttlMs: number): Promise<boolean> {
    return (await renew.run(this.redis, [keyOf(kind)], [incarnation, ttlMs])) === 1;
  }

  async release(kind: LeaseKind, incarnation: number): Promise<void> {
    await this.redis.zrem(keyOf(kind), incarnation);
  }

  async alive(kind: LeaseKind): Promise<number[]> {
    return (await alive.run(this.redis, [], [keyOf(kind)])).map(Number);
  }
}

function keyOf(kind: LeaseKind): string {
  return `leases:${kind}`;
}
