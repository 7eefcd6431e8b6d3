import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fromHex, Outcome, toHex } from '@sotto/protocol';
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

type Trio = [Phone, Phone, Phone];
type Four = [Phone, Phone, Phone, Phone];

describe('a group', () => {
  it('is made, and all who were asked are in it and read each other', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    await alice.say(hiking, 'hello');
    await office.settle();
    await bob.say(hiking, 'hi');
    await office.settle();
    expect(bob.shown).toEqual(['alice: hello']);
    expect(carol.shown).toEqual(['alice: hello', 'bob: hi']);
    expect(alice.shown).toEqual(['bob: hi']);
    expectTogether(hiking, [alice, bob, carol]);
  });

  it('takes in a further member, who reads what is said from then on', async () => {
    const [alice, bob, dave] = (await office.people('alice', 'bob', 'dave')) as Trio;
    const hiking = await hikers(alice, bob);
    await alice.say(hiking, 'before');
    await office.settle();
    await alice.add(hiking, dave);
    await office.settle();
    expectTogether(hiking, [alice, bob, dave]);
    await bob.say(hiking, 'after');
    await office.settle();
    expect(dave.shown).toEqual(['bob: after']);
    expect(bob.told('changed')).toMatchObject([
      { by: { identity: { accountName: 'alice' } }, added: [{ identity: { accountName: 'dave' } }] },
    ]);
  });

  it('takes in whoever had no key package to be had, once it comes online', async () => {
    const [alice, bob, dave] = (await office.people('alice', 'bob', 'dave')) as Trio;
    const hiking = await hikers(alice, bob);
    await dave.offline();
    for (const id of dave.stock.packages.keys()) dave.stock.packages.delete(id);
    await alice.add(hiking, dave);
    await office.pass(5 * MINUTE, 5 * SECOND);
    expectTogether(hiking, [alice, bob]);
    await dave.publish(2);
    await dave.online();
    await office.settle();
    expectTogether(hiking, [alice, bob, dave]);
  });

  it('is all devices of its members', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    const laptop = await office.phone('bob/laptop');
    laptop.befriend(alice);
    await laptop.online();
    const hiking = await alice.createGroup('hiking', bob);
    expectTogether(hiking, [alice, bob, laptop]);
    await laptop.say(hiking, 'from my laptop');
    await office.settle();
    expect(bob.shown).toEqual(['bob: from my laptop']);
    expect(alice.shown).toEqual(['bob: from my laptop']);
  });

  it('knows of a device of one’s own that has left: it is not to be brought back', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    const laptop = await office.phone('bob/laptop');
    laptop.befriend(alice);
    await laptop.online();
    const hiking = await alice.createGroup('hiking', bob);
    expectTogether(hiking, [alice, bob, laptop]);
    expect(bob.messenger.hasLeft(hiking, laptop.device)).toBe(false);
    await laptop.step((messenger, step) => messenger.leave(hiking, step));
    await office.pass(MINUTE);
    expect(alice.members(hiking)).toEqual(['alice', 'bob']);
    expect(bob.messenger.hasLeft(hiking, laptop.device)).toBe(true);
  });

  it('puts a member out, who is told so and reads nothing more', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    await alice.remove(hiking, carol);
    await office.settle();
    expectTogether(hiking, [alice, bob]);
    await alice.say(hiking, 'without carol');
    await office.settle();
    expect(bob.shown).toEqual(['alice: without carol']);
    expect(carol.shown).toEqual([]);
    expect(carol.view(hiking).out).toBe(true);
    expect(carol.told('out')).toEqual([{ kind: 'out', group: hiking }]);
    await expect(carol.say(hiking, 'still here')).rejects.toMatchObject({ reason: 'unknown-group' });
  });

  it('leaves little on the device of whoever is out for two weeks, who can be added again', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    for (const name of ['biking', 'rowing']) await alice.wish(hiking, { kind: 'rename', name });
    await carol.say(hiking, 'so long');
    await alice.remove(hiking, carol);
    await office.settle();
    await office.pass(15 * DAY, HOUR);
    const kept = async (collection: string) => [...(await carol.store.load(collection)).keys()].filter((key) => key.startsWith(hiking));
    for (const collection of ['epochs', 'ratchets']) expect(await kept(collection)).toHaveLength(1);
    for (const collection of ['own-commits', 'log', 'later']) expect(await kept(collection)).toEqual([]);
    expect((await kept('commits')).length).toBeLessThan(2);
    await carol.restart();
    expect(carol.view(hiking)).toMatchObject({ out: true, data: { name: 'rowing' } });
    await carol.online();
    await alice.add(hiking, carol);
    await office.settle();
    expectTogether(hiking, [alice, bob, carol]);
    await alice.say(hiking, 'welcome back');
    await office.settle();
    expect(carol.shown.at(-1)).toBe('alice: welcome back');
  });

  it('has fresh tokens a day after somebody was put out: what that one sends reaches nobody', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    const known = alice.view(hiking).members.map(({ address }) => address.token);
    await alice.remove(hiking, carol);
    await office.pass(2 * DAY + HOUR, HOUR);
    expectTogether(hiking, [alice, bob]);
    for (const phone of [alice, bob]) expect(known.some((token) => phone.accepts(token))).toBe(false);
    await bob.say(hiking, 'among us');
    await office.settle();
    expect(alice.shown).toEqual(['bob: among us']);
  });

  it('lets a member go who leaves, whoever of the others is there', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    await alice.offline();
    await carol.step((messenger, step) => messenger.leave(hiking, step));
    await office.pass(10 * SECOND);
    expect(bob.members(hiking)).toEqual(['alice', 'bob']);
    await expect(carol.say(hiking, 'still here')).rejects.toMatchObject({ reason: 'unknown-group' });
    await alice.online();
    await office.pass(MINUTE);
    expectTogether(hiking, [alice, bob]);
  });

  it('stops talking of a member who left once all know', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    await carol.step((messenger, step) => messenger.leave(hiking, step));
    await office.pass(10 * MINUTE, 10 * SECOND);
    office.journey.length = 0;
    await office.pass(3 * HOUR, MINUTE);
    expect(office.journey.filter((each) => each.includes('carol'))).toEqual([]);
    expectTogether(hiking, [alice, bob]);
  });

  it('is renamed by any member, and everybody is told by whom', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    await carol.wish(hiking, { kind: 'rename', name: 'biking' });
    await office.settle();
    expect([alice, bob, carol].map((phone) => phone.view(hiking).data.name)).toEqual(['biking', 'biking', 'biking']);
    expect(alice.told('changed').at(-1)).toMatchObject({ renamed: 'biking', by: { identity: { accountName: 'carol' } } });
  });

  it('has admins: they name others, who then add and remove, and whom they may stop again', async () => {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    const hiking = await hikers(alice, bob, carol);
    await bob.add(hiking, dave);
    await office.settle();
    expect(bob.told('refused')).toMatchObject([{ wanted: ['add'], why: 'not-allowed' }]);
    expectTogether(hiking, [alice, bob, carol]);
    await alice.wish(hiking, { kind: 'role', account: bob.account, admin: true });
    await office.settle();
    expect(carol.told('changed').at(-1)).toMatchObject({ promoted: [{ identity: { accountName: 'bob' } }], demoted: [], added: [] });
    await bob.add(hiking, dave);
    await bob.remove(hiking, carol);
    await office.pass(MINUTE);
    expectTogether(hiking, [alice, bob, dave]);
    await alice.wish(hiking, { kind: 'role', account: bob.account, admin: false });
    await office.settle();
    expect(dave.told('changed').at(-1)).toMatchObject({ promoted: [], demoted: [{ identity: { accountName: 'bob' } }] });
    await bob.remove(hiking, dave);
    await office.settle();
    expectTogether(hiking, [alice, bob, dave]);
  });

  it('with nobody in it keeps what is written until somebody is', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    const notes = await alice.createGroup('notes');
    await alice.say(notes, 'to whom it may concern');
    await office.settle();
    expect(alice.queue).toEqual(['to whom it may concern (queued)']);
    await alice.add(notes, bob);
    await office.settle();
    expect(bob.shown).toEqual(['alice: to whom it may concern']);
    expectTogether(notes, [alice, bob]);
  });

  it('uses every key package once', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    const before = bob.stock.packages.size;
    const groups = [];
    for (const name of ['one', 'two', 'three'])
      groups.push(await alice.step((messenger, step) => messenger.createGroup(name, [bob.account], step)));
    await office.pass(MINUTE);
    for (const group of groups) expectTogether(group, [alice, bob]);
    expect(before - bob.stock.packages.size).toBe(3);
    expect(bob.acks.filter((outcome) => outcome !== 1)).toEqual([]);
  });
});

