import { type CommitSlotStore, SLOT_LIFETIME_MS, slotKey } from './commit-slot.store.js';

/** Beyond this the oldest claims go, as if live state had been wiped. About 30 MB. */
const MOST_CLAIMS = 100_000;

interface Claim {
  commitId: Uint8Array;
  /** Milliseconds since the epoch. */
  end: number;
}

export class MemoryCommitSlotStore implements CommitSlotStore {
  /** Oldest first, so the first to end first. */
  private readonly claims = new Map<string, Claim>();

  constructor(
    private readonly lifetimeMs = SLOT_LIFETIME_MS,
    private readonly mostClaims = MOST_CLAIMS,
  ) {}

  async claim(slot: Uint8Array, commitId: Uint8Array): Promise<Uint8Array> {
    const now = Date.now();
    this.dropEnded(now);
    const key = slotKey(slot);
    const holder = this.claims.get(key);
    if (holder !== undefined) return holder.commitId;
    this.claims.set(key, { commitId: new Uint8Array(commitId), end: now + this.lifetimeMs });
    return commitId;
  }

  private dropEnded(now: number): void {
    for (const [key, { end }] of this.claims) {
      if (end > now && this.claims.size < this.mostClaims) return;
      this.claims.delete(key);
    }
  }
}
