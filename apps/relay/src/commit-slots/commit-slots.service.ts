import type { RateLimit } from '@sotto/platform/live-state';
import type { CommitSlotStore } from './commit-slot.store.js';

/** The commit that has the slot now, or for how long this account must wait before it claims again. */
export type SlotAnswer = { holder: Uint8Array } | { waitMs: number };

/** Claims of commit slots, bounded for each account: no client fills live state with them. */
export class CommitSlots {
  constructor(
    private readonly store: CommitSlotStore,
    private readonly perAccount: RateLimit,
  ) {}

  /** As CommitSlotStore.claim. */
  async claim(account: string, slot: Uint8Array, commitId: Uint8Array): Promise<SlotAnswer> {
    const waitMs = await this.perAccount.take(account);
    return waitMs > 0 ? { waitMs } : { holder: await this.store.claim(slot, commitId) };
  }
}
