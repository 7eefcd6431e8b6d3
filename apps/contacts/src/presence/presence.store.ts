/**
 * What contacts were last told of an account. Only there to tell a change once; whether someone is online is read from the routes.
 * An entry that is lost costs a repeated event.
 */
export interface PresenceStore {
  /** Returns true to one caller over all replicas, until `offline` is called. */
  online(account: string): Promise<boolean>;
  /** Returns whether the account was told to be online; true to one caller. */
  offline(account: string): Promise<boolean>;
  /** Whether the account was told to be online, and not yet to be gone. */
  shown(account: string): Promise<boolean>;
}

export const PRESENCE_STORE = Symbol('PRESENCE_STORE');
/** Longer than any connection lasts. */
export const PRESENCE_TTL_SECONDS = 30 * 24 * 3_600;
