import { beforeEach, describe, expect, it } from '@jest/globals';
import { fromHex, ReceiptStatus, toHex } from '@sotto/protocol';
import type { Dispatch, Recipient } from '../groups/group-ports.js';
import type { IncomingReceipt } from '../messaging/messenger-ports.js';
import { load } from '../groups/stored-groups.js';
import { Journal } from '../storage/journal.js';
import { MemoryStore } from '../storage/memory.store.js';
import { FIRST_TIMEOUT_MS, LAST_TIMEOUT_MS } from './outbox-entry.js';
import { Outbox } from './outbox.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const WINDOW = 128;
const RETRY_WINDOW_MS = 30 * SECOND;

let outbox: Outbox;
let store: MemoryStore;
let now: number;
/** Who is known to be there, or known not to be. */
let presence: Map<string, boolean>;
let sealed: number;

beforeEach(() => {
  outbox = new Outbox();
  outbox.retryWindowMs = RETRY_WINDOW_MS;
  outbox.online();
  store = new MemoryStore();
  now = 1_800_000_000_000;
  presence = new Map();
  sealed = 0;
});

/** An id of 16 bytes that spells the words, and back. */
const idOf = (words: string) => toHex(new TextEncoder().encode(words.padEnd(16).slice(0, 16)));
const wordsOf = (id: string) => new TextDecoder().decode(fromHex(id)).trim();

/** Bob's device is `bob`, his account `bob's account`. */
const to = (name: string): Recipient => ({
  device: idOf(name),
  account: idOf(`${name}'s account`),
  token: new Uint8Array(32).fill(name.length),
  leaf: idOf(`${name}'s leaf`),
});

function give(id: string, devices: string[], more: Partial<Dispatch> = {}): void {
  const dispatch: Dispatch = {
    kind: 'message',
    group: 'hiking',
    state: 'epoch 1',
    payload: Uint8Array.of(++sealed),
    recipients: [],
    ...more,
  };
  outbox.add(id, { ...dispatch, recipients: devices.map(to) }, now);
}

const slot = new Uint8Array(32).fill(7);
const giveCommit = (id: string, devices: string[]) => give(id, devices, { kind: 'commit', state: `commit ${id}`, slot });

/** What goes out now: `first → bob, carol`. */
function sent(): string[] {
  return outbox.due(now).map(({ id, recipients }) => `${id} → ${recipients.map(({ device }) => wordsOf(device)).join(', ')}`);
}

function hear(status: ReceiptStatus, id: string, more: Partial<IncomingReceipt> = {}) {
  const receipt = { id, device: '', status, relay: 1, retryAfterMs: 0, final: false, commit: '', ...more };
  return outbox
    .receipt({ ...receipt, device: receipt.device && idOf(receipt.device) }, (account) => presence.get(wordsOf(account)), now)
    .map(({ kind }) => kind);
}

const accepted = (id: string, relay = 1) => hear(ReceiptStatus.ACCEPTED, id, { relay });
const delivered = (id: string, device: string) => hear(ReceiptStatus.DELIVERED, id, { device });
const cannot = (id: string, device: string) => hear(ReceiptStatus.CANNOT, id, { device });
const undelivered = (id: string, device: string) => hear(ReceiptStatus.UNDELIVERED, id, { device });
const refused = (id: string, retryAfterMs = 0) => hear(ReceiptStatus.REFUSED, id, { retryAfterMs });
const statusOf = (id: string, device: string) => outbox.get(id)?.recipients.get(idOf(device))?.status;

async function saved(): Promise<void> {
  const journal = new Journal(store);
  outbox.save(journal);
  await journal.commit();
}

/** The device starts anew with what its store holds. */
async function restart(): Promise<void> {
  outbox = Outbox.load(await load(store, 'outbox'), await load(store, 'outbox-settled'));
  outbox.retryWindowMs = RETRY_WINDOW_MS;
  outbox.online();
}

