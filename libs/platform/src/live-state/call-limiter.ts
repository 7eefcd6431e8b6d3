import { ErrorCode, RATE_CLASSES, RateClass } from '@sotto/protocol';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { RpcError } from '../rpc/rpc-error.js';
import type { LiveState } from './live-state.js';

interface ClassLimiters {
  account: RateLimiterAbstract;
  address: RateLimiterAbstract;
}

/** Limits of RATE_CLASSES on calls, over all replicas; while Redis is away each process counts for itself. Charge before any lookup. */
export class CallLimiter {
  private readonly limiters = new Map<RateClass, ClassLimiters>();

  constructor(liveState: LiveState) {
    for (const [name, rate] of Object.entries(RATE_CLASSES)) {
      const account = limiterOf(liveState, `rate:${name}:account`, rate.perAccount);
      const address = limiterOf(liveState, `rate:${name}:address`, rate.perAddress);
      this.limiters.set(Number(name), { account, address });
    }
  }

  /** '' for an account (anonymous) or an address (unknown) is not charged. Throws RpcError RATE_LIMITED. */
  async charge(rate: RateClass, who: { account: string; address: string }): Promise<void> {
    const limiters = this.limiters.get(rate);
    // INTERNAL: services call each other without a limit.
    if (limiters === undefined) return;
    const charges: Promise<RateLimiterRes>[] = [];
    if (who.account !== '') charges.push(limiters.account.consume(who.account));
    if (who.address !== '') charges.push(limiters.address.consume(who.address));
    const results = await Promise.allSettled(charges);
    const waits = results.flatMap((result) => (result.status === 'rejected' ? [waitOf(result.reason)] : []));
    if (waits.length > 0) throw new RpcError(ErrorCode.RATE_LIMITED, 'Too many calls: try again later.', Math.max(...waits));
  }
}

function waitOf(reason: unknown): number {
  if (reason instanceof RateLimiterRes) return reason.msBeforeNext;
  throw reason;
}

function limiterOf(liveState: LiveState, keyPrefix: string, { points, seconds }: { points: number; seconds: number }): RateLimiterAbstract {
  const memory = new RateLimiterMemory({ keyPrefix, points, duration: seconds });
  if (liveState.kind === 'memory') return memory;
  return new RateLimiterRedis({
    storeClient: liveState.redis,
    keyPrefix,
    points,
    duration: seconds,
    insuranceLimiter: memory,
    rejectIfRedisNotReady: true,
  });
}
