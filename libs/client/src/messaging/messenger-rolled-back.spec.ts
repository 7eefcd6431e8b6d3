import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { HelloSchema, toHex } from '@sotto/protocol';
import { itThoroughly } from '@sotto/testing/thoroughly';
import { KEPT_STATES } from '../groups/group-rules.js';
import { RollBackClaims } from '../groups/roll-back-claims.js';
import type { MemoryStore } from '../storage/memory.store.js';
import { type Phone, PostOffice } from './post-office.harness.js';
import { expectTogether, hikers, isTo } from './together.harness.js';

// Real keys for everybody, and hours that pass: seconds on a machine that has time.
jest.setTimeout(120_000);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let office: PostOffice;
beforeEach(() => {
  office = new PostOffice();
});

type Pair = [Phone, Phone];
type Trio = [Phone, Phone, Phone];
type Four = [Phone, Phone, Phone, Phone];

describe('a device that was rolled back', () => {
  it('writes nothing before it has asked, and then under a new leaf: no key is used twice', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    const backup = await alice.backup();
    await alice.say(hiking, 'before');
    await office.settle();
    await alice.restore(backup);
    await alice.say(hiking, 'after');
    expect(alice.view(hiking).hold).toBe('hello');
    await alice.online();
    await office.pass(3 * MINUTE);
    expect(bob.shown).toEqual(['alice: before', 'alice: after']);
    expect(carol.shown).toEqual(['alice: before', 'alice: after']);
    expect(alice.count('rolled-back')).toBe(1);
    expectTogether(hiking, [alice, bob, carol]);
  });

  itThoroughly('goes on by its leaf when it is alone, and is as alive as others once somebody is there', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as [Phone, Phone];
    const hiking = await alice.createGroup('hiking');
    const { core } = alice.messenger.unsafeGroup(hiking)!;
    core.die('rolled-back');
    const leaf = core.ownLeaf?.id;
    await alice.add(hiking, bob);
    await office.pass(MINUTE);
    await alice.say(hiking, 'here we are');
    await office.settle();
    expect(bob.shown).toEqual(['alice: here we are']);
    expect([core.ownLeaf?.id, core.dead, alice.count('rejoined')]).toEqual([leaf, false, 0]);
  });

  it('hears of it later too, from the only one who got what it has forgotten', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    const backup = await alice.backup();
    await bob.offline();
    office.loses = isTo(bob, 'application');
    await alice.say(hiking, 'before');
    await office.settle();
    office.loses = () => false;
    await carol.offline();
    await bob.online();
    await alice.restore(backup);
    await alice.online();
    await office.pass(MINUTE);
    expect(alice.view(hiking).hold).toBeUndefined();
    await bob.offline();
    // As if it had been sealed for her alone: the message itself would prove it.
    office.loses = ({ to, kind }) => to === alice && kind === 'supply';
    await carol.online();
    await office.pass(10 * SECOND);
    await alice.say(hiking, 'after');
    expect(alice.view(hiking).hold).toBe('hello');
    await office.pass(3 * MINUTE);
    office.loses = () => false;
    await bob.online();
    await office.pass(5 * MINUTE);
    expect(carol.shown).toEqual(['alice: before', 'alice: after']);
    expect(bob.shown).toContain('alice: after');
    expect(alice.count('rolled-back')).toBe(1);
    expectTogether(hiking, [alice, bob, carol]);
  });
});

