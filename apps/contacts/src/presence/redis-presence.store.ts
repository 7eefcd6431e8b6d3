import type { Redis } from 'ioredis';
import { PRESENCE_TTL_SECONDS, type PresenceStore, type Sight } from './presence.store.js';

/** PresenceStore of all replicas. */
export class RedisPresenceStore implements PresenceStore {
  constructor(private readonly redis: Redis) {}

  async online(account: string): Promise<boolean> {
    return (await this.redis.set(keyOf(account), '1', 'EX', PRESENCE_TTL_SECONDS, 'NX')) === 'OK';
  }

  async offline(account: string): Promise<boolean> {
    return (await this.redis.del(keyOf(account))) === 1;
  }

  async shown(accounts: readonly string[]): Promise<Set<string>> {
    const found = await this.areThere(accounts.map(keyOf));
    return new Set(accounts.filter((_, i) => found[i]));
  }

  async keep(account: string, to: readonly string[], forMs: number): Promise<void> {
    if (forMs >= 1) await Promise.all(to.map((each) => this.redis.set(sightKeyOf({ account, to: each }), '1', 'PX', Math.floor(forMs))));
  }

  kept(sights: readonly Sight[]): Promise<boolean[]> {
    return this.areThere(sights.map(sightKeyOf));
  }

  private async areThere(keys: string[]): Promise<boolean[]> {
    if (keys.length === 0) return [];
    return (await this.redis.mget(keys)).map((value) => value !== null);
  }
}

function keyOf(account: string): string {
  return `presence:${account}`;
}

function sightKeyOf({ account, to }: Sight): string {
  return `presence:${account}:${to}`;
}
