import type { Change, Store } from '@sotto/client/core';

/** What outlives a device's process. Values are never changed in place, so a copy shares them. */
export class Disk {
  readonly #collections = new Map<string, Map<string, Uint8Array>>();

  copy(): Disk {
    const copy = new Disk();
    for (const [collection, records] of this.#collections) copy.#collections.set(collection, new Map(records));
    return copy;
  }

  read(collection: string): ReadonlyMap<string, Uint8Array> {
    return this.#collections.get(collection) ?? new Map<string, Uint8Array>();
  }

  /** Takes the values over: a journal makes them for the store alone. */
  apply(batch: readonly Change[]): void {
    for (const { collection, key, value } of batch) {
      const records = this.#collections.get(collection) ?? new Map<string, Uint8Array>();
      this.#collections.set(collection, records);
      if (value === undefined) records.delete(key);
      else records.set(key, value);
    }
  }
}

/** The process ends here: nothing after it happens. */
export class Crash extends Error {
  override readonly name = 'Crash';

  constructor(readonly point: CrashPoint) {
    super(`crashed ${point}`);
  }
}

export type CrashPoint = 'before-commit' | 'after-commit' | 'between-effects';

/** A store on a disk, whose next commit may be the last thing that the process does, or not even that. */
export class DiskStore implements Store {
  /** Where the process ends at its next commit. */
  crashAt: Exclude<CrashPoint, 'between-effects'> | undefined;
  /** It did end there, whatever error came of it. */
  crashed: CrashPoint | undefined;

  constructor(private readonly disk: Disk) {}

  async load(collection: string): Promise<Map<string, Uint8Array>> {
    return new Map([...this.disk.read(collection)].map(([key, value]) => [key, value.slice()]));
  }

  async get(collection: string, keys: readonly string[]): Promise<Map<string, Uint8Array>> {
    const wanted = new Set(keys);
    return new Map([...this.disk.read(collection)].flatMap(([key, value]) => (wanted.has(key) ? [[key, value.slice()] as const] : [])));
  }

  async commit(batch: readonly Change[]): Promise<void> {
    if (this.crashAt === 'before-commit') this.#crash('before-commit');
    this.disk.apply(batch);
    if (this.crashAt === 'after-commit') this.#crash('after-commit');
  }

  #crash(point: CrashPoint): never {
    this.crashed = point;
    throw new Crash(point);
  }

  async close(): Promise<void> {}
}
