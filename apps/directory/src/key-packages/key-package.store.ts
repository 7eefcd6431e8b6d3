/** Ids are lower-case hex, times Unix seconds. */
export interface StockedKeyPackage {
  keyPackage: Uint8Array;
  cipherSuite: number;
  expires: number;
  capability: string;
}

export interface TakenKeyPackage {
  device: string;
  keyPackage: Uint8Array;
  capability: string;
  lastResort: boolean;
  /** One-time packages that the device has left, of all suites. */
  left: number;
  /** True once per crossing of the low-water mark. */
  ranLow: boolean;
}

/**
 * The stock of key packages, and who took which.
 *
 * Guarantees: a one-time key package is returned at most once over all callers and replicas, even if its device publishes it again;
 * an expired one never. A last-resort package is returned only where the device has no one-time package of the suite.
 * Everything goes by its own expiry; a wipe costs devices a new publication.
 */
export interface KeyPackageStore {
  /** All or nothing. Returns the one-time packages now in stock; undefined when that would be more than `bound`. Re-arms the low-water mark when above it. */
  publish(
    account: string,
    device: string,
    oneTime: StockedKeyPackage[],
    lastResort: StockedKeyPackage | undefined,
    now: number,
  ): Promise<number | undefined>;
  /** One package of each device of the owner but `except`, and notes the capabilities in the ledger of (owner, claimer). */
  take(owner: string, claimer: string, cipherSuite: number, except: string, now: number): Promise<TakenKeyPackage[]>;
  count(account: string, device: string, now: number): Promise<{ left: number; hasLastResort: boolean }>;
  /** Empties the device's stock. What is spent stays spent. */
  clear(account: string, device: string): Promise<void>;
  /** Empties the stock of all devices of the account. */
  clearAll(account: string): Promise<void>;
  /** Capabilities that the claimer took from the owner, as long as their packages live. */
  takenBy(owner: string, claimer: string, now: number): Promise<string[]>;
}

export const KEY_PACKAGE_STORE = Symbol('KEY_PACKAGE_STORE');
