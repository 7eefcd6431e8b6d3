/** The kinds of process that others must know to be alive. */
export type LeaseKind = 'gateway' | 'relay';

/**
 * Leases of process incarnations (docs/decisions/incarnations-and-leases.md). An incarnation is a random non-zero uint32.
 * A lease ends `ttlMs` after its last renewal.
 */
export interface LeaseStore {
  /** Claims the incarnation. False: it is taken (pick another). Atomic over all callers. */
  claim(kind: LeaseKind, incarnation: number, ttlMs: number): Promise<boolean>;
  /** Renews. False: the lease was not there any more (live state was wiped, or we were too late); it is now there again. */
  renew(kind: LeaseKind, incarnation: number, ttlMs: number): Promise<boolean>;
  release(kind: LeaseKind, incarnation: number): Promise<void>;
  /** All incarnations of the kind with a lease now. */
  alive(kind: LeaseKind): Promise<number[]>;
}

export const LEASE_STORE = Symbol('LEASE_STORE');
