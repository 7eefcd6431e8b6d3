import { beforeEach, describe, expect, it } from '@jest/globals';
import { toHex } from '@sotto/protocol';
import type { OutboxEntry, RecipientState, RecipientStatus } from '../outbox/outbox-entry.js';
import { Journal } from '../storage/journal.js';
import { MemoryStore } from '../storage/memory.store.js';
import { type Content, type ContentRecord, Contents } from './contents.js';
import type { Recipient } from './group-ports.js';
import { load } from './stored-groups.js';

let store: MemoryStore;
let journal: Journal;
let contents: Contents;
let entries: Map<string, OutboxEntry>;

beforeEach(() => {
  store = new MemoryStore();
  journal = new Journal(store);
  contents = new Contents([], new Set(), idOf('alice'));
  entries = new Map();
});

const step = () => ({ journal, now: 5 });
const written: Content = { group: 'hiking', plaintext: Uint8Array.of(1), at: 1 };
/** An id of 16 bytes that spells the name. */
const idOf = (name: string) => toHex(new TextEncoder().encode(name.padEnd(16)));
const to = (...devices: string[]): Recipient[] =>
  devices.map((device) => ({ device, account: idOf(device.split('/')[0]!), token: new Uint8Array(32), leaf: `leaf of ${device}` }));

/** A sealing of `hello` on its way, as the outbox has it. */
function onItsWay(entry: string, standing: Record<string, RecipientStatus>): void {
  const recipients = to(...Object.keys(standing)).map((each) => [each.device, { ...each, status: standing[each.device] }] as const);
  entries.set(entry, { id: entry, recipients: new Map(recipients as [string, RecipientState][]) } as unknown as OutboxEntry);
}

function sealed(entry: string, standing: Record<string, RecipientStatus>): void {
  onItsWay(entry, standing);
  contents.dispatched('hello', entry, to(...Object.keys(standing)), step());
}

const status = () => contents.statusOf('hello', (id) => entries.get(id));
const changed = () => contents.changedStatus('hello', (id) => entries.get(id));

async function restarted(): Promise<Contents> {
  await journal.commit();
  return new Contents(await load<ContentRecord>(store, 'contents'), new Set((await store.load('seen')).keys()), idOf('alice'));
}

describe('what the user wrote', () => {
  it('is kept until it is forgotten, over a restart too', async () => {
    contents.put('hello', written, step());
    const again = await restarted();
    expect(again.get('hello')).toEqual(written);
    expect([...again.all()].map(([id]) => id)).toEqual(['hello']);
    again.forget('hello', step());
    again.forget('hello', step());
    expect(again.get('hello')).toBeUndefined();
    expect((await restarted()).get('hello')).toBeUndefined();
  });

  it('is owed to the accounts for which it was sealed first, not to oneself', async () => {
    contents.put('hello', written, step());
    sealed('first', { 'bob/phone': 'sent', 'bob/laptop': 'sent', 'carol/phone': 'sent', 'alice/laptop': 'sent' });
    expect(contents.get('hello')!.owed).toEqual(new Set([idOf('bob'), idOf('carol')]));
    sealed('again', { 'dave/phone': 'sent' });
    expect((await restarted()).get('hello')!.owed).toEqual(new Set([idOf('bob'), idOf('carol')]));
  });

  it('knows its sealings, until each is settled', () => {
    contents.put('hello', written, step());
    sealed('first', { 'bob/phone': 'sent' });
    contents.restore('hello', 'again');
    expect([...contents.entriesOf('hello')]).toEqual(['first', 'again']);
    contents.settled('hello', 'first');
    expect([...contents.entriesOf('hello')]).toEqual(['again']);
    contents.forget('hello', step());
    expect([...contents.entriesOf('hello')]).toEqual([]);
  });

  it('counts how often it was sealed again for each leaf', () => {
    const [bob] = to('bob/phone');
    expect(contents.triesFor('hello', bob!.device, bob!.leaf)).toBe(0);
    contents.tried('hello', bob!, 2);
    expect(contents.triesFor('hello', bob!.device, bob!.leaf)).toBe(2);
    expect(contents.triesFor('hello', bob!.device, 'another leaf')).toBe(0);
    expect(contents.triesFor('goodbye', bob!.device, bob!.leaf)).toBe(0);
  });
});

describe('the status of a message', () => {
  beforeEach(() => contents.put('hello', written, step()));

  it('is queued before it is sealed, and until the relay has it', () => {
    expect(status()).toBe('queued');
    sealed('first', { 'bob/phone': 'sent' });
    expect(status()).toBe('queued');
  });

  it('is accepted as soon as the relay has it for anybody else', () => {
    sealed('first', { 'bob/phone': 'sent', 'carol/phone': 'accepted' });
    expect(status()).toBe('accepted');
    onItsWay('first', { 'bob/phone': 'sent', 'alice/laptop': 'accepted' });
    expect(status()).toBe('queued');
  });

  it('waits for others to come online when nothing else is to be waited for', () => {
    sealed('first', { 'bob/phone': 'waiting-for-online', 'carol/phone': 'queued' });
    expect(status()).toBe('queued');
    onItsWay('first', { 'bob/phone': 'waiting-for-online', 'carol/phone': 'sent' });
    expect(status()).toBe('queued');
    onItsWay('first', { 'bob/phone': 'waiting-for-online', 'carol/phone': 'delivered' });
    expect(status()).toBe('waiting-for-online');
  });

  it('is delivered when one device of each account has it', () => {
    sealed('first', { 'bob/phone': 'sent', 'bob/laptop': 'sent', 'carol/phone': 'sent' });
    contents.delivered('hello', idOf('bob'), step());
    expect(status()).toBe('queued');
    contents.delivered('hello', idOf('bob'), step());
    contents.delivered('hello', idOf('alice'), step());
    contents.delivered('hello', idOf('carol'), step());
    expect(status()).toBe('delivered');
  });

  it('that was delivered is so after a restart', async () => {
    sealed('first', { 'bob/phone': 'sent' });
    contents.delivered('hello', idOf('bob'), step());
    expect((await restarted()).statusOf('hello', () => undefined)).toBe('delivered');
  });

  it('is told when it changes, and only then', () => {
    expect(changed()).toBe('queued');
    expect(changed()).toBeUndefined();
    sealed('first', { 'bob/phone': 'accepted' });
    expect(changed()).toBe('accepted');
    contents.delivered('hello', idOf('bob'), step());
    expect(changed()).toBe('delivered');
    expect(changed()).toBeUndefined();
  });
});

describe('a message of another', () => {
  it('is shown once, however often and wherever it comes, over a restart too', async () => {
    expect(contents.see('bob/phone', 'hello', step())).toBe(true);
    expect(contents.see('bob/phone', 'hello', step())).toBe(false);
    expect((await restarted()).see('bob/phone', 'hello', step())).toBe(false);
  });

  it("of the same id from another device is another message: ids are their sender's to choose", () => {
    expect(contents.see('bob/phone', 'hello', step())).toBe(true);
    expect(contents.see('mallory/phone', 'hello', step())).toBe(true);
  });
});
