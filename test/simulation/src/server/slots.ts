const KEPT_MS = 7 * 86_400_000;

/** Commit slots in live state: the first commit that claims one holds it for seven days. */
export class Slots {
  readonly #held = new Map<string, { readonly commit: string; readonly until: number }>();

  /** The commit that holds the slot from now on: this one, or the one that was first. */
  claim(slot: string, commit: string, now: number): string {
    const held = this.#held.get(slot);
    if (held !== undefined && held.until > now) return held.commit;
    this.#held.set(slot, { commit, until: now + KEPT_MS });
    return commit;
  }

  /** All claims are lost. Returns whether there were any. */
  wipe(): boolean {
    const any = this.#held.size > 0;
    this.#held.clear();
    return any;
  }
}