describe('sending', () => {
  it('goes in the order in which it was given, once to each recipient', () => {
    give('first', ['bob', 'carol']);
    give('second', ['bob']);
    expect(sent()).toEqual(['first → bob, carol', 'second → bob']);
    expect(sent()).toEqual([]);
  });

  it('keeps its order when something earlier has to go again', () => {
    give('first', ['bob']);
    sent();
    accepted('first');
    give('second', ['bob']);
    hear(ReceiptStatus.RELAY_LOST, '', { relay: 1 });
    expect(sent()).toEqual(['first → bob', 'second → bob']);
  });

  it('waits for the connection', () => {
    outbox.offline();
    give('first', ['bob']);
    expect(sent()).toEqual([]);
    outbox.online();
    expect(sent()).toEqual(['first → bob']);
  });

  it('gives the relay the same bytes under the same id each time', () => {
    give('first', ['bob'], { payload: Uint8Array.of(9, 9) });
    const [first] = outbox.due(now);
    now += FIRST_TIMEOUT_MS;
    outbox.tick(now);
    expect(outbox.due(now)).toEqual([first]);
    expect(first).toMatchObject({
      id: 'first',
      payload: Uint8Array.of(9, 9),
      held: true,
      recipients: [{ device: to('bob').device, token: to('bob').token }],
    });
  });

  it('keeps a window of messages that nobody has answered, and goes on in order as they are', () => {
    for (let i = 0; i < WINDOW + 2; i++) give(`${i}`, ['bob']);
    expect(sent()).toHaveLength(WINDOW);
    expect(sent()).toEqual([]);
    accepted('0');
    expect(sent()).toEqual([`${WINDOW} → bob`]);
    delivered('1', 'bob');
    expect(sent()).toEqual([`${WINDOW + 1} → bob`]);
  });

  it('has room in the window again for what was given up on its way', () => {
    for (let i = 0; i < WINDOW + 1; i++) give(`${i}`, ['bob']);
    sent();
    outbox.withdraw('5');
    expect(sent()).toEqual([`${WINDOW} → bob`]);
  });
});

describe('a Welcome', () => {
  it('goes before anything else of its group to that device, whatever was there first', () => {
    give('message', ['bob', 'dave']);
    give('welcome', ['dave'], { kind: 'welcome' });
    expect(sent()).toEqual(['message → bob', 'welcome → dave']);
    accepted('welcome');
    expect(sent()).toEqual([]);
    delivered('welcome', 'dave');
    expect(sent()).toEqual(['message → dave']);
  });

  it('holds up no other group, and no other device', () => {
    give('welcome', ['dave'], { kind: 'welcome' });
    give('here', ['dave', 'erin']);
    give('elsewhere', ['dave'], { group: 'biking' });
    give('their welcome', ['erin'], { group: 'biking', kind: 'welcome' });
    give('to all', ['dave', 'erin'], { group: 'biking' });
    expect(sent()).toEqual(['welcome → dave', 'here → erin', 'elsewhere → dave', 'their welcome → erin', 'to all → dave']);
  });

  it('that can never be opened holds up nothing more', () => {
    give('welcome', ['dave'], { kind: 'welcome' });
    give('message', ['dave']);
    sent();
    expect(cannot('welcome', 'dave')).toEqual(['cannot']);
    expect(sent()).toEqual(['message → dave']);
  });

  it('is not overtaken after a restart either', async () => {
    give('message', ['dave']);
    give('welcome', ['dave'], { kind: 'welcome' });
    await saved();
    await restart();
    expect(sent()).toEqual(['welcome → dave']);
  });
});

