import { beforeEach, describe, expect, it } from '@jest/globals';
import { Journal } from '../storage/journal.js';
import { MemoryStore } from '../storage/memory.store.js';
import { Later, type LaterRecord } from './later.js';
import { load } from './stored-groups.js';

let store: MemoryStore;
let journal: Journal;
let later: Later;

beforeEach(() => {
  store = new MemoryStore();
  journal = new Journal(store);
  later = new Later('hiking', { count: 3, bytes: 100 });
});

const step = (now = 1_000) => ({ journal, now });
const bytes = (length: number) => new Uint8Array(length).fill(length);
const names = (from = later) => from.all().map(([id]) => id);

async function restarted(): Promise<Later> {
  await journal.commit();
  const records = [...(await load<LaterRecord>(store, 'later'))].map(([key, record]) => [key.replace('hiking/', ''), record] as const);
  return new Later('hiking', { count: 3, bytes: 100 }, records);
}

describe('what can not be read yet', () => {
  it('is kept in the order in which it came, over a restart too', async () => {
    later.keep('b', bytes(1), undefined, step(1));
    later.keep('a', bytes(2), undefined, step(2));
    expect(names()).toEqual(['b', 'a']);
    const again = await restarted();
    expect(names(again)).toEqual(['b', 'a']);
    expect(again.all()[1]![1]).toEqual({ payload: bytes(2), at: 2 });
  });

  it('is kept once, however often it comes, and answered on the last delivery', () => {
    later.keep('a', bytes(1), 7n, step(1));
    later.keep('a', bytes(1), 8n, step(2));
    expect(later.size).toBe(1);
    expect(later.all()[0]![1].at).toBe(1);
    expect(later.take('a', step())).toBe(8n);
  });

  it('is gone once it is taken, from the store too', async () => {
    later.keep('a', bytes(1), 7n, step());
    later.keep('b', bytes(1), undefined, step());
    expect(later.take('a', step())).toBe(7n);
    expect(later.take('a', step())).toBeUndefined();
    expect(later.take('b', step())).toBeUndefined();
    expect((await restarted()).size).toBe(0);
  });

  it('makes room for the newest when there are too many', async () => {
    for (const id of ['a', 'b', 'c', 'd']) later.keep(id, bytes(1), undefined, step());
    expect(names()).toEqual(['b', 'c', 'd']);
    expect(names(await restarted())).toEqual(['b', 'c', 'd']);
  });

  it('makes room for the newest when it is too much', async () => {
    later.keep('a', bytes(60), undefined, step());
    later.keep('b', bytes(40), undefined, step());
    expect(names()).toEqual(['a', 'b']);
    later.keep('c', bytes(30), undefined, step());
    expect(names()).toEqual(['b', 'c']);
    later.take('b', step());
    later.keep('d', bytes(70), undefined, step());
    expect(names()).toEqual(['c', 'd']);
  });

  it('is bounded by what was there before a restart as well', async () => {
    later.keep('a', bytes(60), undefined, step());
    const again = await restarted();
    again.keep('b', bytes(60), undefined, step());
    expect(names(again)).toEqual(['b']);
  });

  it('can not be answered on another connection, and is kept all the same', () => {
    later.keep('a', bytes(1), 7n, step());
    later.forgetHandles();
    expect(names()).toEqual(['a']);
    expect(later.take('a', step())).toBeUndefined();
  });
});
