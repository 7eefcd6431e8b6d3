import type { Journal } from '../storage/journal.js';
import { decodeRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';

interface Written {
  /** Undefined: it is removed. */
  readonly value: unknown;
}

/** Records of the store as they will be when the step at work is committed: one step may write a record and read it again. */
export class Records {
  readonly #uncommitted = new Map<string, Map<string, Written>>();

  constructor(private readonly store: Store) {}

  async get<T>(collection: string, key: string): Promise<T | undefined> {
    const written = this.#uncommitted.get(collection)?.get(key);
    if (written !== undefined) return written.value as T | undefined;
    const bytes = (await this.store.get(collection, [key])).get(key);
    return bytes && decodeRecord<T>(bytes);
  }

  async all<T>(collection: string): Promise<Map<string, T>> {
    const stored = await this.store.load(collection);
    const all = new Map([...stored].map(([key, bytes]) => [key, decodeRecord<T>(bytes)]));
    for (const [key, { value }] of this.#uncommitted.get(collection) ?? []) {
      if (value === undefined) all.delete(key);
      else all.set(key, value as T);
    }
    return all;
  }

  put(collection: string, key: string, value: unknown, journal: Journal): void {
    journal.put(collection, key, value);
    this.#written(collection, key, { value }, journal);
  }

  remove(collection: string, key: string, journal: Journal): void {
    journal.remove(collection, key);
    this.#written(collection, key, { value: undefined }, journal);
  }

  #written(collection: string, key: string, written: Written, journal: Journal): void {
    const keys = this.#uncommitted.get(collection) ?? new Map<string, Written>();
    this.#uncommitted.set(collection, keys.set(key, written));
    journal.afterwards(() => {
      if (keys.get(key) === written) keys.delete(key);
      if (keys.size === 0 && this.#uncommitted.get(collection) === keys) this.#uncommitted.delete(collection);
    });
  }
}
