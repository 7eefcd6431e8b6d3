import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { nameOf, type Phone, PostOffice } from './post-office.harness.js';
import { expectTogether, hikers, isOf, isTo } from './together.harness.js';

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

type Trio = [Phone, Phone, Phone];
type Four = [Phone, Phone, Phone, Phone];

describe('two who commit at once', () => {
  it('do it one after the other, as the slot is one', async () => {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    const hiking = await hikers(alice, bob, carol);
    await alice.add(hiking, dave);
    await bob.wish(hiking, { kind: 'rename', name: 'biking' });
    await office.pass(MINUTE);
    expectTogether(hiking, [alice, bob, carol, dave]);
    expect(dave.view(hiking).data.name).toBe('biking');
    expect(bob.count('slot-taken') + alice.count('slot-taken')).toBeGreaterThan(0);
    expect(carol.count('fork')).toBe(0);
  });

  it('where the server forgets its slots are on two branches for a moment, and then all is as both wished', async () => {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    const hiking = await hikers(alice, bob, carol);
    office.forgetsSlots = true;
    await alice.add(hiking, dave);
    await bob.wish(hiking, { kind: 'rename', name: 'biking' });
    await office.pass(2 * MINUTE);
    expectTogether(hiking, [alice, bob, carol, dave]);
    expect(dave.view(hiking).data.name).toBe('biking');
    expect(carol.count('fork')).toBe(1);
    expect(alice.count('intent-returned') + bob.count('intent-returned')).toBe(1);
  });

  it('and write at once are read by everybody, on whichever branch they wrote', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    office.forgetsSlots = true;
    office.loses = ({ from, to }) => (from === alice && to === bob) || (from === bob && to === alice);
    await alice.wish(hiking, { kind: 'rename', name: 'of alice' });
    await bob.wish(hiking, { kind: 'rename', name: 'of bob' });
    await office.settle();
    await alice.say(hiking, 'on my branch');
    await bob.say(hiking, 'on mine');
    await office.settle();
    office.loses = () => false;
    await office.pass(5 * MINUTE);
    expect(alice.shown).toEqual(['bob: on mine']);
    expect(bob.shown).toEqual(['alice: on my branch']);
    expect([...carol.shown].sort()).toEqual(['alice: on my branch', 'bob: on mine']);
    expectTogether(hiking, [alice, bob, carol]);
  });

  it('to remove each other are both out', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    await alice.wish(hiking, { kind: 'role', account: bob.account, admin: true });
    await office.settle();
    office.forgetsSlots = true;
    await alice.remove(hiking, bob);
    await bob.remove(hiking, alice);
    await office.pass(2 * MINUTE);
    expectTogether(hiking, [carol]);
    for (const phone of [alice, bob]) expect(phone.view(hiking).out).toBe(true);
  });
});

