import { Buffer } from 'node:buffer';
import type { Redis } from 'ioredis';
import { type CommitSlotStore, SLOT_LIFETIME_MS, slotKey } from './commit-slot.store.js';

/** slot:<hash of the slot> → commit id. SET with NX and GET (Redis 7) is the whole claim: one command, atomic. */
export class RedisCommitSlotStore implements CommitSlotStore {
  constructor(
    private readonly redis: Redis,
    private readonly lifetimeMs = SLOT_LIFETIME_MS,
  ) {}

  async claim(slot: Uint8Array, commitId: Uint8Array): Promise<Uint8Array> {
    const holder = await this.redis.setBuffer(`slot:${slotKey(slot)}`, Buffer.from(commitId), 'PX', this.lifetimeMs, 'NX', 'GET');
    return holder === null ? commitId : new Uint8Array(holder);
  }
}
