import { ClientError } from '../client-error.js';
import { encodeRecord } from './record.js';
import type { Change, Store } from './store.js';

/** Gathers the effects of one step: everything durable in one commit, and only then what leaves the device, in order. */
export class Journal {
  #changes: Change[] = [];
  #afterwards: (() => void)[] = [];
  readonly #lastly = new Map<object, () => void | Promise<void>>();

  constructor(private readonly store: Store) {}

  put(collection: string, key: string, value: unknown): void {
    this.#changes.push({ collection, key, value: encodeRecord(value) });
  }

  remove(collection: string, key: string): void {
    this.#changes.push({ collection, key });
  }

  /** Runs when the step is durable: acknowledgements, sends, events to the program. */
  afterwards(act: () => void): void {
    this.#afterwards.push(act);
  }

  /**
   * Runs once for its owner, when everything else of the step is done: what many parts of a step change is gathered then. Again, if what
   * runs then asks for it.
   */
  lastly(owner: object, act: () => void | Promise<void>): void {
    this.#lastly.set(owner, act);
  }

  async commit(): Promise<void> {
    while (this.#lastly.size > 0) {
      const acts = [...this.#lastly.values()];
      this.#lastly.clear();
      for (const act of acts) await act();
    }
    const changes = this.#changes;
    const afterwards = this.#afterwards;
    this.#changes = [];
    this.#afterwards = [];
    if (changes.length > 0) {
      try {
        await this.store.commit(changes);
      } catch (error) {
        if (error instanceof ClientError) throw error;
        throw new ClientError('storage-failed', "the device's store could not be written");
      }
    }
    for (const act of afterwards) act();
  }
}