describe('a removal', () => {
  /** Alice has put dave out where nobody hears her; on the branch of bob and carol, which wins, he is still there. */
  async function lost(): Promise<[...Four, string]> {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    const hiking = await hikers(alice, bob, carol, dave);
    office.forgetsSlots = true;
    office.loses = ({ from, to }) => from === alice || to === alice;
    await alice.remove(hiking, dave);
    await office.settle();
    await bob.wish(hiking, { kind: 'rename', name: 'biking' });
    await office.settle();
    await carol.wish(hiking, { kind: 'rename', name: 'running' });
    await office.settle();
    expect(carol.members(hiking)).toContain('dave');
    expect(alice.members(hiking)).not.toContain('dave');
    return [alice, bob, carol, dave, hiking];
  }

  it('on a branch that loses is made again on the one that wins', async () => {
    const [alice, bob, carol, dave, hiking] = await lost();
    office.loses = () => false;
    await office.pass(2 * MINUTE);
    expectTogether(hiking, [alice, bob, carol]);
    expect(alice.view(hiking).data.name).toBe('running');
    expect(dave.view(hiking).out).toBe(true);
    expect([alice, bob, carol].some((phone) => phone.count('removal-carried-over') > 0)).toBe(true);
  });

  it('that is known and not made yet keeps what is written back, so that the removed can not read it', async () => {
    const [alice, bob, carol, dave, hiking] = await lost();
    office.loses = ({ to }) => to === alice;
    office.ignores = ({ from, kind }) => kind === 'commit' && from !== alice;
    await office.pass(MINUTE);
    await alice.offline();
    await bob.say(hiking, 'among us');
    await office.pass(20 * SECOND);
    expect(bob.view(hiking).hold).toBe('removal');
    expect(bob.told('waiting')).toMatchObject([{ group: hiking, cause: 'removal' }]);
    expect(carol.shown).toEqual([]);
    office.loses = () => false;
    office.ignores = () => false;
    await office.pass(3 * MINUTE);
    await alice.online();
    await office.pass(2 * MINUTE);
    expect(dave.shown).toEqual([]);
    expect(carol.shown).toEqual(['bob: among us']);
    expectTogether(hiking, [alice, bob, carol]);
  });

  it('beside which its device has rejoined on the branch that wins is made again of the leaf that it has there, by any member', async () => {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    const hiking = await hikers(alice, bob, carol, dave);
    office.forgetsSlots = true;
    office.loses = ({ from, to }) => from === alice || to === alice;
    await alice.remove(hiking, dave);
    await office.settle();
    const leaf = dave.ownLeaf(hiking);
    await bob.wish(hiking, { kind: 'replace', account: dave.account, device: dave.device, leaf });
    await office.settle();
    await carol.wish(hiking, { kind: 'rename', name: 'running' });
    await office.settle();
    expect(dave.ownLeaf(hiking)).not.toBe(leaf);
    expect(carol.members(hiking)).toContain('dave');
    office.loses = ({ to }) => to === alice;
    await office.pass(MINUTE);
    await alice.offline();
    office.loses = () => false;
    await office.pass(5 * MINUTE);
    expectTogether(hiking, [bob, carol], ['alice', 'bob', 'carol']);
    await alice.online();
    await office.pass(2 * MINUTE);
    expectTogether(hiking, [alice, bob, carol]);
    expect(dave.view(hiking).out).toBe(true);
  });

  it('of a leaf by which its device had just rejoined, on a branch that loses, is made again of the leaf that the device has on the other', async () => {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    const hiking = await hikers(alice, bob, carol, dave);
    office.forgetsSlots = true;
    const isHere = (phone: Phone) => phone === alice || phone === dave;
    office.loses = ({ from, to }) => isHere(from) !== isHere(to);
    const leaf = dave.ownLeaf(hiking);
    await alice.wish(hiking, { kind: 'replace', account: dave.account, device: dave.device, leaf });
    await office.settle();
    expect(dave.ownLeaf(hiking)).not.toBe(leaf);
    await alice.remove(hiking, dave);
    for (const [phone, name] of [
      [bob, 'biking'],
      [carol, 'running'],
      [bob, 'resting'],
    ] as const) {
      await phone.wish(hiking, { kind: 'rename', name });
      await office.settle();
    }
    office.loses = ({ to }) => to === alice;
    await office.pass(MINUTE);
    await alice.offline();
    office.loses = () => false;
    await office.pass(5 * MINUTE);
    expectTogether(hiking, [bob, carol], ['alice', 'bob', 'carol']);
    expect(bob.view(hiking).data.name).toBe('resting');
    expect(dave.view(hiking).out).toBe(true);
  });

  it('whose slot went to a rejoin of its device removes the leaf that it has now', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    const leaf = carol.ownLeaf(hiking);
    office.loses = ({ to }) => to === alice;
    await bob.wish(hiking, { kind: 'replace', account: carol.account, device: carol.device, leaf });
    await office.settle();
    await alice.remove(hiking, carol);
    await office.settle();
    office.loses = () => false;
    await office.pass(2 * MINUTE);
    expect(alice.count('slot-taken')).toBeGreaterThan(0);
    expectTogether(hiking, [alice, bob]);
    expect(carol.view(hiking).out).toBe(true);
  });
});