describe('a message', () => {
  it('is owed to a member who is away, and arrives when it comes back', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    await carol.offline();
    await alice.say(hiking, 'carol is away');
    await office.pass(HOUR, 10 * SECOND);
    expect(alice.queue).toEqual(['carol is away (waiting-for-online)']);
    await carol.online();
    await office.settle();
    expect(carol.shown).toEqual(['alice: carol is away']);
    expectTogether(hiking, [alice, bob, carol]);
  });

  it('arrives from another member when its sender is gone for good', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    await carol.offline();
    await alice.say(hiking, 'my last words');
    await office.settle();
    await alice.offline();
    await office.pass(MINUTE);
    await carol.online();
    await office.pass(MINUTE);
    expect(carol.shown).toEqual(['alice: my last words']);
    expect(carol.count('supplied-message')).toBe(1);
  });

  it('arrives once, though it is lost now and then, and acknowledged in vain', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    let letters = 0;
    office.loses = ({ kind }) => kind === 'application' && letters++ % 3 !== 2;
    for (const words of ['one', 'two', 'three']) await alice.say(hiking, words);
    await office.pass(30 * MINUTE, SECOND);
    for (const phone of [bob, carol]) expect([...phone.shown].sort()).toEqual(['alice: one', 'alice: three', 'alice: two']);
    expectTogether(hiking, [alice, bob, carol]);
  });

  it('that was given up before anybody had it reaches nobody, also not by catching up', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    await bob.offline();
    await carol.offline();
    const first = await alice.say(hiking, 'never mind');
    await alice.say(hiking, 'let us go');
    await office.pass(MINUTE);
    await alice.step(async (messenger, step) => messenger.discard(first, step));
    await bob.online();
    await carol.online();
    await office.pass(30 * MINUTE, 5 * SECOND);
    for (const phone of [bob, carol]) expect(phone.shown).toEqual(['alice: let us go']);
    for (const phone of [alice, bob, carol]) expect(phone.told('missing')).toEqual([]);
    expect(alice.queue).toEqual([]);
  });

  it('that waits is sent again at once when the user wants it, and arrives once', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    await alice.tell(bob, 'hello');
    await office.settle();
    await bob.offline();
    const id = await alice.tell(bob, 'are you there?');
    await office.pass(MINUTE);
    expect(alice.queue).toEqual(['are you there? (waiting-for-online)']);
    await alice.step(async (messenger, step) => messenger.resend(id, step));
    await office.settle();
    expect(alice.queue).toEqual(['are you there? (accepted)']);
    await bob.online();
    await office.pass(5 * MINUTE);
    expect(bob.shown).toEqual(['alice: hello', 'alice: are you there?']);
  });

  it('is asked for anew when nobody who is asked has what it needs for an hour, and is read once all the same when that comes', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    office.loses = ({ to, kind }) => to === carol && kind !== 'application';
    await bob.wish(hiking, { kind: 'rename', name: 'biking' });
    await office.settle();
    await bob.say(hiking, 'on bikes');
    await office.pass(59 * MINUTE, 5 * SECOND);
    expect(carol.acks).not.toContain(Outcome.CANNOT);
    await office.pass(60 * MINUTE, 5 * SECOND);
    expect(carol.acks).toContain(Outcome.CANNOT);
    expect(bob.count('sealed-again')).toBeGreaterThan(0);
    office.loses = () => false;
    await office.pass(60 * MINUTE, 5 * SECOND);
    expect(carol.shown).toEqual(['bob: on bikes']);
    expectTogether(hiking, [alice, bob, carol]);
  });

  it('before the commit that it needs is kept, answered later, and read when that comes', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    office.loses = isTo(carol, 'commit');
    await bob.wish(hiking, { kind: 'rename', name: 'biking' });
    await office.settle();
    office.loses = ({ to, kind }) => to === carol && kind !== 'application';
    await bob.say(hiking, 'on bikes');
    await office.settle();
    expect(carol.shown).toEqual([]);
    expect(carol.acks.at(-1)).toBe(2);
    office.loses = () => false;
    await office.pass(2 * MINUTE);
    expect(carol.shown).toEqual(['bob: on bikes']);
    expectTogether(hiking, [alice, bob, carol]);
  });

  it('that can not be read any more is sealed again for whoever says so, and shown once', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    const hiking = await hikers(alice, bob);
    await bob.offline();
    await alice.say(hiking, 'from long ago');
    await office.pass(MINUTE);
    for (let i = 0; i < 18; i++) {
      await alice.wish(hiking, { kind: 'rename', name: `name ${i}` });
      await office.settle();
    }
    office.loses = ({ kind }) => kind === 'supply' || kind === 'application';
    await bob.online();
    await office.pass(2 * HOUR, 10 * SECOND);
    expect(bob.view(hiking).data.name).toBe('name 17');
    office.loses = ({ kind }) => kind === 'supply';
    await office.pass(10 * MINUTE);
    expect(bob.count('cannot')).toBe(1);
    expect(alice.count('sealed-again')).toBe(1);
    expect(bob.shown).toEqual(['alice: from long ago']);
    expectTogether(hiking, [alice, bob]);
  });

  it('that is sealed again for one who could not read it is not shown to those who came after it was written', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob);
    await bob.offline();
    await alice.say(hiking, 'between you and me');
    await office.pass(MINUTE);
    for (let i = 0; i < 18; i++) {
      await alice.wish(hiking, { kind: 'rename', name: `name ${i}` });
      await office.settle();
    }
    await alice.add(hiking, carol);
    office.loses = ({ kind }) => kind === 'supply' || kind === 'application';
    await bob.online();
    await office.pass(2 * HOUR, 10 * SECOND);
    office.loses = () => false;
    await office.pass(30 * MINUTE, 10 * SECOND);
    expect(bob.shown).toEqual(['alice: between you and me']);
    expect(carol.shown).toEqual([]);
  });

  it('is not said to wait because of another that waits for one device alone', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    office.answersCannot = ({ to, kind }) => to === carol && kind === 'application';
    await alice.say(hiking, 'carol says that she can not read this');
    await office.pass(5 * MINUTE, 5 * SECOND);
    await alice.say(hiking, 'nor this');
    await office.settle();
    expect(bob.shown).toHaveLength(2);
    expect(alice.told('waiting')).toEqual([]);
  });

  it('that was discarded goes out no more', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    const hiking = await hikers(alice, bob);
    await bob.offline();
    const id = await alice.say(hiking, 'never mind');
    await office.pass(MINUTE);
    await alice.step((messenger, step) => messenger.discard(id, step));
    expect(alice.queue).toEqual([]);
    office.loses = ({ kind }) => kind === 'supply';
    await bob.online();
    await office.pass(MINUTE);
    expect(bob.shown).toEqual([]);
    expect(alice.notices.at(-1)).toEqual({ kind: 'delivery', group: hiking, content: id, status: 'discarded' });
  });

  it('is told about from queued to delivered, when one device of each account has it', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await hikers(alice, bob, carol);
    await carol.offline();
    const id = await alice.say(hiking, 'hello');
    const status = () => alice.notices.flatMap((notice) => (notice.kind === 'delivery' && notice.content === id ? [notice.status] : []));
    expect(status()).toEqual(['queued']);
    await office.settle();
    expect(status().at(-1)).toBe('accepted');
    await office.pass(MINUTE);
    expect(status().slice(-2)).toEqual(['undelivered', 'waiting-for-online']);
    await carol.online();
    await office.settle();
    expect(status().at(-1)).toBe('delivered');
  });

  it('that one device of each account has is not told of again after a restart, when another comes', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    const laptop = await office.phone('bob/laptop');
    laptop.befriend(alice);
    await laptop.online();
    const hiking = await alice.createGroup('hiking', bob);
    await laptop.offline();
    const id = await alice.say(hiking, 'hello');
    await office.pass(MINUTE);
    expect(alice.told('delivery').at(-1)).toMatchObject({ content: id, group: hiking, status: 'delivered' });
    const told = alice.told('delivery').length;
    await alice.restart();
    await alice.online();
    await laptop.online();
    await office.pass(MINUTE);
    expect(laptop.shown).toEqual(['alice: hello']);
    expect(alice.told('delivery').slice(told)).toEqual([]);
  });

  it('that the relay refuses for good is told to be given up', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    const hiking = await hikers(alice, bob);
    office.refuses = ({ kind }) => kind === 'application';
    const id = await alice.say(hiking, 'too much');
    await office.settle();
    expect(alice.notices.at(-1)).toEqual({ kind: 'delivery', group: hiking, content: id, status: 'discarded' });
    expectTogether(hiking, [alice, bob]);
  });
});

