import { createHash } from 'node:crypto';

/** How long a claim stands: longer than members of a group are usually apart. Milliseconds. */
export const SLOT_LIFETIME_MS = 7 * 24 * 3_600_000;

const LABEL = 'sotto v1 commit slot\0';

/** Which commit has which slot: of all that claim one, the first, whichever relay they went to. */
export interface CommitSlotStore {
  /**
   * Gives the slot to this commit unless another has it; returns the id of the commit that has it now. Of concurrent claims one wins, over
   * all relays. A claim stands for SLOT_LIFETIME_MS after it was made, or until live state is wiped. Rejects while live state is away; the
   * claim may then have been made all the same.
   * @param slot 32 bytes. @param commitId 16 bytes.
   */
  claim(slot: Uint8Array, commitId: Uint8Array): Promise<Uint8Array>;
}

export const COMMIT_SLOT_STORE = Symbol('COMMIT_SLOT_STORE');

/** What stores keep of a slot: whoever reads them learns no secret that a group's members export. */
export function slotKey(slot: Uint8Array): string {
  return createHash('sha256').update(LABEL).update(slot).digest('base64url');
}
