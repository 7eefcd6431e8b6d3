/** An account, and one who has it in its list. */
export interface Sight {
  readonly account: string;
  readonly to: string;
}

/**
 * What contacts were last told of an account, which is what they are shown until they are told otherwise. Whether someone is online is read from
 * the routes. An entry that is lost costs a repeated event.
 */
export interface PresenceStore {
  /** Returns true to one caller over all replicas, until `offline` is called. */
  online(account: string): Promise<boolean>;
  /** Returns whether the account was told to be online; true to one caller. */
  offline(account: string): Promise<boolean>;
  /** Of these accounts, those of whom it was told that they are online, and not yet that they are gone. */
  shown(accounts: readonly string[]): Promise<Set<string>>;
  /** For as long these are to see the account as before, though it is no contact of theirs any more. @param forMs milliseconds */
  keep(account: string, to: readonly string[], forMs: number): Promise<void>;
  /** Which of these see an account only because it was kept for them, in their order. */
  kept(sights: readonly Sight[]): Promise<boolean[]>;
}

export const PRESENCE_STORE = Symbol('PRESENCE_STORE');
/** Longer than any connection lasts. */
export const PRESENCE_TTL_SECONDS = 30 * 24 * 3_600;
