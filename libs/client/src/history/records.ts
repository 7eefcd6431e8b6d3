import type { Journal } from '../storage/journal.js';
import { decodeRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';

/** Single records of the store, as they will be when the step at work is committed: one step may write a record and read it again. */
export class Records {
  /** Undefined: it is removed. */
  readonly #uncommitted = new Map<string, { readonly value: unknown }>();

  constructor(private readonly store: Store) {}

  async get<T>(collection: string, key: string): Promise<T | undefined> {
    return (await this.many<T>(collection, [key])).get(key);
  }

  async many<T>(collection: string, keys: readonly string[]): Promise<Map<string, T>> {
    const found = new Map<string, T>();
    const stored = await this.store.get(
      collection,
      keys.filter((key) => !this.#uncommitted.has(`${collection}/${key}`)),
    );
    for (const key of keys) {
      const uncommitted = this.#uncommitted.get(`${collection}/${key}`);
      const bytes = stored.get(key);
      const value = uncommitted === undefined ? bytes && decodeRecord<T>(bytes) : (uncommitted.value as T | undefined);
      if (value !== undefined) found.set(key, value);
    }
    return found;
  }

  put(collection: string, key: string, value: unknown, journal: Journal): void {
    journal.put(collection, key, value);
    this.#written(`${collection}/${key}`, value, journal);
  }

  remove(collection: string, key: string, journal: Journal): void {
    journal.remove(collection, key);
    this.#written(`${collection}/${key}`, undefined, journal);
  }

  #written(place: string, value: unknown, journal: Journal): void {
    const written = { value };
    this.#uncommitted.set(place, written);
    journal.afterwards(() => {
      if (this.#uncommitted.get(place) === written) this.#uncommitted.delete(place);
    });
  }
}
