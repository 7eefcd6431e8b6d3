import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ClientEvents } from '../client-events.js';
import { encodeContent, type MessageContent } from '../content/content.js';
import { contentIdOf, messageRef, type MessageRef } from '../content/message-ref.js';
import { type Contact, ContactList } from '../contacts/contact-list.js';
import type { Device } from '../device.js';
import { Emitter } from '../events.js';
import { MOST_REACTIONS } from '../history/effects.js';
import { History } from '../history/history.js';
import { Journal } from '../storage/journal.js';
import { MemoryStore } from '../storage/memory.store.js';
import { Arrivals } from './arrivals.js';
import { Conversations } from './conversations.js';
import type { Message } from './message.js';
import { isFromBlocked, messageOf } from './message-view.js';
import type { Messaging } from './messaging.js';

const NOW = 1_800_000_000_000;
const WHERE = 'ab'.repeat(32);
const ACCOUNTS = { alice: '11'.repeat(16), bob: '22'.repeat(16), carol: '33'.repeat(16) } as const;
type Name = keyof typeof ACCOUNTS;

let salts = 0;
const nextSalt = () => new Uint8Array(new BigUint64Array([BigInt(++salts), 0n]).buffer);

/** What somebody said, as it was sealed once for all devices. */
interface Said {
  readonly by: Name;
  readonly plaintext: Uint8Array;
  readonly ref: MessageRef;
}

function says(by: Name, content: MessageContent, sentAt = NOW, expiresAt?: number): Said {
  const plaintext = encodeContent(content, { sentAt, expiresAt }, nextSalt());
  return { by, plaintext, ref: messageRef(ACCOUNTS[by], plaintext) };
}

/** A device of alice: its history, and what it tells. */
class Reader {
  readonly told: ClientEvents['message-changed'][] = [];
  readonly news: Message[] = [];
  readonly reads: ClientEvents['read'][] = [];
  private constructor(
    readonly device: Device,
    private readonly store: MemoryStore,
    readonly arrivals: Arrivals,
  ) {
    device.events.on('message-changed', (change) => this.told.push(change));
    device.events.on('message', (message) => this.news.push(message));
    device.events.on('read', (read) => this.reads.push(read));
  }

  /** @param contacts whom alice knows */
  static async opens(store = new MemoryStore(), contacts = new ContactList(new Map())): Promise<Reader> {
    const session = { account: ACCOUNTS.alice, name: 'alice' };
    const parts = {
      session,
      contacts,
      events: new Emitter<ClientEvents>(),
      history: await History.load(store),
    };
    const step = async <T>(work: (journal: Journal) => Promise<T>) => work(new Journal(store));
    const device = { ...parts, step } as unknown as Device;
    return new Reader(device, store, new Arrivals(device));
  }

  /** One step for all. */
  async hears(said: readonly Said[], now = NOW): Promise<void> {
    const step = { journal: new Journal(this.store), now };
    for (const { by, plaintext } of said) {
      const arrival = { conversation: WHERE, by: { account: ACCOUNTS[by], name: by }, plaintext, receivedAt: now };
      this.arrivals.take(arrival, step);
    }
    await step.journal.commit();
  }

  async step(work: (step: { journal: Journal; now: number }) => Promise<void>, now = NOW): Promise<void> {
    const journal = new Journal(this.store);
    await work({ journal, now });
    await journal.commit();
  }

  async shows(): Promise<Message[]> {
    const page = await this.device.history.page(WHERE, 1_000);
    return page.map((each) => messageOf(each, this.device));
  }

  /** That no network is needed for it is what the missing parts say. */
  unread(): Promise<number> {
    return new Conversations(this.device, undefined as unknown as Messaging, this.arrivals).unread(WHERE);
  }

  async sees(said: Said): Promise<Message | undefined> {
    const found = await this.device.history.find(WHERE, contentIdOf(said.ref));
    return found && messageOf(found.message, this.device);
  }
}

/** Whom alice has blocked; the account is empty where this device never knew it. */
function blocking(name: Name, account: string = ACCOUNTS[name]): ContactList {
  const contact: Contact = { name, status: 'blocked', account, identityKey: new Uint8Array(32), online: false, acceptedByMe: false };
  return new ContactList(new Map([[name, contact]]));
}

