import type { LeaseKind, LeaseStore } from './lease.store.js';

export class MemoryLeaseStore implements LeaseStore {
  /** Incarnation → when its lease ends. Bounded by the processes there are: ended ones go at each claim and each look. */
  private readonly ends = { gateway: new Map<number, number>(), relay: new Map<number, number>() };

  constructor(private readonly now: () => number = Date.now) {}

  async claim(kind: LeaseKind, incarnation: number, ttlMs: number): Promise<boolean> {
    const leases = this.current(kind);
    if (leases.has(incarnation)) return false;
    leases.set(incarnation, this.now() + ttlMs);
    return true;
  }

  async renew(kind: LeaseKind, incarnation: number, ttlMs: number): Promise<boolean> {
    const leases = this.current(kind);
    const stood = leases.has(incarnation);
    leases.set(incarnation, this.now() + ttlMs);
    return stood;
  }

  async release(kind: LeaseKind, incarnation: number): Promise<void> {
    this.ends[kind].delete(incarnation);
  }

  async alive(kind: LeaseKind): Promise<number[]> {
    return [...this.current(kind).keys()];
  }

  private current(kind: LeaseKind): Map<number, number> {
    const leases = this.ends[kind];
    const now = this.now();
    for (const [incarnation, end] of leases) if (end <= now) leases.delete(incarnation);
    return leases;
  }
}