describe('a device that was rolled back to before a commit', () => {
  it('remembers who said what it had sealed after that, when it is there and another knows nothing of it', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    const backup = await alice.backup();
    await bob.wish(hiking, { kind: 'rename', name: 'climbing' });
    await office.pass(10 * SECOND);
    office.loses = isTo(carol, 'application');
    await alice.say(hiking, 'before');
    await office.settle();
    await carol.offline();
    await alice.restore(backup);
    office.loses = ({ to, kind }) => to === alice && (kind === 'commit' || kind === 'supply');
    await alice.online();
    await office.pass(2 * SECOND);
    await bob.offline();
    office.loses = () => false;
    await carol.online();
    await office.pass(20 * SECOND);
    expect(alice.view(hiking).data.name).toBe('climbing');
    await alice.say(hiking, 'after');
    expect(alice.view(hiking).hold).toBe('hello');
    await bob.online();
    await office.pass(5 * MINUTE);
    expect([...bob.shown].sort()).toEqual(['alice: after', 'alice: before']);
    expect(alice.count('rolled-back')).toBe(1);
    expectTogether(hiking, [alice, bob, carol]);
  });
});

describe('a device that was rolled back to where no other device holds anything of it', () => {
  async function renameManyTimes(hiking: string, by: Phone): Promise<void> {
    for (let i = 0; i < 2 * KEPT_STATES; i++) {
      await by.wish(hiking, { kind: 'rename', name: `hiking ${i}` });
      await office.pass(MINUTE);
    }
  }

  /** It hears what others say of themselves, and gets nothing of what they have. */
  async function comesBack(alice: Phone, backup: MemoryStore): Promise<void> {
    await alice.restore(backup);
    office.loses = ({ to, kind }) => to === alice && kind === 'supply';
    await alice.online();
    await office.pass(30 * SECOND);
  }

  /** alice has said something before her copy came back, and something after. */
  async function isFarBehind(): Promise<{ hiking: string; trio: Trio }> {
    const trio = (await office.people('alice', 'bob', 'carol')) as Trio;
    const [alice, bob] = trio;
    const hiking = await hikers(...trio);
    const backup = await alice.backup();
    await alice.say(hiking, 'before');
    await office.settle();
    await renameManyTimes(hiking, bob);
    await office.pass(3 * DAY, HOUR);
    await comesBack(alice, backup);
    await alice.say(hiking, 'after');
    return { hiking, trio };
  }

  it('writes nothing before it is where they are', async () => {
    const { hiking, trio } = await isFarBehind();
    const [alice, bob] = trio;
    expect(alice.view(hiking).hold).toBe('hello');
    office.loses = () => false;
    await office.pass(5 * MINUTE);
    expect(bob.shown).toEqual(['alice: before', 'alice: after']);
    expectTogether(hiking, trio);
  });

  itThoroughly('keeps its leaf as long as it comes nearer, however long that takes', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    await alice.restore(await alice.backup());
    office.loses = ({ to, kind }) => to === alice && (kind === 'hello' || kind === 'supply');
    await alice.online();
    const { core } = alice.messenger.unsafeGroup(hiking)!;
    const claims = new RollBackClaims(core);
    const farAhead = create(HelloSchema, { heldFrom: 1_000n });
    const hear = (now: number) => claims.hear(farAhead, core.member(bob.device)!, true, now);
    for (const minute of [0, 1, 2, 3, 4]) {
      hear(minute * MINUTE);
      hear(minute * MINUTE + 50 * SECOND);
      await bob.wish(hiking, { kind: 'rename', name: `hiking ${minute}` });
      await office.pass(MINUTE);
    }
    expect([core.dead, core.confirmed]).toEqual([false, false]);
    hear(5 * MINUTE);
    hear(7 * MINUTE);
    expect([core.dead, core.confirmed]).toEqual([true, false]);
    expectTogether(hiking, [bob, carol], ['alice', 'bob', 'carol']);
  });

  itThoroughly('goes on by another leaf if nothing leads there', async () => {
    const { hiking, trio } = await isFarBehind();
    const [alice, bob] = trio;
    await office.pass(10 * MINUTE);
    expect(bob.shown).toEqual(['alice: before', 'alice: after']);
    expect(alice.count('rolled-back')).toBe(1);
    expectTogether(hiking, trio);
  });

  it('does not take the word of who has come in since by another leaf, and shows nothing of what was before', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    const backup = await alice.backup();
    office.loses = ({ to, kind }) => to === carol && ['application', 'commit', 'supply'].includes(kind);
    await alice.say(hiking, 'before');
    await bob.wish(hiking, { kind: 'rename', name: 'that carol never hears of' });
    await office.pass(MINUTE);
    carol.messenger.unsafeGroup(hiking)!.core.die('rolled-back');
    await office.pass(2 * MINUTE);
    expect(carol.count('rejoined')).toBe(1);
    office.loses = ({ to, kind }) => to === carol && ['application', 'supply'].includes(kind);
    await renameManyTimes(hiking, bob);
    await bob.offline();
    await comesBack(alice, backup);
    await alice.say(hiking, 'after');
    expect(alice.view(hiking).hold).toBe('hello');
    await office.pass(10 * MINUTE);
    expect(carol.shown).toEqual(['alice: after']);
    await bob.online();
    await office.pass(5 * MINUTE);
    expectTogether(hiking, [alice, bob, carol]);
  });
});

