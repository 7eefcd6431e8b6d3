import { describe, expect, it } from '@jest/globals';
import { toHex } from '@sotto/protocol';
import { Journal } from '../storage/journal.js';
import { MemoryStore } from '../storage/memory.store.js';
import { decodeRecord } from '../storage/record.js';
import { RevokedCapabilities } from './revoked-capabilities.js';

const id = (n: number) => n.toString(16).padStart(32, '0');
const reopened = async (store: MemoryStore, limit?: number) =>
  new RevokedCapabilities(new Map([...(await store.load('revoked'))].map(([key, bytes]) => [key, decodeRecord<number>(bytes)])), limit);
const told = (revoked: RevokedCapabilities) => revoked.wire().map(toHex);

describe('revoked capabilities', () => {
  it('are remembered in their order by a device that was restarted', async () => {
    const store = new MemoryStore();
    const journal = new Journal(store);
    (await reopened(store)).add([id(9), id(1), id(5)], journal);
    await journal.commit();
    const again = await reopened(store);
    expect(told(again)).toEqual([id(9), id(1), id(5)]);
    expect(again.add([id(1), id(2), id(2)], journal)).toEqual([id(2)]);
  });

  it('forget the oldest when there are more than the server takes, on the disk as well', async () => {
    const store = new MemoryStore();
    const journal = new Journal(store);
    const revoked = await reopened(store, 3);
    revoked.add([id(1), id(2)], journal);
    revoked.add([id(3), id(4), id(5)], journal);
    await journal.commit();
    expect(told(revoked)).toEqual([id(3), id(4), id(5)]);
    expect(told(await reopened(store, 3))).toEqual([id(3), id(4), id(5)]);
  });

  it('are of no use to a device with another delivery key', async () => {
    const store = new MemoryStore();
    const journal = new Journal(store);
    const revoked = await reopened(store);
    revoked.add([id(1)], journal);
    revoked.clear(journal);
    await journal.commit();
    expect(told(revoked)).toEqual([]);
    expect(told(await reopened(store))).toEqual([]);
  });
});
