import { describe, expect, it } from '@jest/globals';
import { contentIdOf, messageRef } from '../content/message-ref.js';
import type { Device } from '../device.js';
import { ContactList } from '../contacts/contact-list.js';
import { search } from '../messaging/search.js';
import { Journal } from '../storage/journal.js';
import { MemoryStore } from '../storage/memory.store.js';
import { encodeRecord } from '../storage/record.js';
import { moveFormerMessages } from './former-messages.js';
import { History } from './history.js';
import type { StoredMessage } from './stored-message.js';

const BOB = { account: '22'.repeat(16), name: 'bob' };
const DAY = 86_400_000;

/** The n-th message, which came at that millisecond. */
function message(n: number, more: Partial<StoredMessage> = {}): Omit<StoredMessage, 'effects'> {
  const ref = messageRef(BOB.account, new TextEncoder().encode(`${more.conversation} ${n}`));
  return { ref, conversation: 'bob', author: BOB, sentAt: n, receivedAt: n, text: `message ${n}`, ...more };
}

async function step<T>(store: MemoryStore, work: (journal: Journal) => T | Promise<T>): Promise<T> {
  const journal = new Journal(store);
  const result = await work(journal);
  await journal.commit();
  return result;
}

/** As it is after a restart. */
async function historyOf(messages: readonly Omit<StoredMessage, 'effects'>[], store = new MemoryStore()): Promise<[History, MemoryStore]> {
  const history = await History.load(store);
  for (const each of messages) await step(store, (journal) => history.add(each, journal));
  return [await History.load(store), store];
}

const numbered = (count: number) => Array.from({ length: count }, (_, n) => message(n));
const textsIn = (page: readonly StoredMessage[]) => page.map(({ text }) => text);
const deviceWith = (history: History) => ({ history, contacts: new ContactList(new Map()) }) as unknown as Device;

