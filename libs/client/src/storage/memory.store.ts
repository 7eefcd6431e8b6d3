import { ClientError } from '../client-error.js';
import type { Change, Store } from './store.js';

/** Keeps everything until the process ends, however much that is: for bots, tests and private windows. */
export class MemoryStore implements Store {
  readonly #collections = new Map<string, Map<string, Uint8Array>>();
  #closed = false;

  async load(collection: string): Promise<Map<string, Uint8Array>> {
    return new Map([...(this.#collections.get(collection) ?? [])].map(([key, value]) => [key, value.slice()]));
  }

  async get(collection: string, keys: readonly string[]): Promise<Map<string, Uint8Array>> {
    const records = this.#collections.get(collection);
    return new Map(
      keys.flatMap((key) => {
        const value = records?.get(key);
        return value === undefined ? [] : [[key, value.slice()] as const];
      }),
    );
  }

  async commit(batch: readonly Change[]): Promise<void> {
    if (this.#closed) throw new ClientError('storage-failed', 'the store is closed');
    for (const { collection, key, value } of batch) {
      const records = this.#collections.get(collection) ?? new Map<string, Uint8Array>();
      this.#collections.set(collection, records);
      if (value === undefined) records.delete(key);
      else records.set(key, value.slice());
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}