describe('a removal that one member alone can judge, as all others came in beside it', () => {
  /** Alice has put carol out, which bob alone knows. Carol, who does not, has let dave and erin in, and then they are both gone for good. */
  async function aside(): Promise<[bob: Phone, dave: Phone, erin: Phone, hiking: string]> {
    const [alice, bob, carol, dave, erin] = (await office.people('alice', 'bob', 'carol', 'dave', 'erin')) as [...Four, Phone];
    const hiking = await hikers(alice, bob, carol);
    await alice.wish(hiking, { kind: 'role', account: carol.account, admin: true });
    await office.settle();
    office.forgetsSlots = true;
    const isThere = (phone: Phone) => phone === alice || phone === bob;
    office.loses = ({ from, to }) => isThere(from) !== isThere(to);
    await alice.remove(hiking, carol);
    for (const phone of [dave, erin]) await carol.add(hiking, phone);
    await carol.wish(hiking, { kind: 'role', account: dave.account, admin: true });
    await office.pass(5 * SECOND);
    for (const phone of [dave, erin]) await phone.wish(hiking, { kind: 'rename', name: `of ${phone.name}` });
    await office.pass(5 * SECOND);
    for (const phone of [alice, carol]) await phone.die();
    expect(bob.members(hiking)).toEqual(['alice', 'bob']);
    office.loses = () => false;
    return [bob, dave, erin, hiking];
  }

  const withCarol = ['alice', 'bob', 'carol', 'dave', 'erin'];
  const unjudged = (phone: Phone) => phone.told('unjudged').map((notice) => notice.kind === 'unjudged' && notice.members.map(nameOf));

  /** Bob has followed the others, who can't check what he knows. */
  async function refused(): Promise<[bob: Phone, dave: Phone, erin: Phone, hiking: string]> {
    const [bob, dave, erin, hiking] = await aside();
    await office.pass(DAY + 2 * HOUR, MINUTE);
    for (const phone of [bob, dave, erin]) expect([phone.name, phone.members(hiking)]).toEqual([phone.name, withCarol]);
    expect([unjudged(bob), unjudged(dave)]).toEqual([[['carol']], []]);
    return [bob, dave, erin, hiking];
  }

  it('is made once, and not again after a restart; meanwhile nothing is sealed for the removed', async () => {
    const [bob, dave, , hiking] = await refused();
    await bob.restart();
    await bob.online();
    await bob.say(hiking, 'among us');
    await office.pass(DAY, MINUTE);
    expect([bob.count('removal-carried-over'), bob.view(hiking).hold, dave.shown]).toEqual([1, 'removal', []]);
    expect(unjudged(bob)).toEqual([['carol'], ['carol']]);
  });

  it('is left to the majority where the removed, let in beside it by another leaf, is one of that', async () => {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    const before = await carol.backup();
    const hiking = await hikers(alice, bob, carol);
    await alice.wish(hiking, { kind: 'role', account: carol.account, admin: true });
    await office.settle();
    office.forgetsSlots = true;
    const isHere = (phone: Phone) => phone === carol || phone === dave;
    // Bob alone hears of both.
    office.loses = ({ from, to }) => isHere(from) !== isHere(to) && to !== bob;
    await alice.remove(hiking, carol);
    await carol.add(hiking, dave);
    await carol.wish(hiking, { kind: 'role', account: dave.account, admin: true });
    await office.pass(5 * SECOND);
    const leaf = carol.ownLeaf(hiking);
    await carol.offline();
    await carol.restore(before);
    await carol.online();
    await dave.wish(hiking, { kind: 'replace', account: carol.account, device: carol.device, leaf });
    await office.pass(5 * SECOND);
    await dave.wish(hiking, { kind: 'rename', name: 'of dave' });
    await office.pass(5 * SECOND);
    expect([carol.ownLeaf(hiking) === leaf, bob.members(hiking)]).toEqual([false, ['alice', 'bob', 'dave']]);
    await alice.die();
    office.loses = () => false;
    for (const phone of [bob, carol, dave]) {
      await phone.restart();
      await phone.online();
    }
    await office.pass(3 * HOUR, MINUTE);
    for (const phone of [bob, carol, dave])
      expect([phone.name, phone.members(hiking)]).toEqual([phone.name, ['alice', 'bob', 'carol', 'dave']]);
    expect(new Set([bob, carol, dave].map((phone) => phone.authenticator(hiking))).size).toBe(1);
    expect([bob.count('rejoin-asked') > 0, bob.view(hiking).hold, unjudged(bob)]).toEqual([true, 'removal', [['carol']]]);
  });

  it('is made again by the same device once that is an admin, and then holds nothing back', async () => {
    const [bob, dave, erin, hiking] = await refused();
    await bob.say(hiking, 'among us');
    await dave.wish(hiking, { kind: 'role', account: bob.account, admin: true });
    await office.pass(MINUTE);
    for (const phone of [bob, dave, erin])
      expect([phone.name, phone.members(hiking)]).toEqual([phone.name, ['alice', 'bob', 'dave', 'erin']]);
    for (const phone of [dave, erin]) expect(phone.shown).toEqual(['bob: among us']);
    expect(bob.count('removal-carried-over')).toBe(2);
  });

  it('holds nothing back any more once the user keeps the member, also after a restart', async () => {
    const [bob, dave, erin, hiking] = await refused();
    await bob.say(hiking, 'among us');
    await bob.step((messenger, step) => messenger.keep(hiking, carolOf(bob, hiking), step));
    await office.pass(MINUTE);
    await bob.restart();
    await bob.online();
    await bob.say(hiking, 'all of us');
    await office.pass(DAY, MINUTE);
    expect(new Set([bob, dave, erin].map((phone) => phone.authenticator(hiking))).size).toBe(1);
    expect([bob.members(hiking), bob.view(hiking).hold]).toEqual([withCarol, undefined]);
    for (const phone of [dave, erin]) expect(phone.shown).toEqual(['bob: among us', 'bob: all of us']);
    const again = bob.step((messenger, step) => messenger.keep(hiking, carolOf(bob, hiking), step));
    await expect(again).rejects.toMatchObject({ reason: 'not-allowed' });
  });

  const carolOf = (phone: Phone, hiking: string) => phone.view(hiking).members.find((each) => nameOf(each) === 'carol')!.identity.account;
});

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin'];
type Five = [Phone, Phone, Phone, Phone, Phone];