describe('a commit with a slot', () => {
  it('claims it with its own id, and has won once the relay takes it', () => {
    giveCommit('mine', ['bob']);
    expect(outbox.due(now)[0]!.slot).toEqual({ slot, commit: 'commit mine' });
    expect(accepted('mine')).toEqual(['won', 'moved']);
    expect(accepted('mine')).toEqual(['moved']);
  });

  it('has won by any sign that it went out', () => {
    const signs = [delivered, cannot, undelivered];
    for (const [i, sign] of signs.entries()) {
      giveCommit(`${i}`, ['bob', 'carol']);
      sent();
      expect(sign(`${i}`, 'bob')[0]).toBe('won');
    }
  });

  it('claims nothing any more when it goes to others later', async () => {
    giveCommit('mine', ['bob', 'carol']);
    sent();
    delivered('mine', 'bob');
    undelivered('mine', 'carol');
    outbox.sighted(idOf('carol'));
    expect(outbox.due(now)).toMatchObject([{ id: 'mine', slot: undefined, recipients: [{ device: to('carol').device }] }]);
    await saved();
    await restart();
    expect(outbox.due(now)).toMatchObject([{ id: 'mine', slot: undefined }]);
  });

  it('that another one has taken is told so, tried again half a minute later, and delivered to nobody before', () => {
    giveCommit('mine', ['bob']);
    sent();
    const effects = outbox.receipt(
      { id: 'mine', device: '', status: ReceiptStatus.SLOT_TAKEN, relay: 0, retryAfterMs: 0, final: false, commit: 'other' },
      () => undefined,
      now,
    );
    expect(effects).toMatchObject([{ kind: 'taken', by: 'other', entry: { id: 'mine' } }]);
    now += 30 * SECOND - 1;
    outbox.tick(now);
    expect(sent()).toEqual([]);
    now += 1;
    expect(outbox.due(now)).toMatchObject([{ id: 'mine', slot: { commit: 'commit mine' } }]);
  });
});

describe('what the relay says', () => {
  it('delivered and cannot settle a device, the last one the whole entry', () => {
    give('first', ['bob', 'carol']);
    sent();
    expect(delivered('first', 'bob')).toEqual(['delivered']);
    expect(delivered('first', 'bob')).toEqual([]);
    expect(cannot('first', 'bob')).toEqual([]);
    expect(outbox.get('first')).toBeDefined();
    expect(cannot('first', 'carol')).toEqual(['cannot']);
    expect(outbox.get('first')).toBeUndefined();
    expect([...outbox.entries()]).toEqual([]);
  });

  it('of things and devices that it knows nothing of is ignored', () => {
    give('first', ['bob']);
    sent();
    expect(delivered('another', 'bob')).toEqual([]);
    expect(delivered('first', 'carol')).toEqual([]);
    expect(undelivered('first', 'carol')).toEqual([]);
    expect(hear(ReceiptStatus.UNSPECIFIED, 'first', { device: 'bob' })).toEqual([]);
    expect(statusOf('first', 'bob')).toBe('sent');
  });

  it('nothing: the same again after ten seconds, then after twice as long, at most five minutes', () => {
    give('first', ['bob']);
    sent();
    for (let wait = FIRST_TIMEOUT_MS; wait < 4 * LAST_TIMEOUT_MS; wait *= 2) {
      now += Math.min(wait, LAST_TIMEOUT_MS) - 1;
      outbox.tick(now);
      expect(sent()).toEqual([]);
      now += 1;
      outbox.tick(now);
      expect(sent()).toEqual(['first → bob']);
    }
  });

  it('accepted, and then nothing: the same again once the relay must have given up', () => {
    give('first', ['bob']);
    sent();
    accepted('first');
    now += FIRST_TIMEOUT_MS + RETRY_WINDOW_MS - 1;
    outbox.tick(now);
    expect(sent()).toEqual([]);
    now += 1;
    outbox.tick(now);
    expect(sent()).toEqual(['first → bob']);
  });

  it('a relay is lost: what that one had accepted or nobody yet goes out again at once, the rest does not', () => {
    for (const id of ['one', 'two', 'three', 'four']) give(id, ['bob', 'carol']);
    sent();
    accepted('one', 1);
    accepted('two', 2);
    accepted('three', 1);
    delivered('three', 'bob');
    expect(hear(ReceiptStatus.RELAY_LOST, '', { relay: 1 })).toEqual([]);
    expect(sent()).toEqual(['one → bob, carol', 'three → carol', 'four → bob, carol']);
  });

  it('the connection is another: all that was not settled goes out again', () => {
    for (const id of ['one', 'two', 'three', 'four']) give(id, ['bob']);
    sent();
    accepted('one');
    delivered('two', 'bob');
    undelivered('three', 'bob');
    outbox.offline();
    outbox.online();
    expect(sent()).toEqual(['one → bob', 'four → bob']);
  });
});

