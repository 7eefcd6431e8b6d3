import { beforeEach, describe, expect, it } from '@jest/globals';
import { Journal } from '../storage/journal.js';
import { MemoryStore } from '../storage/memory.store.js';
import { Later, type LaterRecord } from './later.js';
import { load } from './stored-groups.js';

const DAY = 86_400_000;
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
const names = (from = later) => from.wanted().flatMap((wanted) => from.waitingFor(wanted).map(([id]) => id));
const keep = (id: string, length: number, handle?: bigint, now = 1_000, waitsFor = 'epoch 7') =>
  later.keep(id, { payload: bytes(length), waitsFor }, handle, step(now));

async function restarted(): Promise<Later> {
  await journal.commit();
  const records = [...(await load<LaterRecord>(store, 'later'))].map(([key, record]) => [key.replace('hiking/', ''), record] as const);
  return new Later('hiking', { count: 3, bytes: 100 }, records);
}

describe('what can not be read yet', () => {
  it('is kept in the order in which it came, over a restart too', async () => {
    keep('b', 1, undefined, 1);
    keep('a', 2, undefined, 2);
    expect(names()).toEqual(['b', 'a']);
    const again = await restarted();
    expect(names(again)).toEqual(['b', 'a']);
    expect(again.waitingFor('epoch 7')[1]![1]).toEqual({ payload: bytes(2), at: 2, waitsFor: 'epoch 7' });
  });

  it('is kept once, however often it comes, and answered on the last delivery', () => {
    keep('a', 1, 7n, 1);
    keep('a', 1, 8n, 2);
    expect(later.size).toBe(1);
    expect(later.waitingFor('epoch 7')[0]![1].at).toBe(1);
    expect(later.take('a', step())).toBe(8n);
  });

  it('is gone once it is taken, from the store too', async () => {
    keep('a', 1, 7n);
    keep('b', 1);
    expect(later.take('a', step())).toBe(7n);
    expect(later.take('a', step())).toBeUndefined();
    expect(later.take('b', step())).toBeUndefined();
    expect((await restarted()).size).toBe(0);
  });

  it('makes room for the newest when there are too many', async () => {
    for (const id of ['a', 'b', 'c', 'd']) keep(id, 1);
    expect(names()).toEqual(['b', 'c', 'd']);
    expect(names(await restarted())).toEqual(['b', 'c', 'd']);
  });

  it('makes room for the newest when it is too much', async () => {
    keep('a', 60);
    keep('b', 40);
    expect(names()).toEqual(['a', 'b']);
    keep('c', 30);
    expect(names()).toEqual(['b', 'c']);
    later.take('b', step());
    keep('d', 70);
    expect(names()).toEqual(['c', 'd']);
  });

  it('is bounded by what was there before a restart as well', async () => {
    keep('a', 60);
    const again = await restarted();
    again.keep('b', { payload: bytes(60), waitsFor: 'epoch 7' }, undefined, step());
    expect(names(again)).toEqual(['b']);
  });

  it('can not be answered on another connection, and is kept all the same', () => {
    keep('a', 1, 7n);
    later.forgetHandles();
    expect(names()).toEqual(['a']);
    expect(later.take('a', step())).toBeUndefined();
  });

  it('is found by what it waits for, and by nothing else', () => {
    keep('a', 1, 7n, 1, 'epoch 7');
    keep('b', 1, 8n, 1, 'epoch 8');
    keep('c', 1, 9n, 1, 'epoch 7');
    expect(later.wanted()).toEqual(['epoch 7', 'epoch 8']);
    expect(later.waitingFor('epoch 7').map(([id]) => id)).toEqual(['a', 'c']);
    expect(later.waitingFor('epoch 9')).toEqual([]);
    later.take('b', step());
    expect(later.wanted()).toEqual(['epoch 7']);
  });

  it('may turn out to wait for something else, in the store too', async () => {
    keep('a', 1, 7n, 1, 'epoch 7');
    keep('a', 1, undefined, 2, 'commit x');
    expect(later.size).toBe(1);
    expect(later.wanted()).toEqual(['commit x']);
    expect((await restarted()).wanted()).toEqual(['commit x']);
    expect(later.take('a', step())).toBe(7n);
  });

  it('is waited for fourteen days, counted from when it came', async () => {
    keep('a', 1, 7n, 0);
    keep('b', 1, 8n, DAY);
    expect(later.newestAt).toBe(DAY);
    later.expire(step(14 * DAY - 1));
    expect(later.size).toBe(2);
    later.expire(step(14 * DAY));
    expect(names()).toEqual(['b']);
    expect(names(await restarted())).toEqual(['b']);
    later.expire(step(15 * DAY));
    expect(later.newestAt).toBe(0);
  });
});
