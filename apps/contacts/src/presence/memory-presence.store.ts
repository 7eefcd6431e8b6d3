import { PRESENCE_TTL_SECONDS, type PresenceStore, type Sight } from './presence.store.js';

/** Holds at most as many of each kind; the one told longest ago goes first. */
const BOUND = 200_000;

/** PresenceStore of one process. */
export class MemoryPresenceStore implements PresenceStore {
  /** By account, or account and who sees it: until when. Unix milliseconds. */
  private readonly until = new Map<string, number>();
  private readonly keptUntil = new Map<string, number>();

  online(account: string): Promise<boolean> {
    const fresh = !isThere(this.until, account);
    put(this.until, account, PRESENCE_TTL_SECONDS * 1_000);
    return Promise.resolve(fresh);
  }

  offline(account: string): Promise<boolean> {
    const was = isThere(this.until, account);
    this.until.delete(account);
    return Promise.resolve(was);
  }

  shown(accounts: readonly string[]): Promise<Set<string>> {
    return Promise.resolve(new Set(accounts.filter((account) => isThere(this.until, account))));
  }

  keep(account: string, to: readonly string[], forMs: number): Promise<void> {
    for (const each of to) put(this.keptUntil, sightKeyOf({ account, to: each }), forMs);
    return Promise.resolve();
  }

  kept(sights: readonly Sight[]): Promise<boolean[]> {
    return Promise.resolve(sights.map((sight) => isThere(this.keptUntil, sightKeyOf(sight))));
  }
}

function put(until: Map<string, number>, key: string, forMs: number): void {
  until.delete(key);
  until.set(key, Date.now() + forMs);
  if (until.size > BOUND) until.delete(until.keys().next().value!);
}

function isThere(until: ReadonlyMap<string, number>, key: string): boolean {
  return (until.get(key) ?? 0) > Date.now();
}

function sightKeyOf({ account, to }: Sight): string {
  return `${account}:${to}`;
}