describe('the history', () => {
  it('is read in pages, oldest first in each, from the newest to the first', async () => {
    const [history] = await historyOf(numbered(300));
    const seen: string[] = [];
    for (let before: number | undefined; ;) {
      const page = await history.page('bob', 70, before);
      if (page.length === 0) break;
      seen.unshift(...textsIn(page));
      before = (await history.find('bob', contentIdOf(page[0]!.ref)))!.number;
    }
    expect(seen).toEqual(numbered(300).map(({ text }) => text));
    expect(await history.page('nobody', 10)).toEqual([]);
    expect(await history.page('bob', 0)).toEqual([]);
  });

  it('has each message once, and each conversation its own', async () => {
    const [history] = await historyOf([message(1), message(1), message(2, { conversation: 'carol' })]);
    expect(textsIn(await history.page('bob', 10))).toEqual(['message 1']);
    expect(textsIn(await history.page('carol', 10))).toEqual(['message 2']);
    expect(await history.find('carol', contentIdOf(message(1).ref))).toBeUndefined();
  });

  it('shows within a step what that step has written', async () => {
    const [history, store] = await historyOf([]);
    await step(store, async (journal) => {
      await history.add(message(1), journal);
      expect(textsIn(await history.page('bob', 10))).toEqual(['message 1']);
      history.remove((await history.find('bob', contentIdOf(message(1).ref)))!, journal);
      expect(await history.page('bob', 10)).toEqual([]);
    });
    expect(await (await History.load(store)).page('bob', 10)).toEqual([]);
  });

  it('lets go of what came too long ago, some of it at a time, and keeps the rest', async () => {
    const [history, store] = await historyOf([...numbered(300), message(7, { conversation: 'carol', receivedAt: 5 * DAY })]);
    let steps = 1;
    while (await step(store, (journal) => history.clearBefore(290, journal))) steps++;
    expect(steps).toBe(3);
    for (const each of [history, await History.load(store)]) {
      expect(textsIn(await each.page('bob', 100))).toEqual(
        numbered(300)
          .slice(290)
          .map(({ text }) => text),
      );
      expect(await each.find('bob', contentIdOf(message(1).ref))).toBeUndefined();
      expect(textsIn(await each.page('carol', 100))).toEqual(['message 7']);
    }
    await step(store, (journal) => history.add(message(1_000), journal));
    expect(textsIn(await (await History.load(store)).page('bob', 1))).toEqual(['message 1000']);
  });

  it('knows after a restart what is to expire', async () => {
    const [history, store] = await historyOf([message(1, { expiresAt: 50 }), message(2), message(3, { expiresAt: 20 })]);
    expect(history.hasExpired(19)).toBe(false);
    expect(history.hasExpired(20)).toBe(true);
    expect(textsIn(await step(store, (journal) => history.takeExpired(20, journal)))).toEqual(['message 3']);
    expect(history.hasExpired(49)).toBe(false);
    const again = await History.load(store);
    expect(textsIn(await step(store, (journal) => again.takeExpired(50, journal)))).toEqual(['message 1']);
    expect(textsIn(await again.page('bob', 10))).toEqual(['message 2']);
    expect(again.hasExpired(Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  it('reports each message as read once, the newest of many', async () => {
    const [history, store] = await historyOf(numbered(10));
    await step(store, (journal) => history.markRead('bob', 3, { reported: true }, journal));
    expect(history.unreported()).toEqual([]);
    await step(store, (journal) => history.markRead('bob', 8, { reported: false }, journal));
    const again = await History.load(store);
    expect(again.unreported()).toEqual(['bob']);
    expect(textsIn(await step(store, (journal) => again.takeUnreported('bob', 3, journal)))).toEqual([
      'message 6',
      'message 7',
      'message 8',
    ]);
    await step(store, (journal) => again.markRead('bob', 5, { reported: false }, journal));
    expect(again.unreported()).toEqual([]);
  });
});

it('keeps of what is said about absent messages the newest 500, for 14 days', async () => {
  const [history, store] = await historyOf([]);
  const say = (n: number, now: number, expiresAt?: number) =>
    step(store, (journal) => history.apply('bob', message(n).ref, { kind: 'deletion', by: BOB }, { now, expiresAt }, journal));
  for (let n = 0; n < 510; n++) await say(n, n);
  const waiting = async () => (await store.load('history-pending')).size;
  expect(await waiting()).toBe(500);
  await say(1_000, 600, 700);
  await step(store, (journal) => history.sweepPending(700, journal));
  expect(await waiting()).toBe(499);
  await step(store, async (journal) => (await History.load(store)).sweepPending(14 * DAY + 508, journal));
  expect(await waiting()).toBe(1);
});

it('takes over what former versions have stored, in its order', async () => {
  const store = new MemoryStore();
  const former = (n: number) => ({
    id: `0${n}`.repeat(16),
    from: 'bob',
    text: `message ${n}`,
    sentAt: n,
    receivedAt: 10 - n,
    conversation: 'bob',
  });
  const value = (n: number) => encodeRecord(former(n));
  await store.commit([1, 2].map((n) => ({ collection: 'messages', key: `bob/${former(n).id}`, value: value(n) })));
  const history = await History.load(store);
  await step(store, (journal) => moveFormerMessages(store, history, () => BOB.account, journal));
  expect(textsIn(await (await History.load(store)).page('bob', 10))).toEqual(['message 2', 'message 1']);
  expect((await history.find('bob', former(1).id))?.message.author).toEqual(BOB);
  expect((await store.load('messages')).size).toBe(0);
});

describe('the search', () => {
  const words = ['Tea at five', 'no tea', 'Ｔｅａ in full width', 'coffee', 'STRASSENTEA'];

  it('finds what holds the text, whatever the case, newest first in all conversations', async () => {
    const messages = words.map((text, n) => message(n, { text, conversation: n % 2 === 0 ? 'bob' : 'carol' }));
    const [history] = await historyOf(messages);
    const texts = async (text: string, options = {}) => (await search(text, options, deviceWith(history))).map((each) => each.text);
    expect(await texts('tEa')).toEqual(['STRASSENTEA', 'Ｔｅａ in full width', 'no tea', 'Tea at five']);
    expect(await texts('tea', { conversation: 'carol' })).toEqual(['no tea']);
    expect(await texts('tea', { limit: 2 })).toEqual(['STRASSENTEA', 'Ｔｅａ in full width']);
    expect(await texts('')).toEqual([]);
    expect(await texts('wine')).toEqual([]);
  });

  it('finds neither what has expired nor what was before an edit', async () => {
    const [history, store] = await historyOf([message(1, { text: 'tea', expiresAt: 5 }), message(2, { text: 'more tea' })]);
    const edit = { text: 'coffee', at: 3, ref: message(3).ref };
    await step(store, (journal) => history.apply('bob', message(2).ref, { kind: 'edit', by: BOB, edit }, { now: 3 }, journal));
    expect(await search('tea', {}, deviceWith(history))).toEqual([]);
    expect((await search('coffee', {}, deviceWith(history)))[0]).toMatchObject({ text: 'coffee', edited: true });
  });
});