describe('a device that is alone in its group', () => {
  itThoroughly('asks those who were there, rarely: they may be together without it', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Pair;
    const hiking = await alice.createGroup('hiking', bob);
    await office.pass(MINUTE);
    await alice.wish(hiking, { kind: 'remove', leaves: [bob.ownLeaf(hiking)] });
    await office.pass(10 * MINUTE, 5 * SECOND);
    expect(alice.view(hiking).members).toHaveLength(1);
    office.journey.length = 0;
    await office.pass(2 * HOUR, 10 * SECOND);
    const asked = office.journey.filter((each) => each === 'hello alice → bob').length;
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual(40);
  });
});

describe('a device that was put back to before its last rejoin, and was removed after that', () => {
  itThoroughly('is helped by nobody, not even by one who knows it from a branch that lost, and told so', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    office.forgetsSlots = true;
    await alice.wish(hiking, { kind: 'rename', name: 'biking' });
    await bob.wish(hiking, { kind: 'rename', name: 'running' });
    await office.pass(MINUTE);
    const backup = await carol.backup();
    await alice.wish(hiking, { kind: 'replace', account: carol.account, device: carol.device, leaf: carol.ownLeaf(hiking) });
    await office.settle();
    await carol.restore(backup);
    await alice.remove(hiking, carol);
    await office.settle();
    await alice.remove(hiking, bob);
    await office.pass(MINUTE);
    await alice.add(hiking, bob);
    await office.pass(MINUTE);
    expectTogether(hiking, [alice, bob]);
    await alice.offline();
    await carol.online();
    await office.pass(HOUR, 5 * SECOND);
    expect(bob.count('rejoin-helped')).toBe(0);
    expect(carol.view(hiking).out).toBe(true);
    expect(bob.members(hiking)).toEqual(['alice', 'bob']);
  });
});

describe('a device that was put back to after its last rejoin, and was removed by one who knows nothing of that', () => {
  it.each([
    ['soon', 0],
    ['long', KEPT_STATES + 2],
  ] as const)('is told that it is out, and not helped, %s after its removal', async (_, commits) => {
    const [alice, bob, dave] = (await office.people('alice', 'bob', 'dave')) as Trio;
    const hiking = await hikers(alice, bob, dave);
    const old = await alice.backup();
    // Put back to before this commit of her own, alice reads nothing of what follows on it.
    await alice.wish(hiking, { kind: 'rename', name: 'biking' });
    await office.pass(MINUTE);
    await bob.wish(hiking, { kind: 'replace', account: dave.account, device: dave.device, leaf: dave.ownLeaf(hiking) });
    await office.pass(MINUTE);
    const after = await dave.backup();
    await dave.wish(hiking, { kind: 'rename', name: 'running' });
    await office.pass(MINUTE);
    await alice.restore(old);
    await alice.online();
    await office.pass(20 * MINUTE, 5 * SECOND);
    expectTogether(hiking, [alice, bob, dave]);
    expect(alice.count('rejoined')).toBe(1);
    await dave.offline();
    for (const each of [dave, bob]) {
      await alice.remove(hiking, each);
      await office.pass(MINUTE);
    }
    for (let i = 0; i < commits; i++) {
      await alice.wish(hiking, { kind: 'rename', name: `hiking ${i}` });
      await office.settle();
    }
    await office.pass(2 * HOUR, MINUTE);
    await dave.restore(after);
    await dave.online();
    await office.pass(HOUR, 5 * SECOND);
    expect([dave.view(hiking).out, alice.members(hiking)]).toEqual([true, ['alice']]);
    expect(alice.count('rejoin-helped')).toBe(0);
  });
});

