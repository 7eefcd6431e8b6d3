import { beforeEach, describe, expect, it } from '@jest/globals';
import { fromHex } from '@sotto/protocol';
import { Journal } from '../storage/journal.js';
import { MemoryStore } from '../storage/memory.store.js';
import { MessageLog } from './message-log.js';

const DAY = 86_400_000;
let store: MemoryStore;
let journal: Journal;
let log: MessageLog;

beforeEach(() => {
  store = new MemoryStore();
  journal = new Journal(store);
  log = new MessageLog('hiking', [], 100);
});

/** An id of 16 bytes that begins with these. */
const id = (start: string) => start.padEnd(32, '0');
const step = (now = 0) => ({ journal, now });
const add = (start: string, state = 'epoch 1', length = 10, now = 0) =>
  log.add(id(start), { state, bytes: new Uint8Array(length), at: now }, step(now));
const of = (state: string) => log.of(state).map(([each]) => each);

async function storedKeys(): Promise<string[]> {
  await journal.commit();
  return [...(await store.load('log')).keys()];
}

describe('the log of messages', () => {
  it('has what it was given, epoch by epoch, oldest first', async () => {
    add('b1', 'epoch 1', 10, 1);
    add('c1', 'epoch 2', 10, 2);
    add('a1', 'epoch 1', 10, 3);
    expect(of('epoch 1')).toEqual([id('b1'), id('a1')]);
    expect([...log.states()]).toEqual(['epoch 1', 'epoch 2']);
    expect(of('epoch 3')).toEqual([]);
    expect(log.has(id('c1'))).toBe(true);
    expect(log.has(id('d1'))).toBe(false);
    expect(log.of('epoch 2')[0]![1]).toEqual({ state: 'epoch 2', bytes: new Uint8Array(10), at: 2 });
    expect(await storedKeys()).toEqual([`hiking/${id('b1')}`, `hiking/${id('c1')}`, `hiking/${id('a1')}`]);
  });

  it('takes a message once', () => {
    add('a1', 'epoch 1', 60);
    add('a1', 'epoch 1', 60);
    add('b1', 'epoch 1', 40);
    expect(of('epoch 1')).toEqual([id('a1'), id('b1')]);
  });

  it('forgets the oldest when it is too much, and epochs of which nothing is left', async () => {
    add('a1', 'epoch 1', 50);
    add('b1', 'epoch 2', 50);
    add('c1', 'epoch 2', 30);
    expect(log.has(id('a1'))).toBe(false);
    expect([...log.states()]).toEqual(['epoch 2']);
    add('d1', 'epoch 3', 20);
    expect(of('epoch 2')).toEqual([id('b1'), id('c1')]);
    add('e1', 'epoch 3', 80);
    expect(of('epoch 3')).toEqual([id('d1'), id('e1')]);
    expect(await storedKeys()).toEqual(['d1', 'e1'].map((each) => `hiking/${id(each)}`));
  });

  it('counts what was there before a restart', () => {
    log = new MessageLog('hiking', [[id('a1'), { state: 'epoch 1', bytes: new Uint8Array(60), at: 0 }]], 100);
    add('b1', 'epoch 1', 60);
    expect(of('epoch 1')).toEqual([id('b1')]);
  });

  it('forgets what is older than fourteen days, and nothing younger', async () => {
    add('a1', 'epoch 1', 10, 0);
    add('b1', 'epoch 1', 10, DAY);
    log.expire(step(14 * DAY - 1));
    expect(of('epoch 1')).toEqual([id('a1'), id('b1')]);
    log.expire(step(14 * DAY));
    expect(of('epoch 1')).toEqual([id('b1')]);
    log.expire(step(15 * DAY));
    expect([...log.states()]).toEqual([]);
    expect(await storedKeys()).toEqual([]);
  });

  it('holds at most 64 MiB', () => {
    log = new MessageLog('hiking');
    const mebibyte = 1024 * 1024;
    for (let i = 0; i < 65; i++) add(i.toString(16).padStart(2, '0'), 'epoch 1', mebibyte);
    expect(of('epoch 1')).toHaveLength(64);
    expect(log.has(id('00'))).toBe(false);
  });
});

describe('the digest of an epoch', () => {
  it('is the same on whoever has the same messages, in whatever order they came', () => {
    add('a1');
    add('b2');
    const other = new MessageLog('hiking');
    for (const each of ['b2', 'a1']) other.add(id(each), { state: 'epoch 1', bytes: new Uint8Array(1), at: 9 }, step());
    expect(log.digest('epoch 1')).toEqual(other.digest('epoch 1'));
    expect(log.digest('epoch 1')).toEqual({ count: 2, ids: fromHex('a1'.padEnd(16, '0').replace('a1', '13')) });
  });

  it('is another when one message is', () => {
    add('a1');
    const before = log.digest('epoch 1');
    add('b2', 'epoch 2');
    expect(log.digest('epoch 1')).toEqual(before);
    add('b2'.padEnd(16, '1'));
    expect(log.digest('epoch 1')).not.toEqual(before);
    expect(log.digest('epoch 3')).toEqual({ count: 0, ids: new Uint8Array(8) });
  });

  it('follows what is forgotten', () => {
    add('a1', 'epoch 1', 60);
    add('b2', 'epoch 1', 60);
    const only = new MessageLog('hiking');
    only.add(id('b2'), { state: 'epoch 1', bytes: new Uint8Array(1), at: 0 }, step());
    expect(log.digest('epoch 1')).toEqual(only.digest('epoch 1'));
  });
});