describe('a Welcome', () => {
  it('is sent until it is there', async () => {
    const [alice, bob, dave] = (await office.people('alice', 'bob', 'dave')) as Trio;
    const hiking = await hikers(alice, bob);
    let lost = 3;
    office.loses = (letter) => isTo(dave, 'welcome')(letter) && lost-- > 0;
    await alice.add(hiking, dave);
    await office.pass(5 * MINUTE);
    expectTogether(hiking, [alice, bob, dave]);
  });

  it('lost with its author: the others greet the newcomer, who asks to be let in', async () => {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    const hiking = await hikers(alice, bob, carol);
    office.loses = isTo(dave, 'welcome');
    await alice.add(hiking, dave);
    await office.settle();
    await alice.offline();
    await bob.say(hiking, 'welcome, dave');
    await office.pass(30 * SECOND);
    office.loses = () => false;
    await office.pass(3 * MINUTE);
    expect(dave.shown).toEqual(['bob: welcome, dave']);
    expect(bob.count('greeted') + carol.count('greeted')).toBeGreaterThan(0);
    await alice.online();
    await office.pass(MINUTE);
    expectTogether(hiking, [alice, bob, carol, dave]);
  });

  it('lost with its author is made good in a group of many, who all greet', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `member ${i}`);
    const [alice, dave, ...others] = (await office.people('alice', 'dave', ...names)) as Four;
    const hiking = await hikers(alice, ...others);
    office.loses = isTo(dave, 'welcome');
    await alice.add(hiking, dave);
    await office.settle();
    await alice.offline();
    office.loses = () => false;
    await office.pass(4 * MINUTE);
    expect(dave.view(hiking).out).toBe(false);
    expectTogether(hiking, [dave, ...others], ['alice', 'dave', ...names].sort());
  });

  it('to a package that others may have got too is followed by a fresh address', async () => {
    const [alice, bob, dave] = (await office.people('alice', 'bob', 'dave')) as Trio;
    const hiking = await hikers(alice, bob);
    dave.stock.packages.clear();
    await dave.publish(1, true);
    const [capability] = dave.stock.packages.keys();
    await alice.add(hiking, dave);
    await office.pass(2 * MINUTE);
    expectTogether(hiking, [alice, bob, dave]);
    const { address } = alice.view(hiking).members.find(({ identity }) => identity.device === dave.device)!;
    expect(toHex(address.token.slice(0, 16))).not.toBe(capability);
    await office.pass(2 * DAY, HOUR);
    expect(dave.revoked).toContain(capability);
    await bob.say(hiking, 'at your new address');
    await office.settle();
    expect(dave.shown).toEqual(['bob: at your new address']);
  });

  it('to a device that has lost its keys is replaced by another', async () => {
    const [alice, bob, dave] = (await office.people('alice', 'bob', 'dave')) as Trio;
    const hiking = await hikers(alice, bob);
    const before = dave.handOut()!;
    for (const [id, { publicBytes }] of dave.stock.packages) if (publicBytes !== before.bytes) dave.stock.packages.delete(id);
    await alice.step((messenger, step) => messenger.claimed(dave.account, [before], step));
    dave.stock.packages.clear();
    await dave.publish(3);
    await alice.add(hiking, dave);
    await office.pass(2 * MINUTE);
    expectTogether(hiking, [alice, bob, dave]);
  });
});

