import type { StateId } from '@sotto/mls';
import { ID_BYTES } from '@sotto/protocol';

const MOST_REFUSED = 256;
const MOST_UNREACHABLE = 1_000;

/** Commits that were refused, and the states behind them, which this device will never have. The oldest are forgotten. */
export class OutOfReach {
  /** By id and the parent that it was said to have; whether it could not be processed (else the policy is against it). */
  readonly #refused = new Map<string, boolean>();
  /** With their epochs. */
  readonly #states = new Map<StateId, number>();
  #revision = 0;

  /** Another number after each change. */
  get revision(): number {
    return this.#revision;
  }

  has(state: StateId): boolean {
    return this.#states.has(state);
  }

  states(): Iterable<StateId> {
    return this.#states.keys();
  }

  isRefused(commit: StateId, parent: StateId): boolean {
    return this.#refused.has(commit + parent);
  }

  refused(): StateId[] {
    return [...this.#refused.keys()].map(idOf);
  }

  /** Commits that others may be able to process, and this device is not. */
  unprocessable(): StateId[] {
    return [...this.#refused].flatMap(([each, unprocessable]) => (unprocessable ? idOf(each) : []));
  }

  refuse(commit: StateId, parent: StateId, { epoch, unprocessable }: { readonly epoch: number; readonly unprocessable: boolean }): void {
    this.#revision++;
    this.#refused.set(commit + parent, unprocessable);
    this.add(commit, epoch);
    if (this.#refused.size > MOST_REFUSED) this.#refused.delete(this.#refused.keys().next().value!);
  }

  add(state: StateId, epoch: number): void {
    this.#revision++;
    this.#states.set(state, epoch);
    if (this.#states.size > MOST_UNREACHABLE) this.#states.delete(this.#states.keys().next().value!);
  }

  /** It was reached after all. */
  remove(state: StateId): void {
    if (this.#states.delete(state)) this.#revision++;
  }

  /** What the leaf before this one could not process, the new one may, where it begins. */
  beginAnew(root: StateId, epoch: number): void {
    this.#revision++;
    this.#refused.clear();
    for (const [id, at] of this.#states) if (id === root || at > epoch) this.#states.delete(id);
  }
}

const idOf = (key: string): StateId => key.slice(0, 2 * ID_BYTES);
