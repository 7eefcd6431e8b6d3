import type { ClaimedPackage } from './group-ports.js';

const FIRST_WAIT_MS = 15_000;
const LAST_WAIT_MS = 600_000;
/** What was used is claimed anew at once, so often in a row; then as often as one wait allows. Each claim takes packages of which there are not many. */
const AT_ONCE = 4;
/** A claimed package is not kept for ever: its device may be gone. */
const FRESH_MS = 3_600_000;

interface Claim {
  packages?: ReadonlyMap<string, ClaimedPackage> | undefined;
  claimedAt: number;
  asking: boolean;
  nextAt: number;
  waitMs: number;
  /** When as many as AT_ONCE may be made again. */
  spentUntil: number;
}

/** Key packages at hand of other accounts, one a device, each used once, and when to claim more. Kept in memory alone. */
export class Claims {
  readonly #claims = new Map<string, Claim>();

  /** Undefined when there are none; `ask` is called when it is time to claim some. */
  packagesOf(account: string, now: number, ask: () => void): ReadonlyMap<string, ClaimedPackage> | undefined {
    const claim = this.#of(account);
    if (claim.packages !== undefined && now - claim.claimedAt < FRESH_MS) return claim.packages;
    const isDue = now >= claim.nextAt && claim.spentUntil - now <= (AT_ONCE - 1) * FIRST_WAIT_MS;
    if (!claim.asking && isDue) {
      claim.asking = true;
      claim.spentUntil = Math.max(claim.spentUntil, now) + FIRST_WAIT_MS;
      claim.nextAt = now + claim.waitMs;
      claim.waitMs = Math.min(2 * claim.waitMs, LAST_WAIT_MS);
      ask();
    }
    return undefined;
  }

  isClaiming(account: string): boolean {
    return this.#claims.get(account)?.asking === true;
  }

  /** Undefined: the claim was not answered. */
  claimed(account: string, packages: ReadonlyMap<string, ClaimedPackage> | undefined, now: number): void {
    const claim = this.#of(account);
    claim.asking = false;
    if (packages === undefined) return;
    claim.packages = packages;
    claim.claimedAt = now;
  }

  used(account: string): void {
    const claim = this.#claims.get(account);
    if (claim === undefined) return;
    claim.packages = undefined;
    claim.nextAt = 0;
    claim.waitMs = FIRST_WAIT_MS;
  }

  /** None of them is of use: others are claimed after waits that grow, as after claims that bring none. */
  useless(account: string): void {
    const claim = this.#claims.get(account);
    if (claim !== undefined) claim.packages = undefined;
  }

  /** Its devices are others now, or under another key: what was claimed leads to those before. */
  forget(account: string): void {
    this.#claims.delete(account);
  }

  /** The account is there: now it may have packages. */
  sighted(account: string): void {
    const claim = this.#claims.get(account);
    if (claim !== undefined) claim.nextAt = 0;
  }

  /** Claims under way were lost with the connection. */
  disconnected(): void {
    for (const claim of this.#claims.values()) claim.asking = false;
  }

  #of(account: string): Claim {
    const known = this.#claims.get(account) ?? { claimedAt: 0, asking: false, nextAt: 0, waitMs: FIRST_WAIT_MS, spentUntil: 0 };
    this.#claims.set(account, known);
    return known;
  }
}