describe('what is unread', () => {
  it('is what others have said since, also after a restart, and not what was deleted or expired', async () => {
    const store = new MemoryStore();
    const before = await Reader.opens(store);
    const [seen, gone] = [says('bob', { kind: 'text', text: 'seen' }), says('carol', { kind: 'text', text: 'gone' })];
    await before.hears([seen, says('alice', { kind: 'text', text: 'mine' }), says('bob', { kind: 'text', text: 'new' }), gone]);
    await before.hears([says('bob', { kind: 'text', text: 'late' }, NOW, Date.now() - 60_000)], 0);
    await before.hears([says('carol', { kind: 'deletion', of: gone.ref })]);
    expect(await before.unread()).toBe(2);
    await before.step(async ({ journal }) => {
      const placed = await before.device.history.find(WHERE, contentIdOf(seen.ref));
      before.device.history.markRead(WHERE, placed!.number, { reported: true }, journal);
    });
    expect(await before.unread()).toBe(1);
    const after = await Reader.opens(store);
    expect(await after.unread()).toBe(1);
    await after.hears([says('carol', { kind: 'text', text: 'more' })]);
    expect(await after.unread()).toBe(2);
  });
});

describe('what a blocked member says in a group', () => {
  it.each([
    ['whose account is known', ACCOUNTS.bob],
    ['of whom only the name is known', ''],
  ])('is told as such (one %s), counts as nothing, and is there for whoever wants to see it', async (_, account) => {
    const alice = await Reader.opens(new MemoryStore(), blocking('bob', account));
    const [ofBob, ofCarol] = [says('bob', { kind: 'text', text: 'still here' }), says('carol', { kind: 'text', text: 'hello' })];
    await alice.hears([ofBob, ofCarol]);
    expect(alice.news.map(({ fromBlocked = false, text }) => [text, fromBlocked])).toEqual([
      ['still here', true],
      ['hello', false],
    ]);
    expect(await alice.sees(ofBob)).toMatchObject({ text: 'still here', fromBlocked: true });
    expect(await alice.unread()).toBe(1);
  });

  it('is not meant by what the two had said to each other', () => {
    const device = { contacts: blocking('bob') } as unknown as Device;
    const author = { account: ACCOUNTS.bob, name: 'bob' };
    expect(isFromBlocked({ author, conversation: 'bob' }, device)).toBe(false);
    expect(isFromBlocked({ author, conversation: ACCOUNTS.bob }, device)).toBe(false);
    expect(isFromBlocked({ author, conversation: WHERE }, device)).toBe(true);
  });
});

describe('what was said about a message', () => {
  it('shows in it: edits by its author, reactions, who has read it', async () => {
    const alice = await Reader.opens();
    const hello = says('alice', { kind: 'text', text: 'helo' });
    const heart = says('bob', { kind: 'reaction', to: hello.ref, emoji: '❤' });
    await alice.hears([hello, heart, says('carol', { kind: 'reaction', to: hello.ref, emoji: '❤' })]);
    await alice.hears([says('alice', { kind: 'edit', of: hello.ref, text: 'hello' }, NOW + 1)]);
    await alice.hears([says('bob', { kind: 'receipt', read: [hello.ref] })]);
    expect(await alice.sees(hello)).toMatchObject({ own: true, text: 'hello', edited: true, readBy: ['bob~2222'] });
    expect((await alice.sees(hello))?.reactions).toEqual([{ emoji: '❤', by: ['bob~2222', 'carol~3333'] }]);
    await alice.hears([says('bob', { kind: 'unreaction', to: hello.ref, reaction: heart.ref })]);
    expect((await alice.sees(hello))?.reactions).toEqual([{ emoji: '❤', by: ['carol~3333'] }]);
    expect(alice.told.map(({ change }) => change)).toEqual([
      { what: 'reacted', by: 'bob~2222', emoji: '❤' },
      { what: 'reacted', by: 'carol~3333', emoji: '❤' },
      { what: 'edited', by: 'alice' },
      { what: 'read', by: 'bob~2222' },
      { what: 'unreacted', by: 'bob~2222', emoji: '❤' },
    ]);
    expect(alice.reads).toEqual([{ conversation: WHERE, by: 'bob~2222', own: false, ids: [contentIdOf(hello.ref)] }]);
  });

  it('is nothing when somebody else edits, deletes or takes back', async () => {
    const alice = await Reader.opens();
    const hello = says('bob', { kind: 'text', text: 'hello' });
    const heart = says('bob', { kind: 'reaction', to: hello.ref, emoji: '❤' });
    await alice.hears([hello, heart]);
    const before = await alice.shows();
    await alice.hears([
      says('carol', { kind: 'edit', of: hello.ref, text: 'I owe carol money' }, NOW + 1),
      says('carol', { kind: 'deletion', of: hello.ref }, NOW + 2),
      says('carol', { kind: 'unreaction', to: hello.ref, reaction: heart.ref }, NOW + 3),
      says('carol', { kind: 'receipt', read: [hello.ref] }),
    ]);
    expect(await alice.shows()).toEqual(before);
    expect(alice.told).toHaveLength(1);
  });

  it('leaves of a deleted message only that it was there, also when the deletion comes first', async () => {
    const alice = await Reader.opens();
    const hello = says('bob', { kind: 'text', text: 'a secret' });
    await alice.hears([says('bob', { kind: 'deletion', of: hello.ref })]);
    await alice.hears([hello, says('carol', { kind: 'reaction', to: hello.ref, emoji: '!' })]);
    expect(await alice.sees(hello)).toMatchObject({ text: '', deleted: true, reactions: [] });
    expect(JSON.stringify(await alice.device.history.find(WHERE, contentIdOf(hello.ref)))).not.toContain('secret');
  });

  it('is kept over a restart while the message is not here', async () => {
    const store = new MemoryStore();
    const hello = says('bob', { kind: 'text', text: 'helo' });
    await (await Reader.opens(store)).hears([says('bob', { kind: 'edit', of: hello.ref, text: 'hello' }, NOW + 1)]);
    const alice = await Reader.opens(store);
    await alice.hears([hello]);
    expect(await alice.sees(hello)).toMatchObject({ text: 'hello', edited: true });
  });

  it('does not come to life again when the message has expired', async () => {
    const alice = await Reader.opens();
    const hello = says('bob', { kind: 'text', text: 'gone soon' }, NOW, NOW + 10_000);
    await alice.hears([hello]);
    await alice.step(async ({ journal }) => void (await alice.device.history.takeExpired(NOW + 10_000, journal)));
    expect(await alice.shows()).toEqual([]);
    await alice.hears([says('bob', { kind: 'edit', of: hello.ref, text: 'again' }, NOW + 1, NOW + 10_000), hello], NOW + 10_001);
    expect(await alice.shows()).toEqual([]);
  });
});

