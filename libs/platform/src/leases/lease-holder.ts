import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { TIMES } from '@sotto/protocol';
import type { LeaseKind, LeaseStore } from '../live-state/lease.store.js';

const CLAIM_AGAIN_MS = 500;

export interface LeaseTerms {
  /**
   * Called when a renewal finds the lease gone, or is the first to be answered after one that was not: live state was wiped, was away for
   * longer than the lease, or may have been.
   */
  onWiped(): void;
  /** Whether this process can do what the lease says that it does. While it can't, the lease runs out. */
  mayRenew?(): boolean;
}

/** Claims an incarnation and renews its lease three times a lease time until released. */
export class LeaseHolder {
  private timer: NodeJS.Timeout | undefined;
  private released = false;
  /** A renewal failed: it may have been carried out, and the lease it would have missed is back. */
  private unsure = false;

  private constructor(
    private readonly store: LeaseStore,
    private readonly kind: LeaseKind,
    readonly incarnation: number,
    private readonly terms: LeaseTerms,
  ) {}

  static async claim(store: LeaseStore, kind: LeaseKind, terms: LeaseTerms): Promise<LeaseHolder> {
    for (;;) {
      const incarnation = randomBytes(4).readUInt32LE() || 1;
      const claimed = await store.claim(kind, incarnation, TIMES.leaseMs).catch(() => undefined);
      // Live state away: a process that gave up here would run on without its door.
      if (claimed === undefined) await sleep(CLAIM_AGAIN_MS);
      if (claimed !== true) continue;
      const holder = new LeaseHolder(store, kind, incarnation, terms);
      holder.timer = setInterval(() => void holder.renew(), TIMES.leaseMs / 3);
      return holder;
    }
  }

  async release(): Promise<void> {
    this.released = true;
    clearInterval(this.timer);
    await this.store.release(this.kind, this.incarnation).catch(() => undefined);
  }

  private async renew(): Promise<void> {
    if (this.terms.mayRenew?.() === false) return;
    const stood = await this.store.renew(this.kind, this.incarnation, TIMES.leaseMs).catch(() => undefined);
    if (this.released) return void (await this.store.release(this.kind, this.incarnation).catch(() => undefined));
    const wiped = stood === false || (stood === true && this.unsure);
    this.unsure = stood === undefined;
    if (wiped) this.terms.onWiped();
  }
}
