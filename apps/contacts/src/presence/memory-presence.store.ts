import { PRESENCE_TTL_SECONDS, type PresenceStore } from './presence.store.js';

/** Holds at most this many accounts; the one told longest ago goes first. */
const BOUND = 200_000;

/** PresenceStore of one process. */
export class MemoryPresenceStore implements PresenceStore {
  private readonly until = new Map<string, number>();

  online(account: string): Promise<boolean> {
    const fresh = (this.until.get(account) ?? 0) <= Date.now();
    this.until.delete(account);
    this.until.set(account, Date.now() + PRESENCE_TTL_SECONDS * 1_000);
    if (this.until.size > BOUND) this.until.delete(this.until.keys().next().value!);
    return Promise.resolve(fresh);
  }

  async offline(account: string): Promise<boolean> {
    const was = this.shown(account);
    this.until.delete(account);
    return was;
  }

  shown(account: string): Promise<boolean> {
    return Promise.resolve((this.until.get(account) ?? 0) > Date.now());
  }
}