describe('what cannot be read', () => {
  it('is a message of a kind that is not known, and what it is when a later version knows it', async () => {
    const store = new MemoryStore();
    const old = await Reader.opens(store);
    const poll = says('bob', { kind: 'text', text: 'known by now' });
    const hello = says('bob', { kind: 'text', text: 'helo' });
    const edit = says('bob', { kind: 'edit', of: hello.ref, text: 'hello' });
    await old.hears([hello]);
    // As a version stores them that knows neither of the two.
    await old.step(async ({ journal }) => {
      for (const { ref, plaintext } of [poll, edit]) {
        const author = { account: ACCOUNTS.bob, name: 'bob' };
        await old.device.history.add(
          { ref, conversation: WHERE, author, sentAt: NOW, receivedAt: NOW, text: '', unknown: plaintext },
          journal,
        );
      }
    });
    expect((await old.shows()).map(({ text, unknown }) => [text, unknown])).toEqual([
      ['helo', undefined],
      ['', true],
      ['', true],
    ]);
    const alice = await Reader.opens(store);
    await alice.step(async (step) => {
      for (const placed of await alice.device.history.unknown()) await alice.arrivals.understand(placed, step);
    });
    expect((await alice.shows()).map(({ text, unknown }) => [text, unknown])).toEqual([
      ['hello', undefined],
      ['known by now', undefined],
    ]);
    expect(await (await Reader.opens(store)).device.history.unknown()).toEqual([]);
  });

  it('is told once, whatever its bytes, and nothing after it is lost', async () => {
    const alice = await Reader.opens();
    const junk = (plaintext: Uint8Array): Said => ({ by: 'bob', plaintext, ref: messageRef(ACCOUNTS.bob, plaintext) });
    const huge = junk(new Uint8Array(200 * 1024).fill(0x81));
    await alice.hears([
      junk(new Uint8Array(0)),
      huge,
      junk(Uint8Array.of(0x9a, 255, 255, 255, 255)),
      says('bob', { kind: 'text', text: 'hi' }),
    ]);
    expect((await alice.shows()).map(({ text, unknown }) => [text, unknown])).toEqual([
      ['', true],
      ['', true],
      ['', true],
      ['hi', undefined],
    ]);
    const [kept] = (await alice.device.history.unknown()).filter(({ message }) => message.ref === huge.ref);
    expect(kept!.message.unknown).toHaveLength(0);
  });

  it('never keeps a step from its end, whatever it is', async () => {
    const plaintexts = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 });
    const property = fc.asyncProperty(plaintexts, async (all) => {
      const alice = await Reader.opens();
      await alice.hears(all.map((plaintext) => ({ by: 'bob', plaintext, ref: '' })));
      expect(await alice.shows()).toHaveLength(new Set(all.map(String)).size);
    });
    await fc.assert(property);
  });

  it('does not let a member write over the message of another', async () => {
    const alice = await Reader.opens();
    const hello = says('alice', { kind: 'text', text: 'hello' });
    await alice.hears([hello, { ...hello, by: 'bob' }]);
    expect((await alice.shows()).map(({ from, text }) => [from, text])).toEqual([
      ['alice', 'hello'],
      ['bob~2222', 'hello'],
    ]);
  });
});

