import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import type { LiveState } from './live-state.js';

export interface RateLimitOptions {
  keyPrefix: string;
  points: number;
  seconds: number;
}

/** So many points of a key in a time, over all replicas; while Redis is away each process counts for itself. Charge before any lookup. */
export class RateLimit {
  private readonly limiter: RateLimiterAbstract;

  constructor(liveState: LiveState, { keyPrefix, points, seconds: duration }: RateLimitOptions) {
    const memory = new RateLimiterMemory({ keyPrefix, points, duration });
    this.limiter =
      liveState.kind === 'memory'
        ? memory
        : new RateLimiterRedis({
            storeClient: liveState.redis,
            keyPrefix,
            points,
            duration,
            insuranceLimiter: memory,
            rejectIfRedisNotReady: true,
          });
  }

  /** Takes a point. Returns the milliseconds to wait for one when there is none left; 0: taken. */
  async take(key: string): Promise<number> {
    try {
      await this.limiter.consume(key);
      return 0;
    } catch (reason) {
      if (reason instanceof RateLimiterRes) return Math.max(1, reason.msBeforeNext);
      throw reason;
    }
  }
}