describe('a refusal', () => {
  it('for now is tried again when the server said, and later each time', () => {
    give('first', ['bob']);
    sent();
    expect(refused('first', 5 * SECOND)).toEqual(['moved']);
    now += 5 * SECOND - 1;
    expect(sent()).toEqual([]);
    now += 1;
    expect(sent()).toEqual(['first → bob']);
    refused('first', 0);
    now += 2 * SECOND - 1;
    expect(sent()).toEqual([]);
    now += 1;
    expect(sent()).toEqual(['first → bob']);
  });

  it('for good ends it, and nothing of it stays in the store', async () => {
    give('first', ['bob']);
    await saved();
    sent();
    expect(hear(ReceiptStatus.REFUSED, 'first', { final: true })).toEqual(['refused']);
    expect(outbox.get('first')).toBeUndefined();
    now += DAY;
    outbox.tick(now);
    expect(sent()).toEqual([]);
    await saved();
    expect((await store.load('outbox')).size).toBe(0);
  });

  it('says nothing of those who have it already', () => {
    give('first', ['bob', 'carol']);
    sent();
    delivered('first', 'bob');
    refused('first');
    now += MINUTE;
    expect(sent()).toEqual(['first → carol']);
  });
});

describe('undelivered', () => {
  it('goes again by the token that the group has of the device by then: the one of the first try may be withdrawn', () => {
    give('hi', ['bob']);
    const fresh = new Uint8Array(32).fill(99);
    const tokens = () =>
      outbox.due(now, { token: () => fresh, isClosed: () => false }).flatMap(({ recipients }) => recipients.map(({ token }) => token));
    expect(tokens()).toEqual([to('bob').token]);
    accepted('hi');
    undelivered('hi', 'bob');
    outbox.sighted(idOf('bob'));
    expect(tokens()).toEqual([fresh]);
  });

  beforeEach(() => {
    give('first', ['bob']);
    sent();
    accepted('first');
  });

  it('to somebody who is away waits for a sign of life of the account', () => {
    presence.set("bob's account", false);
    expect(undelivered('first', 'bob')).toEqual(['undelivered']);
    expect(statusOf('first', 'bob')).toBe('waiting-for-online');
    expect(sent()).toEqual([]);
    outbox.sighted(idOf("carol's account"));
    expect(sent()).toEqual([]);
    outbox.sighted(idOf("bob's account"));
    expect(sent()).toEqual(['first → bob']);
    outbox.sighted(idOf("bob's account"));
    expect(sent()).toEqual([]);
  });

  it('waits for a sign of life of the device as well', () => {
    undelivered('first', 'bob');
    outbox.sighted(idOf('bob'));
    expect(sent()).toEqual(['first → bob']);
  });

  it('to somebody whose presence nobody tells is tried again after a minute, then after twice as long, at most half an hour', () => {
    for (const wait of [1, 2, 4, 8, 16, 30, 30]) {
      undelivered('first', 'bob');
      now += wait * MINUTE - 1;
      outbox.tick(now);
      expect(sent()).toEqual([]);
      now += 1;
      outbox.tick(now);
      expect(sent()).toEqual(['first → bob']);
    }
  });

  it('to somebody who is there again by now is tried again at once, then ever less often', () => {
    presence.set("bob's account", true);
    for (const wait of [1, 10, 30, 70]) {
      expect(undelivered('first', 'bob')).toEqual(['undelivered']);
      now += wait * SECOND - 1;
      outbox.tick(now);
      expect(sent()).toEqual([]);
      now += 1;
      outbox.tick(now);
      expect(sent()).toEqual(['first → bob']);
    }
  });

  describe('of several to one device', () => {
    beforeEach(() => {
      for (const id of ['second', 'third']) give(id, ['bob']);
      give('elsewhere', ['bob'], { group: 'reading' });
      sent();
      for (const id of ['second', 'third', 'elsewhere']) accepted(id);
      for (const id of ['first', 'second', 'third', 'elsewhere']) undelivered(id, 'bob');
    });

    it.each([undefined, true])('has the oldest of each group tried again, and no other (presence: %s)', (isThere) => {
      if (isThere !== undefined) presence.set("bob's account", isThere);
      for (const minutes of [1, 2, 4, 8]) {
        now += minutes * MINUTE;
        outbox.tick(now);
        expect(sent()).toEqual(['first → bob', 'elsewhere → bob']);
        for (const id of ['first', 'elsewhere']) undelivered(id, 'bob');
      }
    });

    it.each([delivered, cannot])('has all of its group go out once that one was taken', (taken) => {
      now += MINUTE;
      outbox.tick(now);
      sent();
      taken('first', 'bob');
      expect(sent()).toEqual(['second → bob', 'third → bob']);
    });

    it('has all go out at a sign of life, or once the oldest has been in vain for an hour, whatever that is due to', () => {
      outbox.sighted(idOf('bob'));
      expect(sent()).toEqual(['first → bob', 'second → bob', 'third → bob', 'elsewhere → bob']);
      for (const id of ['first', 'second', 'third', 'elsewhere']) undelivered(id, 'bob');
      now += 60 * MINUTE;
      outbox.tick(now);
      expect(sent()).toHaveLength(4);
    });

    it('does not wait for a commit that has not won its slot: nobody gets that one yet', () => {
      giveCommit('commit', ['carol']);
      sent();
      hear(ReceiptStatus.SLOT_TAKEN, 'commit', { commit: 'another' });
      give('fourth', ['carol']);
      sent();
      undelivered('fourth', 'carol');
      now += MINUTE;
      outbox.tick(now);
      expect(sent()).toContain('fourth → carol');
    });

    it('has the next one tried again when the oldest is given up', () => {
      outbox.withdraw('first');
      outbox.tick(now);
      // Whoever gives up all that waits has none of it sent meanwhile.
      expect(sent()).toEqual([]);
      now += MINUTE;
      outbox.tick(now);
      sent();
      for (const id of ['second', 'third']) undelivered(id, 'bob');
      now += 2 * MINUTE;
      outbox.tick(now);
      expect(sent().filter((each) => !each.startsWith('elsewhere'))).toEqual(['second → bob']);
    });
  });

  it('of a message that waits already changes nothing', () => {
    undelivered('first', 'bob');
    expect(undelivered('first', 'bob')).toEqual([]);
    outbox.sighted(idOf('bob'));
    expect(undelivered('first', 'bob')).toEqual([]);
    expect(sent()).toEqual(['first → bob']);
  });

  it('and then seen: the next silence counts from the beginning', () => {
    undelivered('first', 'bob');
    undelivered('first', 'bob');
    outbox.sighted(idOf('bob'));
    sent();
    now += FIRST_TIMEOUT_MS;
    outbox.tick(now);
    expect(sent()).toEqual(['first → bob']);
  });
});

