/** One record to write (`value`), or to take away (no value). */
export interface Change {
  readonly collection: string;
  readonly key: string;
  readonly value?: Uint8Array;
}

/**
 * Where a device keeps its state.
 * `commit`: all changes or none, and durable when the promise resolves; commits take effect in the order of the calls.
 * Rejects with ClientError `storage-failed`, and then nothing of that batch is kept.
 */
export interface Store {
  /** All records of a collection, as committed. */
  load(collection: string): Promise<Map<string, Uint8Array>>;
  /** The records under these keys, as committed; keys without one are left out. */
  get(collection: string, keys: readonly string[]): Promise<Map<string, Uint8Array>>;
  commit(batch: readonly Change[]): Promise<void>;
  close(): Promise<void>;
}
