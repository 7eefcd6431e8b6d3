import type { Redis } from 'ioredis';
import { PRESENCE_TTL_SECONDS, type PresenceStore } from './presence.store.js';

/** PresenceStore of all replicas. */
export class RedisPresenceStore implements PresenceStore {
  constructor(private readonly redis: Redis) {}

  async online(account: string): Promise<boolean> {
    return (await this.redis.set(keyOf(account), '1', 'EX', PRESENCE_TTL_SECONDS, 'NX')) === 'OK';
  }

  async offline(account: string): Promise<boolean> {
    return (await this.redis.del(keyOf(account))) === 1;
  }

  async shown(account: string): Promise<boolean> {
    return (await this.redis.exists(keyOf(account))) === 1;
  }
}

function keyOf(account: string): string {
  return `presence:${account}`;
}