describe('a device that was put back to before its removal, and adds somebody who came after that', () => {
  it('is told by that one alone that it is out', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob);
    await alice.wish(hiking, { kind: 'role', account: bob.account, admin: true });
    await office.pass(MINUTE);
    const backup = await alice.backup();
    await bob.remove(hiking, alice);
    await office.pass(MINUTE);
    await bob.add(hiking, carol);
    await office.pass(MINUTE);
    for (let i = 0; i < 8; i++) await carol.wish(hiking, { kind: 'rename', name: `hiking ${i}` });
    await office.pass(MINUTE);
    await bob.die();
    await alice.restore(backup);
    await alice.online();
    await office.pass(10 * MINUTE, 5 * SECOND);
    // Of several packages each would let in another leaf, and none be greeted.
    carol.stock.packages.clear();
    await carol.publish(1, true);
    await alice.remove(hiking, bob);
    await alice.add(hiking, carol);
    await office.pass(10 * MINUTE, 5 * SECOND);
    expect(alice.members(hiking)).toEqual(['alice', 'carol']);
    await office.pass(6 * HOUR, 10 * SECOND);
    expect(alice.view(hiking).out).toBe(true);
    expect(carol.members(hiking)).toEqual(['bob', 'carol']);
    expect([carol.view(hiking).out, carol.view(hiking).hold]).toEqual([false, undefined]);
  });
});

describe('a device that was put back', () => {
  it('tells no stranger that it is none before another has said where it stands', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Pair;
    const hiking = await hikers(alice, bob);
    const disowns = () => alice.messenger.unsafeGroup(hiking)!.disowns('ff'.repeat(16));
    expect(disowns()).toBe(true);
    await alice.restore(await alice.backup());
    expect(disowns()).toBe(false);
    await alice.online();
    await office.pass(MINUTE);
    expect(disowns()).toBe(true);
  });
});

describe('devices that were put back to before a conversation which another has taken the place of', () => {
  it('are waited for there no longer than they may take to answer', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Pair;
    const before = await bob.backup();
    await alice.tell(bob, 'hello');
    await office.pass(MINUTE);
    const conversation = alice.messenger.directWith(bob.account)!;
    const { core } = alice.messenger.unsafeGroup(conversation)!;
    await bob.restore(before);
    const content = await alice.say(conversation, 'once more');
    await alice.step(async (messenger, step) => messenger.unsafeGroup(conversation)!.retire(step));
    core.die('rolled-back');
    office.answersCannot = isTo(bob, 'application');
    await bob.online();
    await office.pass(10 * MINUTE, 5 * SECOND);
    expect(core.toSeal).toMatchObject([{ content, device: bob.device }]);
    await office.pass(4 * HOUR, 10 * SECOND);
    expect(core.toSeal).toEqual([]);
    expect(alice.told('given-up')).toEqual([{ kind: 'given-up', group: conversation, content, device: bob.device }]);
    expect(alice.told('delivery').at(-1)).toMatchObject({ content, status: 'discarded' });
    await alice.restart();
    expect([alice.queue, alice.messenger.unsafeGroup(conversation)!.core.toSeal]).toEqual([[], []]);
  });
});

