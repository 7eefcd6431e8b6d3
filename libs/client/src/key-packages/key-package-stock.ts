import { type MlsEngine, type OwnKeyPackage } from '@sotto/mls';
import { KeyPackages, LIMITS, toHex } from '@sotto/protocol';
import type { Link } from '../connection/link.js';
import { deliveryToken, randomBytes } from '../sodium.js';
import type { Journal } from '../storage/journal.js';

/** MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519 (RFC 9420 §17.1). */
export const CIPHER_SUITE = 1;
const LIFETIME_SECONDS = 90 * 86_400;
/** Clocks of other devices may be behind, or this one ahead: by as much as lets them still connect. */
const SKEW_SECONDS = 86_400;
const RENEWAL_MS = 3_600_000;
const MOST_STOCKED = 1_000;

export interface StockedKeyPackage {
  readonly publicBytes: Uint8Array;
  readonly privateBytes: Uint8Array;
  readonly lastResort: boolean;
  /** Of one of last resort: it has let this device into a group. */
  readonly used?: boolean | undefined;
  /** Unix seconds. */
  readonly expires: number;
}

/** The private halves of what this device has published, by capability id. */
export class KeyPackageStock {
  #isOutdated = false;
  /** Capability of the package of last resort that was published since the program started. */
  #lastResort: string | undefined;
  /** Unix milliseconds. */
  #renewedAt = 0;

  constructor(
    readonly packages: Map<string, StockedKeyPackage>,
    private readonly deliveryKey: Uint8Array,
  ) {}

  candidates(): OwnKeyPackage[] {
    return [...this.packages.values()];
  }

  /** A one-time package is spent by the join that used it (RFC 9420 §10). True for one of last resort, which stays. */
  spend(used: OwnKeyPackage, journal: Journal): boolean {
    const found = [...this.packages].find(([, each]) => each.publicBytes === used.publicBytes);
    if (found === undefined) return false;
    const [capability, stocked] = found;
    if (!stocked.lastResort) this.discard([capability], journal);
    else this.#keep(capability, { ...stocked, used: true }, journal);
    return stocked.lastResort;
  }

  /** What was handed out under these capabilities reaches this device no more. */
  discard(capabilities: readonly string[], journal: Journal): void {
    for (const capability of capabilities) if (this.packages.delete(capability)) journal.remove('key-packages', capability);
  }

  /** Somebody used a package that is not here: the store is older than what is published. The next filling up begins with nothing. */
  outdated(): void {
    this.#isOutdated = true;
  }

  /** Fills the stock up: private halves durable first, then published. */
  async topUp(link: Link, engine: MlsEngine, journal: Journal): Promise<void> {
    this.#dropOld(journal);
    await this.#withdrawOutdated(link);
    const { left, hasLastResort: published } = await link.call(KeyPackages.method.count, {});
    const hasLastResort = published && this.#isLastResortFresh;
    const missing = LIMITS.oneTimeKeyPackages - left;
    if (left > LIMITS.keyPackagesLowWater && hasLastResort) return;
    const oneTime = [];
    for (let i = 0; i < missing; i++) oneTime.push(await this.make(engine, journal, false));
    const lastResort = hasLastResort ? undefined : await this.make(engine, journal, true);
    await journal.commit();
    await link.call(KeyPackages.method.publish, { oneTime, ...(lastResort && { lastResort }) });
    if (lastResort !== undefined) this.#lastResort = toHex(lastResort.capability);
  }

  /**
   * One that was used is replaced, since its capability is revoked a day later; so is one whose capability was revoked. After a start as well:
   * the one that is published may be younger than a store that was put back.
   */
  get #isLastResortFresh(): boolean {
    const published = this.packages.get(this.#lastResort ?? '');
    return published !== undefined && published.used !== true;
  }

  /** At most once an hour: anybody with a token can send a Welcome that opens with nothing. */
  async #withdrawOutdated(link: Link): Promise<void> {
    if (!this.#isOutdated || Date.now() - this.#renewedAt < RENEWAL_MS) return;
    await link.call(KeyPackages.method.clear, {});
    this.#isOutdated = false;
    this.#renewedAt = Date.now();
  }

  /** Those that nobody can use any more, and of too many the oldest. */
  #dropOld(journal: Journal): void {
    const now = Math.floor(Date.now() / 1_000);
    const expired = [...this.packages].filter(([, { expires }]) => expires < now).map(([capability]) => capability);
    this.discard(expired, journal);
    const oldestFirst = [...this.packages].sort(([, a], [, b]) => a.expires - b.expires).map(([capability]) => capability);
    this.discard(oldestFirst.slice(0, Math.max(0, oldestFirst.length - MOST_STOCKED)), journal);
  }

  #keep(capability: string, stocked: StockedKeyPackage, journal: Journal): void {
    this.packages.set(capability, stocked);
    journal.put('key-packages', capability, stocked);
  }

  /** Its private half is durable with the step: nothing of it may leave the device before. */
  async make(engine: MlsEngine, journal: Journal, lastResort: boolean) {
    const capability = randomBytes(16);
    const now = Math.floor(Date.now() / 1_000);
    const expires = now + LIFETIME_SECONDS;
    const lifetime = { notBefore: now - SKEW_SECONDS, notAfter: expires };
    const made = await engine.generateKeyPackage({ token: deliveryToken(capability, this.deliveryKey), lifetime, lastResort });
    const stocked = { publicBytes: made.publicBytes, privateBytes: made.privateBytes, lastResort, expires };
    this.#keep(toHex(capability), stocked, journal);
    return { keyPackage: made.publicBytes, cipherSuite: CIPHER_SUITE, expires: BigInt(expires), capability };
  }
}
