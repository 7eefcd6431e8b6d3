import type { LiveState } from '@sotto/platform/live-state';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import type { DirectoryConfig } from '../config.js';

const HOUR_SECONDS = 3_600;

/** How much an account may claim: in all, and from one other account. Charged before anything is looked up, so it tells nothing. */
export class ClaimBudgetStore {
  private readonly perCaller: RateLimiterAbstract;
  private readonly perTarget: RateLimiterAbstract;

  constructor(live: LiveState, config: DirectoryConfig) {
    this.perCaller = limiterOf(live, 'claims:caller', config.CLAIMS_PER_ACCOUNT);
    this.perTarget = limiterOf(live, 'claims:target', config.CLAIMS_PER_CONTACT);
  }

  /** Milliseconds to wait; 0: go on. */
  async charge(caller: string, target: string): Promise<number> {
    const charges = await Promise.allSettled([this.perCaller.consume(caller), this.perTarget.consume(`${caller}:${target}`)]);
    return Math.max(...charges.map((charge) => (charge.status === 'rejected' ? waitOf(charge.reason) : 0)));
  }
}

function waitOf(reason: unknown): number {
  if (reason instanceof RateLimiterRes) return reason.msBeforeNext;
  throw reason;
}

/** While Redis is away each process counts for itself. */
function limiterOf(live: LiveState, keyPrefix: string, points: number): RateLimiterAbstract {
  const memory = new RateLimiterMemory({ keyPrefix, points, duration: HOUR_SECONDS });
  if (live.kind === 'memory') return memory;
  return new RateLimiterRedis({
    storeClient: live.redis,
    keyPrefix,
    points,
    duration: HOUR_SECONDS,
    insuranceLimiter: memory,
    rejectIfRedisNotReady: true,
  });
}