describe('a removal whose place is hidden from all who know of it', () => {
  /** Alice has put bob out, and all of those named. Where carol is let in, bob has come in anew below what she knows of that branch. */
  async function hidden(...names: string[]): Promise<[...Five, string]> {
    const [alice, bob, carol, dave, erin, ...alsoOut] = (await office.people(...NAMES, ...names)) as [...Five, ...Phone[]];
    const hiking = await hikers(alice, bob, carol, dave, erin, ...alsoOut);
    office.forgetsSlots = true;
    const replace = (by: Phone, who: Phone) =>
      by.wish(hiking, { kind: 'replace', account: who.account, device: who.device, leaf: who.ownLeaf(hiking) });
    const isHere = (phone: Phone) => phone === alice || phone === carol;
    office.loses = ({ from, to }) => isHere(from) !== isHere(to);
    for (const phone of [bob, ...alsoOut]) await alice.remove(hiking, phone);
    await office.settle();
    expect(carol.members(hiking)).not.toContain('bob');
    // Carol hears that bob has come in anew where nobody knows of that, and that is all that comes through.
    office.loses = ({ from, to }) => to === alice || isHere(from);
    await replace(dave, bob);
    await office.settle();
    await alice.die();
    office.loses = ({ from, to }) => isHere(from) || to === carol;
    for (const phone of [dave, erin, dave]) {
      await phone.wish(hiking, { kind: 'rename', name: `of ${phone.name}` });
      await office.settle();
    }
    // She is let in above what she knows of that branch.
    office.loses = ({ from, to, kind }) => (from === carol && kind === 'supply') || (to === carol && ['commit', 'supply'].includes(kind));
    await replace(dave, carol);
    await office.settle();
    return [alice, bob, carol, dave, erin, hiking];
  }

  it('is not held against the rest of the group for ever without a word: the user is asked after an hour, over a restart, once others were asked, and may keep the member', async () => {
    const [, bob, carol, dave, erin, hiking] = await hidden();
    await carol.say(hiking, 'among us');
    await office.pass(50 * MINUTE, MINUTE);
    expect([carol.members(hiking), carol.view(hiking).hold, carol.told('unjudged')]).toEqual([NAMES, 'removal', []]);
    await carol.restart();
    await office.pass(30 * MINUTE, MINUTE);
    await carol.online();
    // The hour is over, and nobody has been asked since the start.
    await office.pass(5 * MINUTE, MINUTE);
    expect(carol.told('unjudged')).toEqual([]);
    await office.pass(15 * MINUTE, MINUTE);
    const told = carol.told('unjudged').flatMap((notice) => (notice.kind === 'unjudged' ? notice.members : []));
    expect(told.map(nameOf)).toEqual(['bob']);
    await carol.step((messenger, step) => messenger.keep(hiking, bob.account, step));
    await office.pass(10 * MINUTE, 5 * SECOND);
    expect(carol.view(hiking).hold).toBeUndefined();
    for (const phone of [bob, dave, erin]) expect([phone.name, phone.shown]).toEqual([phone.name, ['carol: among us']]);
  });

  it('holds up no other that can be shown for longer than that', async () => {
    const [, , carol, , , hiking] = await hidden('frank');
    await office.pass(50 * MINUTE, MINUTE);
    expect(carol.members(hiking)).toEqual([...NAMES, 'frank']);
    await office.pass(15 * MINUTE, MINUTE);
    expect(carol.members(hiking)).toEqual(NAMES);
  });
});