/** A deed by its indices: which message, which earlier reaction, whose. */
type Deed = readonly [kind: 'edit' | 'deletion' | 'reaction' | 'unreaction' | 'receipt', by: Name, message: number, more: number];

function conversationOf(authors: readonly Name[], deeds: readonly Deed[]): Said[] {
  const messages = authors.map((by, i) => says(by, { kind: 'text', text: `message ${i}` }, NOW + i));
  const reactions: Said[] = [];
  const said = deeds.map(([kind, by, index, more], i): Said => {
    const { ref } = messages[index % messages.length]!;
    const earlier = reactions[more % Math.max(1, reactions.length)]?.ref;
    // Some deeds have the same time.
    const at = NOW + 100 + (i >> 1);
    if (kind === 'edit') return says(by, { kind, of: ref, text: `edit ${i}` }, at);
    if (kind === 'deletion') return says(by, { kind, of: ref }, at);
    if (kind === 'receipt') return says(by, { kind, read: [ref] }, at);
    if (kind === 'unreaction' && earlier !== undefined) return says(by, { kind, to: ref, reaction: earlier }, at);
    const reaction = says(by, { kind: 'reaction', to: ref, emoji: `e${more % 3}`, instead: more % 5 === 0 ? earlier : undefined }, at);
    reactions.push(reaction);
    return reaction;
  });
  return [...messages, ...said];
}

/** In another order, some of it twice, in steps of different sizes. */
async function heardAs(said: readonly Said[], order: readonly number[], cuts: readonly number[]): Promise<Message[]> {
  const reader = await Reader.opens();
  const inOrder = said.map((each, i) => [order[i % order.length]!, i, each] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const all = [...inOrder, ...inOrder.slice(0, 3)].map(([, , each]) => each);
  for (let at = 0, step = 0; at < all.length; step++) {
    const size = cuts[step % cuts.length]!;
    await reader.hears(all.slice(at, at + size));
    at += size;
  }
  return (await reader.shows()).sort((a, b) => (a.id < b.id ? -1 : 1));
}

const names = fc.constantFrom<Name>('alice', 'bob', 'carol');
const kinds = fc.constantFrom<Deed[0]>('edit', 'edit', 'deletion', 'reaction', 'reaction', 'unreaction', 'receipt');
const deedsOf = (length: number) => fc.array(fc.tuple(kinds, names, fc.nat(20), fc.nat(20)), { maxLength: length });
const orders = fc.array(fc.nat(1_000), { minLength: 7, maxLength: 60 });
const steps = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });

describe('devices that heard the same', () => {
  it('show the same, whatever the order, in pieces, and some of it twice', async () => {
    const authors = fc.array(names, { minLength: 1, maxLength: 4 });
    const property = fc.asyncProperty(authors, deedsOf(25), orders, steps, orders, async (writers, deeds, order, cuts, another) => {
      const said = conversationOf(writers, deeds);
      const straight = await heardAs(said, [0], [1]);
      expect(await heardAs(said, order, cuts)).toEqual(straight);
      expect(await heardAs(said, another, [50])).toEqual(straight);
    });
    await fc.assert(property, { numRuns: 150 });
  });

  it('keep the same reactions of one who reacts without end', async () => {
    const hello = says('alice', { kind: 'text', text: 'hello' });
    const many = Array.from({ length: MOST_REACTIONS + 10 }, (_, i) => says('bob', { kind: 'reaction', to: hello.ref, emoji: `e${i}` }));
    const carols = says('carol', { kind: 'reaction', to: hello.ref, emoji: '+1' });
    const there = await heardAs([hello, ...many, carols], [0], [1]);
    const back = await heardAs([carols, ...many.reverse(), hello], [0], [3]);
    expect(back).toEqual(there);
    expect(there[0]!.reactions.filter(({ by }) => by.includes('bob~2222'))).toHaveLength(MOST_REACTIONS);
    expect(there[0]!.reactions).toContainEqual({ emoji: '+1', by: ['carol~3333'] });
  });
});