describe('a device that has removed its only companion, and was removed by it where it can not look', () => {
  it.each([
    ['takes its word for it, as that is of its own account', 'alice/laptop', true],
    ['stays, whatever one says that was removed', 'bob', false],
  ])('%s', async (_, name, isOut) => {
    const [alice] = await office.people('alice');
    const other = await office.phone(name);
    other.befriend(alice!);
    alice!.befriend(other);
    await other.online();
    const hiking = await alice!.createGroup('hiking', other);
    await office.pass(MINUTE);
    await alice!.wish(hiking, { kind: 'role', account: other.account, admin: true });
    await office.pass(MINUTE);
    const leaf = alice!.ownLeaf(hiking);
    const backup = await other.backup();
    await alice!.wish(hiking, { kind: 'remove', leaves: [other.ownLeaf(hiking)] });
    await office.settle();
    await other.restore(backup);
    office.loses = () => true;
    for (let i = 0; i <= KEPT_STATES; i++) await alice!.wish(hiking, { kind: 'rename', name: `hiking ${i}` });
    await office.pass(2 * HOUR, MINUTE);
    await other.online();
    await other.wish(hiking, { kind: 'remove', leaves: [leaf] });
    await office.pass(10 * MINUTE, 5 * SECOND);
    expect(other.view(hiking).members).toHaveLength(1);
    office.loses = ({ from, kind }) => from === alice && (kind === 'supply' || kind === 'commit');
    await office.pass(2 * HOUR, 10 * SECOND);
    expect(other.view(hiking).out).toBe(isOut);
  });
});

describe('a device that was put back among lost ones', () => {
  /** Bob has told her so much, and is gone for good. */
  async function putBack(): Promise<[Phone, Phone, string]> {
    const [alice, bob] = (await office.people('alice', 'bob')) as Pair;
    const hiking = await hikers(alice, bob);
    const backup = await alice.backup();
    await alice.say(hiking, 'before');
    await office.settle();
    await alice.restore(backup);
    office.loses = ({ kind }) => kind === 'welcome';
    office.ignores = ({ from, kind }) => from === bob && kind === 'commit';
    await alice.online();
    for (let i = 0; !alice.messenger.unsafeGroup(hiking)!.core.dead && i < 60; i++) await office.pass(SECOND, SECOND);
    await bob.offline();
    office.loses = () => false;
    return [alice, bob, hiking];
  }

  it('removes them, and goes on by its leaf', async () => {
    const [alice, bob, hiking] = await putBack();
    expect(alice.view(hiking).hold).toBe('rejoin');
    await alice.remove(hiking, bob);
    await alice.wish(hiking, { kind: 'rename', name: 'alone' });
    await office.pass(30 * MINUTE, 5 * SECOND);
    expectTogether(hiking, [alice]);
    expect(alice.view(hiking).data.name).toBe('alone');
  });

  itThoroughly('does nothing else by that leaf while there is somebody who could help', async () => {
    const [alice, , hiking] = await putBack();
    const { head } = alice.messenger.unsafeGroup(hiking)!.core;
    await alice.wish(hiking, { kind: 'rename', name: 'alone' });
    await office.pass(30 * MINUTE, 5 * SECOND);
    expect(alice.messenger.unsafeGroup(hiking)!.core.head).toBe(head);
    expect(alice.view(hiking).hold).toBe('rejoin');
  });
});

describe('a device that was put back to before the addresses of all others', () => {
  it('finds them by what they publish', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Pair;
    const hiking = await alice.createGroup('hiking', bob);
    await office.pass(MINUTE);
    const backup = await alice.backup();
    await bob.wish(hiking, { kind: 'refresh', id: '11'.repeat(16) });
    await office.pass(25 * HOUR, 10 * MINUTE);
    expect(bob.revoked.size).toBeGreaterThan(0);
    await alice.restore(backup);
    office.journey.length = 0;
    // Bob has no reason to say anything first.
    office.ignores = ({ from }) => from === bob && !office.journey.includes('hello alice → bob');
    await alice.online();
    await office.pass(HOUR, 5 * SECOND);
    expectTogether(hiking, [alice, bob]);
    await alice.say(hiking, 'here I am');
    await office.pass(MINUTE);
    expect(bob.shown).toEqual(['alice: here I am']);
  });
});