describe('a device that can not compare two branches', () => {
  /** Alice lets dave in where bob and carol do not hear of it; theirs is the branch that wins. */
  async function apart(): Promise<[...Four, string]> {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    const hiking = await hikers(alice, bob, carol);
    office.forgetsSlots = true;
    const isHere = (phone: Phone) => phone === alice || phone === dave;
    office.loses = ({ from, to }) => isHere(from) !== isHere(to);
    await alice.add(hiking, dave);
    await bob.wish(hiking, { kind: 'rename', name: 'biking' });
    await office.settle();
    await carol.wish(hiking, { kind: 'rename', name: 'running' });
    await office.settle();
    await dave.say(hiking, 'here I am');
    await office.pass(5 * SECOND);
    return [alice, bob, carol, dave, hiking];
  }

  it('as it joined on the one that lost, follows those who can, by joining again', async () => {
    const [alice, bob, carol, dave, hiking] = await apart();
    office.loses = ({ from, to, kind }) => to === alice || (from === alice && kind !== 'commit');
    await office.pass(MINUTE);
    await alice.offline();
    office.loses = () => false;
    await office.pass(30 * MINUTE, 5 * SECOND);
    expectTogether(hiking, [bob, carol, dave], ['alice', 'bob', 'carol', 'dave']);
    expect(dave.count('rejoin-asked')).toBeGreaterThan(0);
    expect(dave.view(hiking).data.name).toBe('running');
    for (const phone of [bob, carol]) expect(phone.shown).toEqual(['dave: here I am']);
  });

  it('as the commit that let it in is known to itself alone, tells the others of it', async () => {
    const [alice, bob, carol, dave, hiking] = await apart();
    await alice.offline();
    office.loses = () => false;
    await office.pass(30 * MINUTE, 5 * SECOND);
    expectTogether(hiking, [bob, carol, dave], ['alice', 'bob', 'carol', 'dave']);
    for (const phone of [bob, carol]) expect(phone.shown).toEqual(['dave: here I am']);
  });
});

