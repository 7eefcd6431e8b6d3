import type { Rung } from '../groups/group-ports.js';

/** How often each rung of the ladder by which groups heal was used. */
export class Rungs {
  readonly #counts = new Map<Rung, number>();

  count(rung: Rung): void {
    this.#counts.set(rung, (this.#counts.get(rung) ?? 0) + 1);
  }

  all(): ReadonlyMap<Rung, number> {
    return this.#counts;
  }
}
