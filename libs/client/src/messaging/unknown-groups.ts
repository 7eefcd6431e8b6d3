/** How long a Welcome may take, or a greeting of those who are there. */
const EXPECTED_MS = 3_600_000;
/** Without a word for so long, what comes then is of another beginning. */
const FORGOTTEN_MS = 86_400_000;
const MOST_GROUPS = 1_000;

/** Groups that write to this device, and of which it knows nothing: it was let in and its Welcome is not here, or its store is older than that. */
export class UnknownGroups {
  readonly #heard = new Map<string, { readonly since: number; last: number }>();

  /** Whether that lasts for so long that nothing will let this device in by itself: those who write have to be told. Unix milliseconds. */
  isLost(group: string, now: number): boolean {
    const before = this.#heard.get(group);
    const heard = before !== undefined && now - before.last < FORGOTTEN_MS ? before : { since: now, last: now };
    heard.last = now;
    this.#heard.delete(group);
    this.#heard.set(group, heard);
    if (this.#heard.size > MOST_GROUPS) this.#heard.delete(this.#heard.keys().next().value!);
    return now - heard.since > EXPECTED_MS;
  }

  forget(group: string): void {
    this.#heard.delete(group);
  }
}