describe('who has joined anew on a branch that others know no more of', () => {
  it('understands what it is answered, by the key by which it has asked, and follows the others by joining again', async () => {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    const hiking = await hikers(alice, bob, dave);
    const isHere = (phone: Phone) => phone === alice || phone === carol;
    const isBack = ({ from, to }: { from: Phone; to: Phone }) => isHere(to) && !isHere(from);
    office.forgetsSlots = true;
    office.loses = ({ from, to }) => isHere(from) !== isHere(to);
    await alice.add(hiking, carol);
    for (const [phone, name] of [
      [bob, 'biking'],
      [dave, 'running'],
    ] as const) {
      await phone.wish(hiking, { kind: 'rename', name });
      await office.settle();
    }
    // The branch that let carol in has lost, and she and alice hear nothing of it.
    office.loses = isBack;
    await office.pass(2 * MINUTE);
    office.loses = (letter) => isHere(letter.from) !== isHere(letter.to) || isTo(carol, 'commit')(letter);
    await alice.wish(hiking, { kind: 'replace', account: carol.account, device: carol.device, leaf: carol.ownLeaf(hiking) });
    await office.pass(MINUTE);
    await alice.offline();
    // What tells of her new leaf never comes.
    office.loses = ({ from, kind }) => from === carol && kind === 'supply';
    await carol.restart();
    await carol.online();
    await office.pass(30 * MINUTE, 5 * SECOND);
    expectTogether(hiking, [bob, carol, dave], ['alice', 'bob', 'carol', 'dave']);
    expect(carol.view(hiking).data.name).toBe('running');
  });
});

describe('who was removed while it joined anew on a branch that loses, and asks to be let in again', () => {
  it('is offered nothing by a member who came after that and may not let it in, and takes the word of who knows better', async () => {
    const [alice, carol, dave] = (await office.people('alice', 'carol', 'dave')) as Trio;
    const hiking = await hikers(alice, carol, dave);
    const replace = (by: Phone, who: Phone) =>
      by.wish(hiking, { kind: 'replace', account: who.account, device: who.device, leaf: who.ownLeaf(hiking) });
    office.forgetsSlots = true;
    office.loses = ({ from, to }) => from === alice || to === alice;
    await alice.remove(hiking, carol);
    await office.settle();
    await replace(dave, carol);
    await office.settle();
    for (const name of ['biking', 'running']) {
      await alice.wish(hiking, { kind: 'rename', name });
      await office.settle();
    }
    // Dave comes in anew where carol was removed, and nobody hears of that.
    office.loses = ({ from, to, kind }) => to === alice || (from === alice && kind !== 'welcome');
    await replace(alice, dave);
    await office.settle();
    office.loses = ({ kind }) => kind === 'commit' || kind === 'supply';
    await carol.offline();
    await carol.online();
    await office.pass(HOUR, 5 * SECOND);
    expect([dave.count('rejoin-helped'), dave.members(hiking)]).toEqual([0, ['alice', 'dave']]);
    expect(carol.view(hiking).out).toBe(true);
  });
});

