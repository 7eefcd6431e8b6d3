import { beforeAll, describe, expect, it } from '@jest/globals';
import { toHex } from '@sotto/protocol';
import { contentIdOf } from '../content/message-ref.js';
import { History } from '../history/history.js';
import { NO_EFFECTS } from '../history/effects.js';
import type { StoredMessage } from '../history/stored-message.js';
import { nodeArgon2id } from '../node/argon2id.js';
import type { Argon2id } from '../session/argon2id.js';
import { newSecrets } from '../session/session-record.js';
import { keyPairOf, newKeyPair, sodiumReady } from '../sodium.js';
import { Journal } from '../storage/journal.js';
import { MemoryStore } from '../storage/memory.store.js';
import { decodeRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';
import { openArchive, sealArchive } from './archive-cipher.js';
import { unpackRecords } from './archive-record.js';
import { exportArchive } from './export-archive.js';
import { importArchive, type ImportOptions } from './import-archive.js';

const PASSPHRASE = 'a passphrase for the attic';
const ALICE = 'aa'.repeat(16);
/** Of a sealed chunk. */
const CHUNK = 64 * 1024 + 17;
const HEAD = 16 + 16 + 24;
/** What archives were to be sealed and opened at. */
const prices: { memoryKib: number; passes: number }[] = [];
/** At a hundredth of the price. */
const argon2id: Argon2id = (passphrase, salt, price) => {
  prices.push(price);
  return nodeArgon2id(passphrase, salt, { memoryKib: 512, passes: 1 });
};
let seed: Uint8Array;

beforeAll(async () => {
  await sodiumReady();
  ({ seed } = newKeyPair());
});

const refOf = (number: number) => number.toString(16).padStart(8, '0').repeat(8);
const messageOf = (number: number, change: Partial<StoredMessage> = {}): StoredMessage => ({
  ref: refOf(number),
  conversation: 'bob',
  author: { account: 'bb'.repeat(16), name: 'bob' },
  sentAt: number,
  receivedAt: number,
  text: `message ${number}`,
  effects: NO_EFFECTS,
  ...change,
});

async function storeOf(messages: readonly StoredMessage[], account = ALICE): Promise<Store> {
  const store = new MemoryStore();
  const journal = new Journal(store);
  const secrets = newSecrets(seed);
  const session = { account, device: 'dd'.repeat(16), name: 'alice', server: 'the server', identityKey: keyPairOf(seed).publicKey };
  journal.put('session', 'session', { ...session, origin: 'first', pending: false });
  journal.put('session', 'secrets', secrets);
  journal.put('session', 'pin', { pin: 'ab'.repeat(32) });
  journal.put('settings', 'settings', { readReceipts: true });
  const contact = {
    name: 'bob',
    status: 'accepted',
    account: 'bb'.repeat(16),
    identityKey: new Uint8Array(32).fill(7),
    acceptedByMe: true,
  };
  journal.put('contacts', 'bob', contact);
  // Of the device: none of it may be in an archive.
  for (const collection of ['groups', 'commits', 'epochs', 'ratchets', 'log', 'outbox', 'key-packages', 'contents'])
    journal.put(collection, 'canary', `canary-of-${collection}`);
  const history = await History.load(store);
  for (const { effects, ...message } of messages) {
    await history.add(message, journal);
    const placed = await history.find(message.conversation, contentIdOf(message.ref));
    history.replace({ ...placed!, message: { ...message, effects } }, journal);
  }
  await journal.commit();
  return store;
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return new Uint8Array(Buffer.concat(all));
}

async function* inPieces(bytes: Uint8Array, length = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

const exported = (store: Store) => bytesOf(exportArchive(store, PASSPHRASE, { argon2id }));
const imports = (store: Store, archive: Uint8Array, options: ImportOptions = {}) =>
  importArchive(store, () => inPieces(archive), PASSPHRASE, { argon2id, ...options });

async function textsIn(store: Store, conversation = 'bob'): Promise<string[]> {
  const texts: string[] = [];
  for await (const { message } of (await History.load(store)).oldestFirst(conversation)) texts.push(message.text);
  return texts;
}

async function isUntouched(store: Store): Promise<boolean> {
  const sizes = await Promise.all(
    ['session', 'contacts', 'settings', 'history-conversations'].map(async (each) => (await store.load(each)).size),
  );
  return sizes.every((size) => size === 0);
}

describe('an archive', () => {
  it('holds account, settings, contacts and messages, and nothing else', async () => {
    const archive = await exported(await storeOf([messageOf(1), messageOf(2)]));
    const kinds: string[] = [];
    for await (const { kind } of unpackRecords(openArchive(inPieces(archive), PASSPHRASE, argon2id))) kinds.push(kind);
    expect(kinds).toEqual(['account', 'settings', 'contact', 'message', 'message']);
    const plain = Buffer.from(await bytesOf(openArchive(inPieces(archive), PASSPHRASE, argon2id)));
    expect(plain.includes('message 1')).toBe(true);
    expect(plain.includes('canary')).toBe(false);
  });

  it('has the key of the account, and none of the device', async () => {
    const store = await storeOf([]);
    const plain = Buffer.from(await bytesOf(openArchive(inPieces(await exported(store)), PASSPHRASE, argon2id)));
    const secrets = decodeRecord<ReturnType<typeof newSecrets>>((await store.load('session')).get('secrets')!);
    expect(plain.includes(Buffer.from(seed))).toBe(true);
    for (const key of [secrets.authSeed, secrets.mlsSeed, secrets.deliveryKey]) expect(plain.includes(Buffer.from(key))).toBe(false);
  });

  it('shows nothing in clear, and opens by its passphrase alone', async () => {
    const archive = await exported(await storeOf([messageOf(1)]));
    expect(Buffer.from(archive).includes('message 1')).toBe(false);
    const wrong = importArchive(new MemoryStore(), () => inPieces(archive), 'another passphrase', { argon2id });
    await expect(wrong).rejects.toMatchObject({ reason: 'wrong-passphrase' });
    await expect(bytesOf(exportArchive(await storeOf([]), 'short', { argon2id }))).rejects.toMatchObject({ reason: 'weak-passphrase' });
  });

  it('makes each guess at its passphrase cost 64 MiB', async () => {
    prices.length = 0;
    await imports(new MemoryStore(), await exported(await storeOf([])));
    expect(prices.length).toBeGreaterThan(1);
    expect(new Set(prices)).toEqual(new Set([{ memoryKib: 65_536, passes: 1 }]));
  });

  it('fills an empty store: what was read is read, and edits and reactions stay', async () => {
    const by = { account: 'bb'.repeat(16), name: 'bob' };
    const edited = messageOf(2, { effects: { ...NO_EFFECTS, edits: { [by.account]: { text: 'edited', at: 3, ref: refOf(9) } } } });
    const from = await storeOf([messageOf(1), edited, messageOf(3)]);
    const journal = new Journal(from);
    (await History.load(from)).markRead('bob', 1, { reported: false }, journal);
    await journal.commit();
    const store = new MemoryStore();
    expect(await imports(store, await exported(from))).toEqual({ name: 'alice', server: 'the server', messages: 3, contacts: 1 });
    const history = await History.load(store);
    expect(await history.page('bob', 10)).toEqual([messageOf(1), edited, messageOf(3)]);
    expect(history.readTo('bob')).toBe(2);
    expect(history.unreported()).toEqual([]);
    expect([...(await store.load('session')).keys()].sort()).toEqual(['pin', 'restored']);
    expect(decodeRecord((await store.load('settings')).get('settings')!)).toMatchObject({ readReceipts: true });
    expect(toHex(decodeRecord<{ identityKey: Uint8Array }>((await store.load('contacts')).get('bob')!).identityKey)).toBe('07'.repeat(32));
  });

  it('leaves behind what has expired', async () => {
    const store = new MemoryStore();
    await imports(store, await exported(await storeOf([messageOf(1, { expiresAt: 5 }), messageOf(2)])));
    expect(await textsIn(store)).toEqual(['message 2']);
  });

  it('can be made of a store that was itself made from one', async () => {
    const store = new MemoryStore();
    await imports(store, await exported(await storeOf([messageOf(1)])));
    const again = new MemoryStore();
    expect(await imports(again, await exported(store))).toMatchObject({ name: 'alice', messages: 1 });
  });

  it('is refused by a store that has something, unless it is of the same account and is to be merged', async () => {
    const archive = await exported(await storeOf([messageOf(1)]));
    const [own, other] = [await storeOf([messageOf(2)]), await storeOf([messageOf(2)], 'cc'.repeat(16))];
    await expect(imports(own, archive)).rejects.toMatchObject({ reason: 'store-not-empty' });
    await expect(imports(other, archive, { merge: true })).rejects.toMatchObject({ reason: 'store-not-empty' });
    const unsure = new MemoryStore();
    await unsure.commit([{ collection: 'session', key: 'next-secrets', value: new Uint8Array(1) }]);
    await expect(imports(unsure, archive, { merge: true })).rejects.toMatchObject({ reason: 'store-not-empty' });
    expect(await textsIn(own)).toEqual(['message 2']);
  });

  it('merges by the time of arrival, each message once, over pages', async () => {
    const numbers = Array.from({ length: 600 }, (_, i) => i);
    const archive = await exported(await storeOf(numbers.filter((i) => i % 3 !== 0).map((i) => messageOf(i))));
    const store = await storeOf(numbers.filter((i) => i % 2 === 0).map((i) => messageOf(i)));
    expect(await imports(store, archive, { merge: true })).toMatchObject({ messages: 200, contacts: 0 });
    const kept = numbers.filter((i) => i % 3 !== 0 || i % 2 === 0).map((i) => `message ${i}`);
    expect(await textsIn(store)).toEqual(kept);
    expect(await imports(store, archive, { merge: true })).toMatchObject({ messages: 0 });
    expect(await textsIn(store)).toEqual(kept);
  });

  it('that was cut off while it was taken in is completed by taking it in again', async () => {
    const numbers = Array.from({ length: 1_000 }, (_, i) => i);
    const archive = await exported(await storeOf(numbers.map((i) => messageOf(i))));
    const store = await storeOf([messageOf(1_001)]);
    const stop = ({ done }: { done: number }) => {
      if (done === 700) throw new Error('cut off');
    };
    await expect(imports(store, archive, { merge: true, onProgress: stop })).rejects.toThrow('cut off');
    await imports(store, archive, { merge: true });
    expect(await textsIn(store)).toEqual([...numbers.map((i) => `message ${i}`), 'message 1001']);
  });

  it('is written and read a little at a time, however long the history', async () => {
    const numbers = Array.from({ length: 4_000 }, (_, i) => i);
    const store = await storeOf(numbers.map((i) => messageOf(i, { text: 'x'.repeat(2_000) })));
    let loaded = 0;
    const counted: Store = {
      load: async (collection) => {
        const records = await store.load(collection);
        for (const value of records.values()) loaded += value.length;
        return records;
      },
      get: (collection, keys) => store.get(collection, keys),
      commit: (changes) => store.commit(changes),
      close: () => store.close(),
    };
    const pieces: Uint8Array[] = [];
    let written = 0;
    let mostHeld = 0;
    for await (const piece of exportArchive(counted, PASSPHRASE, { argon2id })) {
      pieces.push(piece);
      written += piece.length;
      mostHeld = Math.max(mostHeld, loaded - written);
    }
    expect(written).toBeGreaterThan(8_000_000);
    expect(mostHeld).toBeLessThan(1_000_000);
    let committed = 0;
    let read = 0;
    let mostRead = 0;
    const target = new MemoryStore();
    const commit = target.commit.bind(target);
    target.commit = (changes) => {
      for (const { value } of changes) committed += value?.length ?? 0;
      return commit(changes);
    };
    async function* source(): AsyncGenerator<Uint8Array> {
      read = 0;
      for (const piece of pieces) {
        yield piece;
        read += piece.length;
        if (committed > 0) mostRead = Math.max(mostRead, read - committed);
      }
    }
    await importArchive(target, source, PASSPHRASE, { argon2id });
    expect(committed).toBeGreaterThan(8_000_000);
    expect(mostRead).toBeLessThan(1_500_000);
  });

  describe('that is not whole', () => {
    /** Of several chunks. */
    let archive: Uint8Array;

    beforeAll(async () => {
      archive = await exported(await storeOf([1, 2, 3].map((i) => messageOf(i, { text: 'x'.repeat(60_000) }))));
      expect(archive.length).toBeGreaterThan(HEAD + 2 * CHUNK);
    });

    const flipped = (at: number) => archive.map((byte, i) => (i === at ? byte ^ 1 : byte));
    const chunk = (number: number) => archive.slice(HEAD + number * CHUNK, HEAD + (number + 1) * CHUNK);
    const spliced = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

    it.each([
      ['no archive', () => new Uint8Array(1_000), /no archive of Sotto/],
      ['of another version', () => flipped(14), /another version/],
      ['empty', () => new Uint8Array(), /no archive of Sotto/],
      ['cut in its header', () => archive.slice(0, 40), /cut short/],
      ['its header alone', () => archive.slice(0, HEAD), /cut short/],
      ['cut between chunks', () => archive.slice(0, HEAD + CHUNK), /cut short/],
      ['cut within a chunk', () => archive.slice(0, HEAD + CHUNK + 1_000), /cut short/],
      ['without its last byte', () => archive.slice(0, -1), /altered or cut short/],
      ['with another salt', () => flipped(20), /passphrase does not open/],
      ['with another stream header', () => flipped(40), /passphrase does not open/],
      ['altered at its beginning', () => flipped(HEAD + 5), /altered/],
      ['altered in the middle', () => flipped(HEAD + CHUNK + 5), /altered or cut short \(part 2\)/],
      ['altered at its end', () => flipped(archive.length - 1), /altered/],
      ['with parts exchanged', () => spliced(archive.slice(0, HEAD), chunk(1), chunk(0), chunk(2)), /altered/],
      ['with a part doubled', () => spliced(archive.slice(0, HEAD + CHUNK), archive.slice(HEAD)), /altered/],
      ['without a part', () => spliced(archive.slice(0, HEAD + CHUNK), chunk(2)), /altered/],
      ['with something behind its end', () => spliced(archive, new Uint8Array(1)), /altered|behind its end/],
    ])('is refused before anything is written: %s', async (_what, alter, text) => {
      const store = new MemoryStore();
      await expect(imports(store, alter())).rejects.toThrow(text);
      expect(await isUntouched(store)).toBe(true);
    });

    it('is refused when it holds what is no record', async () => {
      const sealed = await bytesOf(sealArchive(inPieces(new Uint8Array(100).fill(1)), PASSPHRASE, argon2id));
      await expect(imports(new MemoryStore(), sealed)).rejects.toMatchObject({ reason: 'bad-archive' });
    });
  });
});