describe('a device that was put back to before it was let in, and gets its Welcome again', () => {
  /** With the key packages that it has now, and with the Welcome that comes to it meanwhile. */
  function puttingBack(phone: Phone): (backup: MemoryStore) => Promise<void> {
    const packages = new Map(phone.stock.packages);
    let welcome = new Uint8Array(0);
    office.loses = ({ to, kind, payload }) => {
      if (to === phone && kind === 'welcome') welcome = new Uint8Array(payload);
      return false;
    };
    return async (backup) => {
      for (const [capability, stocked] of packages) phone.stock.packages.set(capability, stocked);
      await phone.restore(backup);
      await phone.deliver(1_000_000n, welcome);
    };
  }

  it('writes nothing before it has asked: it may have written there before', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const backup = await carol.backup();
    const putBack = puttingBack(carol);
    const hiking = await hikers(alice, bob, carol);
    await carol.say(hiking, 'before');
    await office.settle();
    expect(carol.view(hiking).hold).toBeUndefined();
    await putBack(backup);
    await carol.say(hiking, 'after');
    expect(carol.view(hiking).hold).toBe('hello');
    await carol.online();
    await office.pass(3 * MINUTE);
    expect(bob.shown).toEqual(['carol: before', 'carol: after']);
    expect(carol.count('rolled-back')).toBe(1);
    expectTogether(hiking, [alice, bob, carol]);
  });

  itThoroughly('does the same after one that let it in again', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    const backup = await carol.backup();
    const putBack = puttingBack(carol);
    await alice.wish(hiking, { kind: 'replace', account: carol.account, device: carol.device, leaf: carol.ownLeaf(hiking) });
    await office.settle();
    await carol.say(hiking, 'before');
    await office.settle();
    await putBack(backup);
    expect(carol.count('rejoined')).toBe(2);
    await carol.say(hiking, 'after');
    expect(carol.view(hiking).hold).toBe('hello');
    await carol.online();
    await office.pass(3 * MINUTE);
    expect(bob.shown).toEqual(['carol: before', 'carol: after']);
    expectTogether(hiking, [alice, bob, carol]);
  });
});

describe('a device that has lost its group, and publishes no key package', () => {
  let group: string;
  let people: Trio;
  let beforeJoining: MemoryStore;
  const claimed = () => jest.mocked(office.claimOf).mock.calls.length;

  beforeEach(async () => {
    people = (await office.people('alice', 'bob', 'carol')) as Trio;
    const [alice, , carol] = people;
    beforeJoining = await carol.backup();
    group = await hikers(...people);
    const leaf = carol.ownLeaf(group);
    await carol.die();
    jest.spyOn(office, 'claimOf');
    await alice.wish(group, { kind: 'replace', account: carol.account, device: carol.device, leaf });
  });

  itThoroughly('is given up soon: it may be gone for good', async () => {
    await office.pass(10 * MINUTE, 5 * SECOND);
    const [alice, bob] = people;
    const tries = claimed();
    expect(tries).toBeGreaterThan(2);
    await office.pass(6 * HOUR, 20 * SECOND);
    expect(claimed()).toBe(tries);
    expectTogether(group, [alice, bob], ['alice', 'bob', 'carol']);
  });

  it('gets another leaf once it publishes one', async () => {
    const carol = people[2];
    await office.pass(30 * SECOND, 5 * SECOND);
    expect(claimed()).toBeGreaterThan(0);
    await carol.restore(beforeJoining);
    await carol.publish(5);
    await carol.online();
    await office.pass(2 * MINUTE, 5 * SECOND);
    expectTogether(group, people);
  });

  itThoroughly('gets one hours later as well, as it shows that it lives', async () => {
    const [alice, , carol] = people;
    await office.pass(3 * HOUR, 20 * SECOND);
    const tries = claimed();
    await carol.restore(beforeJoining);
    await carol.publish(5);
    await carol.online();
    await alice.say(group, 'are you there?');
    await office.pass(3 * HOUR, 20 * SECOND);
    expect(claimed()).toBeGreaterThan(tries);
    expectTogether(group, people);
  });
});

