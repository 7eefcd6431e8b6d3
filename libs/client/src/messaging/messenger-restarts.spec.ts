import { describe, expect, it, jest } from '@jest/globals';
import { THOROUGH } from '@sotto/testing/thoroughly';
import type { ClientError } from '../client-error.js';
import { encodeRecord } from '../storage/record.js';
import { COLLECTIONS, Crash, type Phone, PostOffice } from './post-office.harness.js';

// Real keys for everybody, and hours that pass: seconds on a machine that has time.
jest.setTimeout(120_000);

const MINUTE = 60_000;

interface Ending {
  readonly office: PostOffice;
  readonly phones: readonly [Phone, Phone, Phone];
  readonly hiking: string;
}

/** What its owner does again, if the device died before it was kept. */
async function surely<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return act();
  }
}

/** A little of everything: `dying` may die at the given one of its commits. */
async function story(dying?: { name: string; commit: number; durable: boolean }): Promise<Ending> {
  const office = new PostOffice();
  const phones = (await office.people('alice', 'bob', 'carol')) as [Phone, Phone, Phone];
  const [alice, bob, carol] = phones;
  const victim = phones.find(({ name }) => name === dying?.name);
  if (victim !== undefined && dying !== undefined)
    victim.store.diesAt = { commit: victim.store.commits + dying.commit, durable: dying.durable };
  const hiking = await surely(() => alice.createGroup('hiking', bob));
  await office.pass(20_000, 5_000);
  await surely(() => bob.say(hiking, 'one'));
  await surely(() => alice.add(hiking, carol));
  await surely(() => bob.wish(hiking, { kind: 'rename', name: 'biking' }));
  await office.pass(40_000, 5_000);
  await surely(() => alice.say(hiking, 'two'));
  await surely(() => carol.say(hiking, 'three'));
  await surely(() => alice.tell(bob, 'between us'));
  await office.pass(4 * MINUTE, 5_000);
  if (victim !== undefined) victim.store.diesAt = undefined;
  return { office, phones, hiking };
}

function expectEnding({ phones, hiking }: Ending): void {
  const [alice, bob, carol] = phones;
  expect([...alice.shown].sort()).toEqual(['bob: one', 'carol: three']);
  expect([...bob.shown].sort()).toEqual(['alice: between us', 'alice: two', 'carol: three']);
  // What was written before she came is hers where it was sealed only after that.
  expect(carol.shown.filter((each) => each !== 'bob: one')).toEqual(['alice: two']);
  expect(new Set(phones.map((phone) => phone.authenticator(hiking))).size).toBe(1);
  for (const phone of phones) expect([phone.name, phone.members(hiking), phone.queue]).toEqual([phone.name, ['alice', 'bob', 'carol'], []]);
  for (const phone of phones) expect(phone.view(hiking)).toMatchObject({ data: { name: 'biking' }, hold: undefined });
  for (const phone of phones) expect([phone.name, phone.messenger.unsafeGroup(hiking)!.core.intents]).toEqual([phone.name, []]);
}

async function commitsIn(name: string): Promise<number> {
  const { phones } = await story();
  return phones.find((phone) => phone.name === name)!.store.commits;
}

/** From a step in which it dies to the next. */
const STRIDE = THOROUGH ? 1 : 4;

describe('a device that dies', () => {
  it('or does not: the story is the same', async () => {
    expectEnding(await story());
  });

  for (const name of ['alice', 'bob', 'carol']) {
    for (const durable of [false, true]) {
      const when = durable ? 'after a step is kept and before anything of it goes out' : 'before a step is kept';
      it(`${when} goes on as if nothing had been, whichever step it is (${name}${STRIDE === 1 ? '' : `, one of ${STRIDE} steps`})`, async () => {
        const last = await commitsIn(name);
        const failed: string[] = [];
        for (let commit = 1; commit <= last; commit += STRIDE) {
          try {
            expectEnding(await story({ name, commit, durable }));
          } catch (error) {
            failed.push(`step ${commit}: ${String(error).slice(0, 400)}`);
          }
        }
        expect(failed).toEqual([]);
      }, 300_000);
    }
  }
});

describe('a store', () => {
  it('brings back every group, message and wish as it was', async () => {
    const { office, phones, hiking } = await story();
    const [alice, bob, carol] = phones;
    await carol.offline();
    await alice.say(hiking, 'four');
    await office.pass(MINUTE, 5_000);
    const before = { views: alice.messenger.groups(), queue: alice.queue, authenticator: alice.authenticator(hiking) };
    await alice.restart();
    const holding = { hold: 'hello' };
    expect(alice.messenger.groups()).toEqual(before.views.map((view) => ({ ...view, ...holding })));
    expect(alice.authenticator(hiking)).toBe(before.authenticator);
    expect(alice.messenger.queue().map(({ content }) => content.plaintext)).toEqual([new TextEncoder().encode('four')]);
    await bob.restart();
    await alice.online();
    await bob.online();
    await carol.online();
    await office.pass(MINUTE);
    expect(carol.shown.at(-1)).toBe('alice: four');
    expect(alice.queue).toEqual([]);
  });

  it('does not keep what is written back for ever where nobody seems to be there: they may be, unseen', async () => {
    const { office, phones, hiking } = await story();
    const [alice, bob, carol] = phones;
    bob.isInvisible = true;
    await carol.offline();
    await alice.restart();
    await alice.online();
    await alice.say(hiking, 'four');
    await alice.tell(bob, 'still between us');
    await office.pass(MINUTE);
    expect(bob.shown.slice(-2).sort()).toEqual(['alice: four', 'alice: still between us']);
  });

  /** Why the program does not start; what is on the disk is as it was then. */
  async function refusal(phone: Phone): Promise<ClientError> {
    const before = await contentsOf(phone);
    const error: unknown = await phone.restart().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(await contentsOf(phone)).toEqual(before);
    return error as ClientError;
  }

  async function contentsOf({ store }: Phone): Promise<unknown> {
    return Promise.all(COLLECTIONS.map(async (collection) => [collection, await store.disk.load(collection)]));
  }

  for (const collection of ['groups', 'commits', 'epochs', 'ratchets']) {
    it(`that has lost its ${collection} is refused with a clear error: nobody goes on from a part of a group`, async () => {
      const { phones } = await story();
      const [alice] = phones;
      const keys = [...(await alice.store.load(collection)).keys()];
      expect(keys.length).toBeGreaterThan(0);
      await alice.store.disk.commit(keys.map((key) => ({ collection, key })));
      expect(await refusal(alice)).toMatchObject({ reason: 'storage-failed', message: expect.stringMatching(/lacks a part of a group/) });
    });
  }

  it('of which one record is not readable, or of a later version, is refused with what to do about it', async () => {
    const { phones } = await story();
    const [alice] = phones;
    const disk = await alice.backup();
    const readable = encodeRecord(Uint8Array.of(2, 0, 0));
    const ofLater = { groups: encodeRecord({ version: 2 }), commits: encodeRecord({ version: 2 }), epochs: readable, ratchets: readable };
    for (const [collection, record] of Object.entries(ofLater)) {
      const keys = [...(await disk.load(collection)).keys()];
      for (const value of [new TextEncoder().encode('not a record'), record]) {
        alice.store.disk = await alice.backup();
        await alice.store.disk.commit([{ collection, key: keys[0]!, value }]);
        expect([collection, await refusal(alice)]).toMatchObject([
          collection,
          { reason: 'storage-failed', message: expect.stringMatching(/newer version.*put a copy of the store back/) },
        ]);
        alice.store.disk = disk;
      }
    }
    await alice.restart();
  });
});