describe('a commit', () => {
  it('that has waited long enough for its slot is made before what is written next: who is removed by it reads nothing of that', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(bob, alice, carol);
    office.loses = isOf(alice, 'commit');
    await alice.wish(hiking, { kind: 'rename', name: 'lost' });
    await office.settle();
    await alice.offline();
    office.loses = () => false;
    await bob.remove(hiking, carol);
    await office.settle();
    office.now += 2 * MINUTE;
    await bob.say(hiking, 'without carol');
    await office.settle();
    expect(carol.shown).toEqual([]);
    await alice.online();
    await office.pass(MINUTE);
    expect(alice.shown).toEqual(['bob: without carol']);
  });

  it("whose slot is another's goes out without one when that other never shows up", async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    office.loses = isOf(alice, 'commit');
    await alice.wish(hiking, { kind: 'rename', name: 'lost' });
    await office.settle();
    await alice.offline();
    office.loses = () => false;
    await bob.wish(hiking, { kind: 'rename', name: 'found' });
    await office.pass(50 * SECOND);
    expect(bob.view(hiking).data.name).toBe('hiking');
    await office.pass(30 * SECOND);
    expect(bob.count('sent-without-slot')).toBe(1);
    expect(carol.view(hiking).data.name).toBe('found');
    await alice.online();
    await office.pass(MINUTE);
    expectTogether(hiking, [alice, bob, carol]);
  });

  it('without a slot goes out later by 10 s for each member with a lower leaf who is there, so that one of them makes the next and not all', async () => {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    const hiking = await hikers(alice, bob, carol, dave);
    office.loses = isOf(alice, 'commit');
    await alice.wish(hiking, { kind: 'rename', name: 'lost' });
    await office.settle();
    await alice.offline();
    office.loses = () => false;
    for (const phone of [dave, carol, bob]) await phone.wish(hiking, { kind: 'rename', name: `as ${phone.name} likes` });
    await office.settle();
    // Nobody hears of what goes out without a slot.
    office.ignores = ({ kind }) => kind === 'commit' || kind === 'supply';
    const sent: string[] = [];
    for (let at = 2; at <= 100; at += 2) {
      await office.pass(2 * SECOND);
      for (const phone of [bob, carol, dave]) {
        if (phone.count('sent-without-slot') === 1 && !sent.some((each) => each.startsWith(phone.name))) sent.push(`${phone.name} ${at}`);
      }
    }
    expect(sent).toEqual(['bob 60', 'carol 70', 'dave 80']);
  });

  it("of one's own comes back from others, when the answer to it was lost with the connection", async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    await alice.wish(hiking, { kind: 'rename', name: 'biking' });
    alice.isOnline = false;
    await office.settle();
    expect(bob.view(hiking).data.name).toBe('biking');
    expect(alice.view(hiking).data.name).toBe('hiking');
    await alice.restart();
    office.refuses = isOf(alice, 'commit');
    await alice.online();
    await office.pass(MINUTE);
    expect(alice.count('own-commit-recovered')).toBe(1);
    office.refuses = () => false;
    expectTogether(hiking, [alice, bob, carol]);
  });

  it("of one's own that the device knows nothing of costs it its leaf, and it gets another", async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    const backup = await alice.backup();
    const leaf = alice.ownLeaf(hiking);
    await alice.wish(hiking, { kind: 'rename', name: 'biking' });
    await office.settle();
    await alice.restore(backup);
    await alice.online();
    await office.pass(2 * MINUTE);
    expectTogether(hiking, [alice, bob, carol]);
    expect(alice.ownLeaf(hiking)).not.toBe(leaf);
    await alice.say(hiking, 'back again');
    await office.settle();
    expect(bob.shown).toEqual(['alice: back again']);
  });

  it('that the relay refuses for good does not stop the group', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    const hiking = await hikers(alice, bob);
    office.refuses = isOf(alice, 'commit');
    await alice.wish(hiking, { kind: 'rename', name: 'biking' });
    await office.settle();
    expect(alice.messenger.unsafeGroup(hiking)!.core.pending).toBeUndefined();
    office.refuses = () => false;
    await alice.wish(hiking, { kind: 'rename', name: 'running' });
    await office.pass(MINUTE);
    expect(bob.view(hiking).data.name).toBe('running');
    expectTogether(hiking, [alice, bob]);
  });
});

describe('a step back to another branch', () => {
  it('to leaves whose tokens are withdrawn by then makes fresh ones at once', async () => {
    const [alice, bob, carol, dave, erin] = (await office.people('alice', 'bob', 'carol', 'dave', 'erin')) as [...Four, Phone];
    const hiking = await hikers(alice, bob, carol, dave, erin);
    for (const phone of [carol, dave, erin]) await phone.offline();
    await alice.remove(hiking, erin);
    await office.pass(3 * DAY, HOUR);
    for (const phone of [alice, bob]) await phone.offline();
    await office.pass(MINUTE);
    for (const phone of [carol, dave]) await phone.online();
    for (const [phone, name] of [carol, dave, carol, dave, carol].map((each, i) => [each, `biking ${i}`] as const)) {
      await phone.wish(hiking, { kind: 'rename', name });
      await office.settle();
    }
    const isReached = () =>
      [alice, bob].every((phone) => {
        const { token } = carol.view(hiking).members.find(({ identity }) => identity.device === phone.device)!.address;
        return phone.accepts(token);
      });
    expect(isReached()).toBe(false);
    for (const phone of [alice, bob]) await phone.online();
    await office.pass(10 * MINUTE, 5 * SECOND);
    expectTogether(hiking, [alice, bob, carol, dave]);
    expect(carol.view(hiking).data.name).toMatch(/^biking/);
    expect(isReached()).toBe(true);
  });
});