describe('an invitation of somebody who is no contact', () => {
  /** Dave does not know alice, who knows him. */
  async function invited(): Promise<[...Four, string]> {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    for (const phone of [alice, bob, carol]) dave.contacts.delete(phone.account);
    const hiking = await hikers(alice, bob);
    await alice.add(hiking, dave);
    await office.settle();
    return [alice, bob, carol, dave, hiking];
  }

  it('waits for the user, and once accepted shows what was said meanwhile', async () => {
    const [alice, bob, , dave, hiking] = await invited();
    expect(dave.told('invited')).toMatchObject([{ group: hiking, name: 'hiking', by: { identity: { accountName: 'alice' } } }]);
    expect(dave.messenger.groups()).toEqual([]);
    await bob.say(hiking, 'will dave come?');
    await office.settle();
    expect(dave.shown).toEqual([]);
    await dave.restart();
    await dave.online();
    await dave.step((messenger, step) => messenger.acceptInvitation(hiking, step));
    await office.pass(2 * MINUTE);
    expect(dave.shown).toEqual(['bob: will dave come?']);
    expectTogether(hiking, [alice, bob, dave]);
  });

  it('shows what came before it was accepted at once, though nobody else is there then', async () => {
    const [alice, bob, , dave, hiking] = await invited();
    await bob.say(hiking, 'will dave come?');
    await office.settle();
    for (const phone of [alice, bob]) await phone.offline();
    await dave.step((messenger, step) => messenger.acceptInvitation(hiking, step));
    expect(dave.shown).toEqual(['bob: will dave come?']);
    expect((await dave.stored('later')).size).toBe(0);
  });

  it('is accepted by accepting whoever sent it as a contact', async () => {
    const [alice, bob, carol, dave, hiking] = await invited();
    dave.befriend(carol);
    await dave.step((messenger, step) => messenger.contactAccepted(carol.account, step));
    expect(dave.messenger.groups()).toEqual([]);
    dave.befriend(alice);
    await dave.step((messenger, step) => messenger.contactAccepted(alice.account, step));
    await office.pass(MINUTE);
    expectTogether(hiking, [alice, bob, dave]);
  });

  it('is gone once it is declined', async () => {
    const [, , , dave, hiking] = await invited();
    await dave.step((messenger, step) => messenger.declineInvitation(hiking, step));
    await expect(dave.step((messenger, step) => messenger.acceptInvitation(hiking, step))).rejects.toMatchObject({
      reason: 'unknown-group',
    });
    expect((await dave.stored('invitations')).size).toBe(0);
    expect(dave.messenger.groups().filter(({ out }) => !out)).toEqual([]);
  });
});