describe('an end', () => {
  it('of what is owed comes after fourteen days, and is told', async () => {
    give('first', ['bob', 'carol']);
    sent();
    delivered('first', 'carol');
    await saved();
    now += 14 * DAY;
    expect(outbox.tick(now)).toEqual([]);
    now += 1;
    expect(outbox.tick(now)).toMatchObject([{ kind: 'refused', entry: { id: 'first' } }]);
    expect(outbox.get('first')).toBeUndefined();
    await saved();
    for (const collection of ['outbox', 'outbox-settled']) expect((await store.load(collection)).size).toBe(0);
  });

  it('of what a leaf is owed that nobody has: in its group alone, and not of commits, which would tell whoever has it', () => {
    give('hello', ['bob', 'carol']);
    give('other', ['bob'], { group: 'climbing' });
    giveCommit('commit', ['bob']);
    expect(outbox.release('hiking', to('bob').leaf).map(({ id }) => id)).toEqual(['hello']);
    expect(statusOf('hello', 'bob')).toBe('cannot');
    expect(statusOf('hello', 'carol')).toBe('queued');
    expect(statusOf('other', 'bob')).toBe('queued');
    expect(statusOf('commit', 'bob')).toBe('queued');
  });

  it('of what devices have by another entry: of that one alone, and of the whole with the last of them', () => {
    give('hello', ['bob', 'carol']);
    give('other', ['bob']);
    for (const name of ['bob', 'dave']) outbox.excuse('hello', idOf(name));
    outbox.excuse('unknown', idOf('bob'));
    expect(sent()).toEqual(['hello → carol', 'other → bob']);
    outbox.excuse('hello', idOf('carol'));
    expect(outbox.get('hello')).toBeUndefined();
  });

  it('of what a device has by another entry is no sign that it is there', () => {
    give('hello', ['bob']);
    give('other', ['bob']);
    sent();
    for (const id of ['hello', 'other']) undelivered(id, 'bob');
    outbox.excuse('hello', idOf('bob'));
    expect(statusOf('other', 'bob')).toBe('waiting-for-online');
  });

  it('by being withdrawn leaves nothing to send, and nothing in the store', async () => {
    give('stored', ['bob']);
    await saved();
    give('fresh', ['bob']);
    outbox.withdraw('stored');
    outbox.withdraw('fresh');
    outbox.withdraw('unknown');
    expect(sent()).toEqual([]);
    await saved();
    expect((await store.load('outbox')).size).toBe(0);
  });
});