describe('a device that committed twice, and was rolled back between', () => {
  it('is let in again by those who go on from the commit that it does not know', async () => {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    const hiking = await hikers(alice, bob, carol, dave);
    const backup = await alice.backup();
    await dave.offline();
    await alice.wish(hiking, { kind: 'rename', name: 'one' });
    await office.settle();
    for (const phone of [bob, carol]) {
      await phone.wish(hiking, { kind: 'rename', name: `by ${phone.name}` });
      await office.settle();
    }
    for (const phone of [bob, carol]) await phone.offline();
    await alice.restore(backup);
    await office.pass(MINUTE);
    for (const phone of [dave, alice]) await phone.online();
    await office.pass(MINUTE);
    await alice.wish(hiking, { kind: 'rename', name: 'two' });
    await office.pass(10 * MINUTE, 5 * SECOND);
    expect(dave.view(hiking).data.name).toBe('two');
    for (const phone of [bob, carol]) await phone.online();
    await office.pass(30 * MINUTE, 5 * SECOND);
    expectTogether(hiking, [alice, bob, carol, dave]);
    expect(alice.count('rejoined')).toBe(1);
  });
});

describe('a device that was put back behind the tokens of all others', () => {
  itThoroughly('asks them by those that they have in other groups', async () => {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    const hiking = await hikers(alice, bob, carol, dave);
    const rowing = await alice.createGroup('rowing', bob, carol);
    await office.pass(5 * MINUTE);
    expectTogether(rowing, [alice, bob, carol]);
    const backup = await carol.backup();
    await alice.remove(hiking, dave);
    await office.pass(3 * DAY, HOUR);
    await carol.restore(backup);
    // What it has withdrawn stands in its store, too.
    carol.revoked.clear();
    const reaches = (group: string) =>
      [alice, bob].some((phone) => {
        const { address } = carol.view(group).members.find(({ identity }) => identity.device === phone.device)!;
        return phone.accepts(address.token);
      });
    expect([reaches(hiking), reaches(rowing)]).toEqual([false, true]);
    // Nobody speaks to carol of the first group before she has reached somebody there.
    let asked = false;
    office.loses = ({ from, to, payload }) => {
      if (toHex(payload).indexOf(hiking) < 0) return false;
      asked ||= from === carol && (to === alice || to === bob);
      return to === carol && !asked;
    };
    await carol.online();
    await office.pass(2 * MINUTE);
    expect(asked).toBe(true);
    expect([carol.view(hiking).hold, carol.members(hiking)]).toEqual([undefined, ['alice', 'bob', 'carol']]);
  });
});

describe('a key that is used twice', () => {
  it('as nobody who was asked knew better, costs no message: whoever saw the first asks for the second again', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    const backup = await alice.backup();
    await carol.offline();
    await alice.say(hiking, 'before');
    await office.pass(MINUTE);
    await bob.offline();
    await alice.restore(backup);
    await carol.online();
    await alice.online();
    await office.pass(10 * SECOND);
    await alice.say(hiking, 'after');
    await office.settle();
    expect(carol.shown).toEqual(['alice: after']);
    await bob.online();
    await office.pass(5 * MINUTE);
    expect(bob.shown).toEqual(['alice: before', 'alice: after']);
    expectTogether(hiking, [alice, bob, carol]);
  });
});