describe('an invitation that was declined', () => {
  it('leaves nothing owed to whoever declined it, and no more of that group is kept', async () => {
    const [alice, bob, dave] = (await office.people('alice', 'bob', 'dave')) as Trio;
    for (const phone of [alice, bob]) dave.contacts.delete(phone.account);
    const hiking = await hikers(alice, bob);
    await alice.add(hiking, dave);
    await office.settle();
    await dave.step((messenger, step) => messenger.declineInvitation(hiking, step));
    await alice.say(hiking, 'dave is not coming');
    await office.pass(2 * MINUTE);
    expect(alice.queue).toEqual([]);
    expect((await dave.stored('later')).size).toBe(0);
  });
});

describe('a conversation of two', () => {
  it('begins with its first message, and goes both ways', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    await alice.tell(bob, 'hello');
    await office.settle();
    await bob.tell(alice, 'hi');
    await office.settle();
    expect(bob.shown).toEqual(['alice: hello']);
    expect(alice.shown).toEqual(['bob: hi']);
    expect(alice.messenger.directWith(bob.account)).toBe(bob.messenger.directWith(alice.account));
    expectTogether(alice.messenger.directWith(bob.account)!, [alice, bob]);
  });

  it('that both began at once is one: both are read, and the one with the lower id is written', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    await alice.tell(bob, 'from alice');
    await bob.tell(alice, 'from bob');
    await office.settle();
    expect(bob.shown).toEqual(['alice: from alice']);
    expect(alice.shown).toEqual(['bob: from bob']);
    const ids = alice.messenger
      .groups()
      .map(({ id }) => id)
      .sort();
    expect(ids).toHaveLength(2);
    for (const [phone, other] of [
      [alice, bob],
      [bob, alice],
    ] as const)
      expect(phone.messenger.directWith(other.account)).toBe(ids[0]);
    await alice.tell(bob, 'once more');
    await office.settle();
    expect(bob.shown).toEqual(['alice: from alice', 'alice: once more']);
  });

  it('waits for a key package of the other, with what is written meanwhile', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    const kept = new Map(bob.stock.packages);
    bob.stock.packages.clear();
    await alice.tell(bob, 'one');
    await alice.tell(bob, 'two');
    await office.pass(MINUTE);
    expect(alice.queue).toEqual(['one (queued)', 'two (queued)']);
    for (const [id, each] of kept) bob.stock.packages.set(id, each);
    await office.pass(2 * MINUTE);
    expect(bob.shown).toEqual(['alice: one', 'alice: two']);
    expect(alice.queue).toEqual([]);
  });

  it('that waits for a key package gives way to one that the other began, and no device is said to be new', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    bob.stock.packages.clear();
    await alice.tell(bob, 'from alice');
    await bob.tell(alice, 'from bob');
    await office.pass(MINUTE);
    expect(alice.shown).toEqual(['bob: from bob']);
    expect(bob.shown).toEqual(['alice: from alice']);
    expect(alice.told('joined')).toMatchObject([{ replaces: false }]);
  });

  it('that another of the own devices begins anew tells of no new device of the other', async () => {
    const [phone, laptop, bob] = (await office.people('alice', 'alice/laptop', 'bob')) as Trio;
    await phone.tell(bob, 'before');
    await office.pass(MINUTE);
    expect(laptop.told('joined')).toHaveLength(1);
    await phone.step((messenger, step) => messenger.beginDirect(bob.account, step, true));
    await phone.tell(bob, 'after');
    await office.pass(MINUTE);
    expect(laptop.told('joined')).toMatchObject([{ replaces: false }, { replaces: false }]);
    expect(bob.shown).toEqual(['alice: before', 'alice: after']);
  });

  it('goes on in a new one when the other has lost its store, and what did not arrive arrives there', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    await alice.tell(bob, 'before');
    await office.settle();
    await bob.offline();
    await alice.tell(bob, 'meanwhile');
    await office.pass(MINUTE);
    await bob.die();
    const another = await office.phone('bob/new');
    another.befriend(alice);
    await another.online();
    await another.step((messenger, step) => messenger.beginDirect(alice.account, step));
    await office.pass(2 * MINUTE);
    expect(another.shown).toEqual(['alice: meanwhile']);
    expect(alice.told('joined').at(-1)).toMatchObject({ replaces: true });
    await alice.tell(bob, 'after');
    await office.settle();
    expect(another.shown).toEqual(['alice: meanwhile', 'alice: after']);
    expect(alice.messenger.directWith(bob.account)).toBe(another.messenger.directWith(alice.account));
  });

  it('that begins anew shows nothing twice of what had arrived, when nobody could say so', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    await alice.tell(bob, 'before');
    await office.settle();
    await alice.tell(bob, 'once');
    alice.isOnline = false;
    await office.settle();
    expect(bob.shown).toEqual(['alice: before', 'alice: once']);
    await alice.restart();
    await alice.step((messenger, step) => messenger.beginDirect(bob.account, step, true));
    await alice.online();
    await office.pass(MINUTE);
    expect(alice.queue).toEqual([]);
    expect(bob.shown).toEqual(['alice: before', 'alice: once']);
    await bob.tell(alice, 'here');
    await office.settle();
    expect(alice.shown).toEqual(['bob: here']);
  });

  it('begins anew when the Welcome to it can not be opened', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    await bob.offline();
    await alice.tell(bob, 'hello');
    await office.pass(MINUTE);
    bob.stock.packages.clear();
    await bob.publish(3);
    await bob.online();
    await office.pass(3 * MINUTE);
    expect(bob.shown).toEqual(['alice: hello']);
    expect(alice.queue).toEqual([]);
  });

  describe('that another device of one’s own began anew, without all who were in the one before', () => {
    let alice: Phone;
    let laptop: Phone;
    let bob: Phone;
    let desk: Phone;
    let before: string;

    /** Alice has written to those who are away; then her tablet begins a conversation with one device of each of the others. */
    beforeEach(async () => {
      [alice, laptop, bob, desk] = (await office.people('alice', 'alice/laptop', 'bob', 'bob/desk')) as Four;
      await alice.tell(bob, 'before');
      await office.pass(MINUTE);
      before = alice.messenger.directWith(bob.account)!;
      expectTogether(before, [alice, laptop, bob, desk]);
      for (const away of [laptop, bob, desk]) await away.offline();
      await alice.tell(bob, 'meanwhile');
      await office.pass(MINUTE);
      for (const left of [laptop, desk]) left.stock.packages.clear();
      const tablet = await office.phone('alice/tablet');
      tablet.befriend(bob);
      await tablet.online();
      await tablet.step((messenger, step) => messenger.beginDirect(bob.account, step));
      await office.pass(MINUTE);
      expect(alice.messenger.directWith(bob.account)).not.toBe(before);
      expect(alice.members(alice.messenger.directWith(bob.account)!)).toEqual(['alice', 'alice/tablet', 'bob']);
      // Nobody catches up in the one before: what comes, comes from its author.
      office.loses = ({ kind }) => kind === 'hello' || kind === 'supply';
    });

    const owedBy = (phone: Phone) =>
      [...phone.messenger.unsafeOutbox()]
        .filter(({ kind }) => kind === 'message')
        .flatMap(({ open }) => [...open].map(({ device }) => device));

    it('gives them in the one before what they were owed there, and to nobody twice', async () => {
      expect(owedBy(alice).sort()).toEqual([laptop, bob, bob, desk].map(({ device }) => device).sort());
      for (const back of [laptop, bob, desk]) await back.online();
      await office.pass(MINUTE);
      for (const each of [laptop, bob, desk]) expect([each.name, each.shown]).toEqual([each.name, ['alice: before', 'alice: meanwhile']]);
      expect(owedBy(alice)).toEqual([]);
      expect([...alice.messenger.owed()]).toEqual([]);
    });

    it('owes it in neither to whoever has it from one', async () => {
      let copies = 0;
      office.loses = ({ to, kind }) => kind === 'hello' || kind === 'supply' || (to === bob && kind === 'application' && ++copies > 1);
      await bob.online();
      await office.pass(MINUTE);
      expect(bob.shown).toEqual(['alice: before', 'alice: meanwhile']);
      expect(owedBy(alice)).not.toContain(bob.device);
    });

    it('owes it there still to whoever can not come into the new one', async () => {
      office.answersCannot = ({ to, kind }) => to === bob && kind === 'welcome';
      await bob.online();
      await office.pass(5 * MINUTE);
      expect(bob.shown).toEqual(['alice: before', 'alice: meanwhile']);
    });

    it('seals it again in the one before for whoever can not read it there, though all in the new one have it', async () => {
      await bob.online();
      await office.pass(MINUTE);
      expect(alice.queue).toEqual([]);
      let isFirst = true;
      office.answersCannot = ({ to, kind }) => to === laptop && kind === 'application' && isFirst && !(isFirst = false);
      await desk.online();
      await laptop.online();
      await office.pass(5 * MINUTE);
      expect(laptop.shown).toEqual(['alice: before', 'alice: meanwhile']);
      expect(alice.count('sealed-again')).toBe(1);
      expect([...alice.messenger.owed()]).toEqual([]);
    });

    it('gives it to nobody once it is given up', async () => {
      const [id] = [...alice.messenger.owed()].map(([content]) => content);
      await alice.step((messenger, step) => messenger.discard(id!, step));
      for (const back of [laptop, bob, desk]) await back.online();
      await office.pass(5 * MINUTE);
      for (const each of [laptop, bob, desk]) expect([each.name, each.shown]).toEqual([each.name, ['alice: before']]);
      expect(owedBy(alice)).toEqual([]);
    });

    it('lets in nobody there who has lost it: that is given up', async () => {
      await bob.online();
      await desk.online();
      office.answersCannot = ({ to, kind }) => to === laptop && kind === 'application';
      const was = alice.authenticator(before);
      await laptop.publish(3);
      await laptop.online();
      await office.pass(5 * MINUTE);
      expect(alice.told('given-up')).toMatchObject([{ group: before, device: laptop.device }]);
      expect(alice.authenticator(before)).toBe(was);
      expect([...alice.messenger.owed()]).toEqual([]);
    });
  });

  describe('that was begun anew with what has arrived at nobody', () => {
    let alice: Phone;
    let laptop: Phone;
    let bob: Phone;
    const queued = () => alice.messenger.queue().map(({ status }) => status);

    /** Of the others nobody has a key package. */
    beforeEach(async () => {
      [alice, laptop, bob] = (await office.people('alice', 'alice/laptop', 'bob')) as Trio;
      await alice.tell(bob, 'before');
      await office.pass(MINUTE);
      for (const away of [laptop, bob]) {
        await away.offline();
        away.stock.packages.clear();
      }
      await alice.tell(bob, 'meanwhile');
      await office.pass(MINUTE);
    });

    it('still owes it to the other account when a device of one’s own has it from the one before', async () => {
      await alice.step((messenger, step) => messenger.beginDirect(bob.account, step, true));
      let isFirst = true;
      office.answersCannot = ({ to, kind }) => to === laptop && kind === 'application' && isFirst && !(isFirst = false);
      await laptop.online();
      await office.pass(5 * MINUTE);
      expect(alice.members(alice.messenger.directWith(bob.account)!)).not.toContain('bob');
      expect(laptop.shown).toEqual(['alice: before', 'alice: meanwhile']);
      expect(queued()).toHaveLength(1);
      await bob.online();
      await office.pass(MINUTE);
      expect(bob.shown).toEqual(['alice: before', 'alice: meanwhile']);
      expect(queued()).toEqual([]);
    });

    it('is written to the other account, not to one’s own devices alone', async () => {
      await laptop.publish(3);
      await alice.step((messenger, step) => messenger.beginDirect(bob.account, step, true));
      await office.pass(MINUTE);
      const anew = alice.messenger.directWith(bob.account)!;
      expect(alice.members(anew)).not.toContain('bob');
      await alice.tell(bob, 'anew');
      await office.pass(MINUTE);
      expect(queued()).toHaveLength(2);
      await bob.publish(3);
      await bob.online();
      await laptop.online();
      await office.pass(20 * MINUTE);
      for (const each of [laptop, bob])
        expect([each.name, each.shown]).toEqual([each.name, ['alice: before', 'alice: meanwhile', 'alice: anew']]);
      expect(queued()).toEqual([]);
    });

    it('hands it on in neither once it is given up', async () => {
      for (const each of [laptop, bob]) await each.publish(3);
      await alice.step((messenger, step) => messenger.beginDirect(bob.account, step, true));
      await office.pass(MINUTE);
      const [id] = [...alice.messenger.owed()].map(([content]) => content);
      await alice.step((messenger, step) => messenger.discard(id!, step));
      for (const back of [laptop, bob]) await back.online();
      await office.pass(20 * MINUTE);
      for (const each of [laptop, bob]) expect([each.name, each.shown]).toEqual([each.name, ['alice: before']]);
    });
  });

  it('that was ended is written no more, and a new one can begin', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    await alice.tell(bob, 'hello');
    await office.settle();
    const capabilities = await alice.step((messenger, step) => messenger.endDirect(bob.account, step));
    expect(capabilities).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    expect(alice.messenger.directWith(bob.account)).toBeUndefined();
    expect(alice.messenger.needsNewDirect(bob.account)).toBe(true);
    await alice.restart();
    await alice.online();
    expect(alice.messenger.needsNewDirect(bob.account)).toBe(true);
    await alice.tell(bob, 'again');
    await office.settle();
    expect(bob.shown).toEqual(['alice: hello', 'alice: again']);
  });

  it('that the other end has ended without a word goes over into the one that it begins later, with what was written meanwhile', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    await alice.tell(bob, 'before');
    await office.settle();
    const before = Buffer.from(fromHex(alice.messenger.directWith(bob.account)!));
    bob.contacts.delete(alice.account);
    await bob.step((messenger, step) => messenger.endDirect(alice.account, step));
    // As by tokens that are withdrawn.
    office.loses = ({ to, payload }) => to === bob && Buffer.from(payload).includes(before);
    await alice.tell(bob, 'sealed');
    await office.pass(MINUTE);
    await alice.restart();
    await alice.online();
    await alice.tell(bob, 'waiting');
    await office.pass(MINUTE);
    bob.befriend(alice);
    await bob.step((messenger, step) => messenger.beginDirect(alice.account, step));
    await office.pass(MINUTE);
    expect(bob.shown).toEqual(['alice: before', 'alice: sealed', 'alice: waiting']);
    expect(alice.queue).toEqual([]);
  });

  it('tells nothing to the other end once it is no contact, and what the other said to the own devices that missed it', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    const laptop = await office.phone('alice/laptop');
    laptop.befriend(bob);
    await laptop.online();
    await alice.tell(bob, 'hello');
    await office.pass(MINUTE);
    await laptop.offline();
    await bob.tell(alice, 'good bye');
    await office.settle();
    await bob.offline();
    await alice.tell(bob, 'one more thing');
    await office.pass(MINUTE);
    for (const phone of [alice, laptop]) {
      phone.contacts.delete(bob.account);
      await phone.step((messenger, step) => messenger.endDirect(bob.account, step));
    }
    office.journey.length = 0;
    await bob.online();
    await office.pass(30 * MINUTE);
    await alice.restart();
    await alice.online();
    await laptop.online();
    await office.pass(30 * MINUTE);
    expect(office.journey.filter((each) => each.endsWith('→ bob') && !each.includes(' bob →'))).toEqual([]);
    expect(bob.shown).toEqual(['alice: hello']);
    expect(laptop.shown).toContain('bob: good bye');
    alice.befriend(bob);
    laptop.befriend(bob);
    await alice.step((messenger, step) => messenger.beginDirect(bob.account, step, true));
    await office.pass(MINUTE);
    expect(bob.shown).toEqual(['alice: hello', 'alice: one more thing']);
  });
});
