import { fromHex, LIMITS } from '@sotto/protocol';
import type { Journal } from '../storage/journal.js';

const COLLECTION = 'revoked';

/** Capability ids under which nobody may reach this device any more: told to the server at every Attach. The oldest make room when there are too many. */
export class RevokedCapabilities {
  readonly #ids: string[];
  #last: number;

  /** `records`: capability id → its place in the order of revocation. */
  constructor(
    records: ReadonlyMap<string, number>,
    private readonly limit: number = LIMITS.revokedCapabilities,
  ) {
    const ordered = [...records].sort(([, a], [, b]) => a - b);
    this.#ids = ordered.map(([id]) => id);
    this.#last = ordered.at(-1)?.[1] ?? 0;
  }

  /** Returns those that were not revoked before. */
  add(ids: readonly string[], journal: Journal): string[] {
    const known = new Set(this.#ids);
    const fresh = ids.filter((id) => !known.has(id) && known.add(id));
    for (const id of fresh) {
      this.#ids.push(id);
      journal.put(COLLECTION, id, ++this.#last);
    }
    for (const id of this.#ids.splice(0, this.#ids.length - this.limit)) journal.remove(COLLECTION, id);
    return fresh;
  }

  /** A device with another delivery key: no token of the one before opens anything. */
  clear(journal: Journal): void {
    for (const id of this.#ids.splice(0)) journal.remove(COLLECTION, id);
  }

  wire(): Uint8Array[] {
    return this.#ids.map(fromHex);
  }
}
