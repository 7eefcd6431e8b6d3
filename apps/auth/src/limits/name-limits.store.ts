import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ErrorCode } from '@sotto/protocol';
import type { LiveState } from '@sotto/platform/live-state';
import { RpcError } from '@sotto/platform/rpc';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

const WINDOW_SECONDS = 600;
const TRIES_PER_NAME_AND_ADDRESS = 20;
const TRIES_PER_NAME = 50;
/** What a try costs in time when a name is tried too often from anywhere: it slows, and locks nobody out. */
const SLOW_DOWN_MS = 1_000;

/**
 * Limits on password tries by name, existing or not; live state holds keyed hashes, never names. Charged before any lookup.
 */
export class NameLimits {
  private readonly byNameAndAddress: RateLimiterAbstract;
  private readonly byName: RateLimiterAbstract;

  constructor(
    liveState: LiveState,
    private readonly key: Uint8Array,
  ) {
    this.byNameAndAddress = limiterOf(liveState, 'try:name-address', TRIES_PER_NAME_AND_ADDRESS);
    this.byName = limiterOf(liveState, 'try:name', TRIES_PER_NAME);
  }

  /** Throws RpcError RATE_LIMITED for this name from this address; waits a second when the name alone is over its limit. */
  async charge(name: string, address: string): Promise<void> {
    const waitMs = await consume(this.byNameAndAddress, this.hash(`${name}\0${address}`));
    if (waitMs > 0) throw new RpcError(ErrorCode.RATE_LIMITED, 'Too many tries: try again later.', waitMs);
    if ((await consume(this.byName, this.hash(name))) > 0) await sleep(SLOW_DOWN_MS);
  }

  /** The right password gives the tries from this address back. */
  async forgive(name: string, address: string): Promise<void> {
    await this.byNameAndAddress.delete(this.hash(`${name}\0${address}`));
  }

  private hash(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url');
  }
}

/** Milliseconds to wait; 0: there was room. */
async function consume(limiter: RateLimiterAbstract, key: string): Promise<number> {
  try {
    await limiter.consume(key);
    return 0;
  } catch (reason) {
    if (reason instanceof RateLimiterRes) return Math.max(1, reason.msBeforeNext);
    throw reason;
  }
}

function limiterOf(liveState: LiveState, keyPrefix: string, points: number): RateLimiterAbstract {
  const memory = new RateLimiterMemory({ keyPrefix, points, duration: WINDOW_SECONDS });
  if (liveState.kind === 'memory') return memory;
  const options = { keyPrefix, points, duration: WINDOW_SECONDS, insuranceLimiter: memory, rejectIfRedisNotReady: true };
  return new RateLimiterRedis({ storeClient: liveState.redis, ...options });
}
