import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { TIMES } from '@sotto/protocol';
import type { LeaseKind, LeaseStore } from '../live-state/lease.store.js';

const CLAIM_AGAIN_MS = 500;

/** Claims an incarnation and renews its lease three times a lease time until released. */
export class LeaseHolder {
  private timer: NodeJS.Timeout | undefined;
  private released = false;

  private constructor(
    private readonly store: LeaseStore,
    private readonly kind: LeaseKind,
    readonly incarnation: number,
    private readonly onWiped: () => void,
  ) {}

  /** `onWiped` is called when a renewal finds the lease gone: live state was wiped, or was away for longer than the lease. */
  static async claim(store: LeaseStore, kind: LeaseKind, onWiped: () => void): Promise<LeaseHolder> {
    for (;;) {
      const incarnation = randomBytes(4).readUInt32LE() || 1;
      const claimed = await store.claim(kind, incarnation, TIMES.leaseMs).catch(() => undefined);
      // Live state away: a process that gave up here would run on without its door.
      if (claimed === undefined) await sleep(CLAIM_AGAIN_MS);
      if (claimed !== true) continue;
      const holder = new LeaseHolder(store, kind, incarnation, onWiped);
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
    // Live state away: the next renewal tells whether the lease survived.
    const stood = await this.store.renew(this.kind, this.incarnation, TIMES.leaseMs).catch(() => undefined);
    if (this.released) await this.store.release(this.kind, this.incarnation).catch(() => undefined);
    else if (stood === false) this.onWiped();
  }
}
