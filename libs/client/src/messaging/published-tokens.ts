import type { ClaimedPackage } from '../groups/group-ports.js';

const LOOKED_UP_EVERY_MS = 86_400_000;
const MOST_KNOWN = 1_000;

/** By which devices are reached as their key packages say. To look one up costs a package of each device of the account: once a day. */
export class PublishedTokens {
  readonly #tokens = new Map<string, Uint8Array>();
  /** By account. Unix milliseconds. */
  readonly #lookedUpAt = new Map<string, number>();

  /** Undefined: not known, or not yet. `lookUp` is called when it is time to. */
  of(account: string, device: string, now: number, lookUp: () => void): Uint8Array | undefined {
    const at = this.#lookedUpAt.get(account);
    if (at === undefined || now - at >= LOOKED_UP_EVERY_MS) {
      this.#lookedUpAt.set(account, now);
      forgetOldest(this.#lookedUpAt);
      lookUp();
    }
    return this.#tokens.get(device);
  }

  claimed(packages: ReadonlyMap<string, ClaimedPackage>): void {
    for (const [device, { token }] of packages) this.#tokens.set(device, token);
    forgetOldest(this.#tokens);
  }
}

function forgetOldest(known: Map<string, unknown>): void {
  for (const key of known.keys()) {
    if (known.size <= MOST_KNOWN) return;
    known.delete(key);
  }
}
