import { describe, expect, it } from '@jest/globals';
import { decodeRecord, encodeRecord } from './record.js';
import type { Store } from './store.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const plain = (records: Map<string, Uint8Array>) =>
  Object.fromEntries([...records].map(([key, value]) => [key, new TextDecoder().decode(value)]));

/** What every store must do. */
export function describeStore(name: string, open: () => Promise<Store>): void {
  describe(`${name} as a store`, () => {
    it('gives back what was committed, collection by collection', async () => {
      const store = await open();
      await store.commit([
        { collection: 'a', key: '1', value: bytes('one') },
        { collection: 'b', key: '1', value: bytes('other') },
      ]);
      expect(plain(await store.load('a'))).toEqual({ 1: 'one' });
      expect(plain(await store.load('b'))).toEqual({ 1: 'other' });
      expect(plain(await store.load('c'))).toEqual({});
      await store.close();
    });

    it('applies the changes of batches in the order in which they were given, though nobody waits between them', async () => {
      const store = await open();
      await Promise.all([
        store.commit([
          { collection: 'a', key: 'x', value: bytes('first') },
          { collection: 'a', key: 'y', value: bytes('y') },
        ]),
        store.commit([{ collection: 'a', key: 'x', value: bytes('second') }]),
        store.commit([{ collection: 'a', key: 'y' }]),
      ]);
      expect(plain(await store.load('a'))).toEqual({ x: 'second' });
      await store.close();
    });

    it('gives single records by their keys, and leaves out what is not there', async () => {
      const store = await open();
      const keys = Array.from({ length: 600 }, (_, i) => `key ${i}`);
      await store.commit(keys.map((key) => ({ collection: 'a', key, value: bytes(key) })));
      await store.commit([{ collection: 'b', key: 'key 1', value: bytes('other') }]);
      expect(plain(await store.get('a', ['key 1', 'nowhere', 'key 599']))).toEqual({ 'key 1': 'key 1', 'key 599': 'key 599' });
      expect((await store.get('a', keys)).size).toBe(600);
      expect(plain(await store.get('a', []))).toEqual({});
      await store.close();
    });

    it('refuses to commit once it is closed', async () => {
      const store = await open();
      await store.close();
      await expect(store.commit([{ collection: 'a', key: 'x', value: bytes('late') }])).rejects.toMatchObject({ reason: 'storage-failed' });
    });

    it('keeps records of numbers, text, bytes and absent fields as they were', async () => {
      const store = await open();
      const record = { now: 1_800_000_000_123, text: 'ü', seed: Uint8Array.of(1, 2), list: [1, 'a'], none: undefined };
      await store.commit([{ collection: 'a', key: 'r', value: encodeRecord(record) }]);
      const loaded = decodeRecord<typeof record>((await store.load('a')).get('r')!);
      expect({ ...loaded, seed: [...loaded.seed] }).toEqual({ ...record, seed: [1, 2] });
      await store.close();
    });
  });
}
