import { ErrorCode, RATE_CLASSES, type RateClass } from '@sotto/protocol';
import { RpcError } from '../rpc/rpc-error.js';
import type { LiveState } from './live-state.js';
import { RateLimit } from './rate-limit.js';

interface ClassLimits {
  account: RateLimit;
  address: RateLimit;
}

/** Limits of RATE_CLASSES on calls (see RateLimit). Charge before any lookup. */
export class CallLimiter {
  private readonly limits = new Map<RateClass, ClassLimits>();

  constructor(liveState: LiveState) {
    for (const [name, { perAccount, perAddress }] of Object.entries(RATE_CLASSES)) {
      const account = new RateLimit(liveState, { keyPrefix: `rate:${name}:account`, ...perAccount });
      const address = new RateLimit(liveState, { keyPrefix: `rate:${name}:address`, ...perAddress });
      this.limits.set(Number(name), { account, address });
    }
  }

  /** '' for an account (anonymous) or an address (unknown) is not charged. Throws RpcError RATE_LIMITED. */
  async charge(rate: RateClass, who: { account: string; address: string }): Promise<void> {
    const limits = this.limits.get(rate);
    // INTERNAL: services call each other without a limit.
    if (limits === undefined) return;
    const charges: Promise<number>[] = [];
    if (who.account !== '') charges.push(limits.account.take(who.account));
    if (who.address !== '') charges.push(limits.address.take(who.address));
    const wait = Math.max(0, ...(await Promise.all(charges)));
    if (wait > 0) throw new RpcError(ErrorCode.RATE_LIMITED, 'Too many calls: try again later.', wait);
  }
}
