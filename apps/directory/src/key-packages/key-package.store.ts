import { LIMITS } from '@sotto/protocol';

/** Ids are lower-case hex, times Unix seconds if nothing else is said. */
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
  /** Its capability was revoked as it was handed out. */
  revoked: boolean;
}

export interface Claim {
  claimer: string;
  cipherSuite: number;
  /** Device to leave out; '' for none. */
  except: string;
  /** The owner does not want the claimer any more: it is answered from the same stock, and what it takes is revoked. */
  revoke: boolean;
  /** Since when the owner wants the claimer, as far as the claim knows. Unix milliseconds. */
  since: number;
}

/** `full`: live state has no room for anything now. */
export type BeyondBound = 'count' | 'bytes' | 'full';

/** What a claimer holds of one of the owner's devices. */
export interface TakenCapability {
  device: string;
  capability: string;
}

/**
 * The stock of key packages, and who took which.
 *
 * Guarantees: a one-time key package is returned at most once over all callers and replicas, even if its device publishes it again;
 * an expired one never. A last-resort package is returned only where the device has no one-time package of the suite.
 * A take and the end of its right (`revokeTaken`) come one after the other, over all callers and replicas: whatever was taken by a right that
 * has ended is revoked at the owner's devices (DeviceRouteStore.revoke), in that same step. A last-resort package whose capability is
 * revoked goes to nobody but those whose takes are revoked.
 * Everything goes by its own expiry; a wipe costs devices a new publication.
 */
export interface KeyPackageStore {
  /**
   * All or nothing: the stock of a device stays within LIMITS.oneTimeKeyPackages and, with its last-resort package, LIMITS.stockedKeyPackageBytes.
   * Returns the one-time packages now in stock, or what would be beyond its bound. Re-arms the low-water mark when above it.
   */
  publish(
    account: string,
    device: string,
    oneTime: StockedKeyPackage[],
    lastResort: StockedKeyPackage | undefined,
    now: number,
  ): Promise<number | BeyondBound>;
  /** One package of each device of the owner but `except`, and notes the capabilities in the ledger of (owner, claimer). */
  take(owner: string, claim: Claim, now: number): Promise<TakenKeyPackage[]>;
  /**
   * Revokes what the claimer has taken and `keep` does not name, and for END_COUNTS_SECONDS every take by a right that is not newer than `ended`
   * (Unix milliseconds). Returns all that is revoked, the second time too.
   */
  revokeTaken(owner: string, claimer: string, end: { ended: number; keep: readonly string[] }, now: number): Promise<TakenCapability[]>;
  count(account: string, device: string, now: number): Promise<{ left: number; hasLastResort: boolean }>;
  /** Empties the device's stock. What is spent stays spent. */
  clear(account: string, device: string): Promise<void>;
  /** Empties the stock of all devices of the account. */
  clearAll(account: string): Promise<void>;
}

/** Longer than a claim is on its way from the question for its right to the stock. */
export const END_COUNTS_SECONDS = 60;
/** What a ledger of one claimer remembers at most; what ends first makes room. */
export const MOST_IN_LEDGER = LIMITS.revokedCapabilities;
/** One-time packages of a device that were handed out, and are not taken in again: those of ten stocks; what ends first makes room. */
export const MOST_SPENT = 10 * LIMITS.oneTimeKeyPackages;

export const KEY_PACKAGE_STORE = Symbol('KEY_PACKAGE_STORE');
