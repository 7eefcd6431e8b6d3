import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { GroupState } from '@sotto/mls';
import { nodeProvider } from '@sotto/mls/node';
import { CommitAuthenticatedDataSchema, EnvelopeSchema, fromHex, MessageAuthenticatedDataSchema } from '@sotto/protocol';
import { commitId } from '../groups/stored-commit.js';
import { applicationEnvelope, commitEnvelope } from '../groups/sealing.js';
import { MOST_COMMITS_OF_ACCOUNT } from '../groups/surplus-commits.js';
import { MOST_STATES_OF_AUTHOR, MOST_STATES_OF_EPOCH } from '../groups/surplus-states.js';
import { type Phone, PostOffice } from './post-office.harness.js';

// Real keys for everybody, and hundreds of commits.
jest.setTimeout(120_000);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HANDLE = 7n;
/** Commits of carol on one epoch. */
const MINTED = 200;

/** A commit and the state that it makes, as its author has it. */
interface Minted {
  readonly id: string;
  readonly envelope: Uint8Array;
  readonly state: GroupState;
}

let office: PostOffice;
let alice: Phone;
let bob: Phone;
let carol: Phone;
let hiking: string;
let parent: string;

/** A group of three, whose last member does with her keys as she likes. */
beforeEach(async () => {
  office = new PostOffice();
  [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as [Phone, Phone, Phone];
  hiking = await alice.createGroup('hiking', bob, carol);
  await office.pass(MINUTE);
  parent = branchesOf(carol).head;
  await carol.offline();
});

const branchesOf = (phone: Phone) => phone.messenger.unsafeGroup(hiking)!.core.branches;
const noRight = () => toBinary(CommitAuthenticatedDataSchema, create(CommitAuthenticatedDataSchema, {}));

async function commitOn(by: Phone, on: Pick<Minted, 'id' | 'state'>): Promise<Minted> {
  const made = await by.engine.commit(on.state, {}, Math.floor(office.now / SECOND), noRight());
  return { id: commitId(made.commit, nodeProvider), envelope: commitEnvelope(on.id, made.commit), state: made.state };
}

/** Siblings by carol, by id: the last is the one that the fork rule likes best. */
async function siblings(count: number): Promise<Minted[]> {
  const on = { id: parent, state: branchesOf(carol).state(parent)! };
  const minted: Minted[] = [];
  for (let i = 0; i < count; i++) minted.push(await commitOn(carol, on));
  return minted.sort((a, b) => (a.id > b.id ? -1 : 1));
}

async function deliver(to: Phone, minted: readonly Minted[]): Promise<void> {
  for (const { envelope } of minted) await to.deliver(HANDLE, envelope);
}

const statesOf = (phone: Phone) => [...branchesOf(phone).heldStates()].length;

function expectTogether(...phones: Phone[]): void {
  expect(new Set(phones.map((phone) => branchesOf(phone).head)).size).toBe(1);
  expect(new Set(phones.map((phone) => phone.authenticator(hiking))).size).toBe(1);
}

describe('a member who mints commits on one epoch', () => {
  it('costs the others a few states, in memory and on the disk, and keeps nobody apart', async () => {
    const minted = await siblings(MINTED);
    const [before, stored] = [statesOf(alice), (await alice.stored('epochs')).size];
    await deliver(alice, minted);
    await deliver(bob, [...minted].reverse().slice(0, MINTED / 2));
    // The best of them is followed.
    for (const phone of [alice, bob]) expect(statesOf(phone)).toBeLessThanOrEqual(before + MOST_STATES_OF_EPOCH + 1);
    for (const collection of ['epochs', 'ratchets'])
      expect((await alice.stored(collection)).size).toBeLessThanOrEqual(stored + MOST_STATES_OF_EPOCH + 1);
    expect(alice.count('state-let-go')).toBeGreaterThanOrEqual(MINTED - MOST_STATES_OF_EPOCH - 1);
    expect([...branchesOf(alice).commits.keys()]).toEqual(expect.arrayContaining(minted.map(({ id }) => id)));
    await office.pass(30 * MINUTE, 10 * SECOND);
    expectTogether(alice, bob);
    expect(branchesOf(alice).head).toBe(minted.at(-1)!.id);
    await bob.say(hiking, 'still here');
    await office.settle();
    expect(alice.shown).toEqual(['bob: still here']);
    await alice.restart();
    expect(statesOf(alice)).toBeLessThanOrEqual(before + MOST_STATES_OF_EPOCH + 1);
  });

  it('does not cut off those who went on from a commit whose state was let go of', async () => {
    const minted = await siblings(3 * MOST_STATES_OF_EPOCH);
    await deliver(alice, [...minted].reverse());
    const elsewhere = minted[0]!;
    expect(branchesOf(alice).holds(elsewhere.id)).toBe(false);
    await deliver(bob, [elsewhere]);
    await bob.wish(hiking, { kind: 'rename', name: 'walking' });
    await office.settle();
    expect(alice.count('state-reopened')).toBe(1);
    expect(alice.view(hiking).data.name).toBe('walking');
    expect(branchesOf(alice).tree.path(branchesOf(alice).head)).toContain(elsewhere.id);
    await office.pass(10 * MINUTE, 10 * SECOND);
    expectTogether(alice, bob);
  });

  it('costs the others no more commits than an honest member makes, and cuts nobody off', async () => {
    const minted = await siblings(MOST_COMMITS_OF_ACCOUNT + 40);
    const before = branchesOf(alice).commits.size;
    await deliver(alice, minted);
    const most = before + MOST_COMMITS_OF_ACCOUNT + 1;
    expect(branchesOf(alice).commits.size).toBe(most);
    expect((await alice.stored('commits')).size).toBe(most);
    expect(alice.count('commit-let-go')).toBe(39);
    const forgotten = minted[0]!;
    expect(branchesOf(alice).commits.has(forgotten.id)).toBe(false);
    await deliver(bob, [forgotten]);
    await bob.wish(hiking, { kind: 'rename', name: 'walking' });
    await office.pass(10 * MINUTE, 10 * SECOND);
    expect(branchesOf(alice).tree.path(branchesOf(alice).head)).toContain(forgotten.id);
    expect(alice.view(hiking).data.name).toBe('walking');
    expectTogether(alice, bob);
  });

  it('does not make the others use a key twice: a state in which one has sealed stays', async () => {
    const minted = await siblings(3 * MOST_STATES_OF_EPOCH);
    const worst = minted[0]!;
    await deliver(alice, [worst]);
    await alice.say(hiking, 'from here');
    await deliver(alice, minted);
    expect(branchesOf(alice).holds(worst.id)).toBe(true);
    const held = minted.filter(({ id }) => branchesOf(alice).holds(id));
    expect(held.length).toBe(1 + MOST_STATES_OF_EPOCH + 1);
  });

  it('loses no message that was sealed in a state that was let go of', async () => {
    const minted = await siblings(3 * MOST_STATES_OF_EPOCH);
    await deliver(alice, [...minted].reverse());
    const { id } = minted[0]!;
    const { state } = (await bob.engine.open(branchesOf(bob).state(parent)!, bytesOf(minted[0]!))) as { state: GroupState };
    const label = create(MessageAuthenticatedDataSchema, { contentId: fromHex('ab'.repeat(16)) });
    const authenticated = toBinary(MessageAuthenticatedDataSchema, label);
    const { message } = await bob.engine.seal(state, new TextEncoder().encode('from there'), authenticated);
    for (let times = 0; times < 2; times++) await alice.deliver(HANDLE, applicationEnvelope(id, message));
    expect(alice.shown).toEqual(['bob: from there']);
    expect(branchesOf(alice).holds(id)).toBe(false);
  });

  it('does not keep the others from following one whose state was let go of, once it is the best', async () => {
    const first = await commitOn(bob, { id: parent, state: branchesOf(bob).state(parent)! });
    await deliver(alice, [first]);
    const minted = await siblings(3 * MOST_STATES_OF_EPOCH);
    await deliver(alice, minted);
    const best = minted.at(-1)!.id;
    expect([branchesOf(alice).head, branchesOf(alice).holds(best)]).toEqual([first.id, false]);
    // What a removed one commits has no weight.
    branchesOf(alice).tree.rememberRemoved(bob.ownLeaf(hiking), parent);
    await alice.step((messenger, step) => messenger.unsafeGroup(hiking)!.settle(step));
    expect(branchesOf(alice).tree.path(branchesOf(alice).head)).toContain(best);
    expect(alice.view(hiking).out).toBe(false);
  });
});

describe('a removed member who mints a long branch', () => {
  it('costs the others the states of its end, and moves nothing', async () => {
    await alice.remove(hiking, carol);
    await office.pass(MINUTE);
    const head = branchesOf(alice).head;
    const before = statesOf(alice);
    const branch = [await commitOn(carol, { id: parent, state: branchesOf(carol).state(parent)! })];
    while (branch.length < 2 * MOST_STATES_OF_AUTHOR) branch.push(await commitOn(carol, branch.at(-1)!));
    for (const phone of [alice, bob]) await deliver(phone, branch);
    expect(statesOf(alice)).toBe(before + MOST_STATES_OF_AUTHOR);
    const end = branch.at(-1)!.id;
    expect([branchesOf(alice).commits.has(end), branchesOf(alice).holds(end)]).toEqual([true, true]);
    await office.pass(10 * MINUTE, 10 * SECOND);
    expectTogether(alice, bob);
    expect(branchesOf(alice).head).toBe(head);
  });
});

function bytesOf({ envelope }: Minted): Uint8Array {
  const { kind } = fromBinary(EnvelopeSchema, envelope);
  if (kind.case !== 'commit') throw new Error('no commit');
  return kind.value.message;
}