describe('after a restart', () => {
  it('everything that was owed goes out again, in its order, in the same bytes', async () => {
    give('first', ['bob', 'carol'], { content: 'hello', payload: Uint8Array.of(1, 2, 3) });
    give('second', ['bob']);
    await saved();
    sent();
    accepted('first');
    await restart();
    expect(outbox.due(now).map(({ id, payload }) => [id, [...payload]])).toEqual([
      ['first', [1, 2, 3]],
      ['second', [2]],
    ]);
    expect(outbox.get('first')).toMatchObject({ content: 'hello', kind: 'message', group: 'hiking', state: 'epoch 1', createdAt: now });
  });

  it('what is new comes after what was there', async () => {
    give('first', ['bob']);
    give('second', ['bob']);
    await saved();
    await restart();
    give('third', ['bob']);
    expect(sent()).toEqual(['first → bob', 'second → bob', 'third → bob']);
  });

  it('those who had it are owed nothing', async () => {
    give('first', ['bob', 'carol', 'dave']);
    sent();
    delivered('first', 'bob');
    cannot('first', 'dave');
    await saved();
    await restart();
    expect(sent()).toEqual(['first → carol']);
  });

  it('those who had it before an earlier restart are owed nothing either', async () => {
    give('first', ['bob', 'carol', 'dave']);
    await saved();
    sent();
    delivered('first', 'bob');
    await saved();
    await restart();
    sent();
    delivered('first', 'carol');
    await saved();
    await restart();
    expect(sent()).toEqual(['first → dave']);
  });

  it('a receipt alone rewrites no payload', async () => {
    give('first', ['bob', 'carol']);
    await saved();
    sent();
    delivered('first', 'bob');
    const written: string[] = [];
    const journal = { put: (collection: string) => written.push(collection), remove: () => undefined };
    outbox.save(journal as unknown as Journal);
    expect(written).toEqual(['outbox-settled']);
    outbox.save(journal as unknown as Journal);
    expect(written).toEqual(['outbox-settled']);
  });
});
