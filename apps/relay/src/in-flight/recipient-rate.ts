import type { RelayConfig } from '../relay.config.js';
import type { RelayPorts } from './relay-ports.js';

const SWEEP_FROM = 1_024;

/**
 * How many recipients an account may write to in a time. What a message costs this process goes by its recipients, which the gateway's limit on
 * messages does not see: without this one sender to a thousand devices could take the time of all others.
 */
export class RecipientRate {
  /** Account → when what it took would be used up at the allowed rate. Milliseconds since the epoch; what is past counts no more. */
  private readonly usedUntil = new Map<string, number>();
  private sweepAt = SWEEP_FROM;

  constructor(
    private readonly config: Pick<RelayConfig, 'recipientsPerSecond' | 'recipientsAtOnce'>,
    private readonly ports: Pick<RelayPorts, 'now'>,
  ) {}

  /** Takes that many. Returns the milliseconds to wait when there is no room for them; 0: taken. */
  take(account: string, recipients: number): number {
    const { recipientsPerSecond, recipientsAtOnce } = this.config;
    const now = this.ports.now();
    const until = Math.max(this.usedUntil.get(account) ?? 0, now) + (recipients / recipientsPerSecond) * 1_000;
    const wait = Math.ceil(until - now - (recipientsAtOnce / recipientsPerSecond) * 1_000);
    if (wait > 0) return wait;
    this.usedUntil.set(account, until);
    if (this.usedUntil.size > this.sweepAt) this.sweep(now);
    return 0;
  }

  private sweep(now: number): void {
    for (const [account, until] of this.usedUntil) if (until <= now) this.usedUntil.delete(account);
    this.sweepAt = Math.max(SWEEP_FROM, 2 * this.usedUntil.size);
  }
}
