import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Phone, PostOffice } from './post-office.harness.js';

// Real keys for everybody, and hours that pass: seconds on a machine that has time.
jest.setTimeout(120_000);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

type Four = [Phone, Phone, Phone, Phone];

let office: PostOffice;
let alice: Phone;
let bob: Phone;
let carol: Phone;
let dave: Phone;

beforeEach(async () => {
  office = new PostOffice();
  [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
});

const hellosTo = ({ name }: Phone) => office.journey.filter((each) => each === `hello dave → ${name}`).length;

describe('a member who is there and seems to be away', () => {
  it('is asked for what is missing', async () => {
    const hiking = await alice.createGroup('hiking', bob, dave);
    await office.pass(MINUTE);
    bob.isInvisible = true;
    office.loses = ({ to }) => to === dave;
    await alice.wish(hiking, { kind: 'rename', name: 'biking' });
    await office.settle();
    await alice.die();
    office.loses = () => false;
    await bob.say(hiking, 'on bikes');
    await office.pass(MINUTE);
    expect(dave.shown).toEqual(['bob: on bikes']);
  });

  it('does not keep others from being asked, nor is asked for ever more often than now and then', async () => {
    const hiking = await alice.createGroup('hiking', bob, carol, dave);
    await office.pass(MINUTE);
    bob.isInvisible = true;
    office.loses = ({ to, kind }) => to === dave && kind !== 'application';
    await alice.wish(hiking, { kind: 'rename', name: 'biking' });
    await office.settle();
    await alice.die();
    await carol.say(hiking, 'on bikes');
    const before = hellosTo(bob);
    await office.pass(10 * MINUTE);
    expect(hellosTo(carol)).toBeGreaterThan(0);
    expect(hellosTo(bob) - before).toBeGreaterThan(2);
    expect(hellosTo(bob) - before).toBeLessThan(10);
  });

  it('is asked when it has committed on another branch, though nothing waits and nothing is missing', async () => {
    const hiking = await alice.createGroup('hiking', bob, carol);
    await office.pass(MINUTE);
    for (const phone of [alice, bob]) phone.isInvisible = true;
    office.forgetsSlots = true;
    office.loses = ({ to, kind }) => to === bob && kind === 'commit';
    for (const phone of [alice, carol]) {
      await phone.wish(hiking, { kind: 'rename', name: `of ${phone.name}` });
      await office.settle();
    }
    await carol.die();
    await bob.wish(hiking, { kind: 'rename', name: 'of bob' });
    await office.settle();
    const names = () => [alice, bob].map((phone) => phone.view(hiking).data.name);
    expect(names()).toEqual(['of carol', 'of bob']);
    await office.pass(HOUR, 5 * SECOND);
    expect(alice.authenticator(hiking)).toBe(bob.authenticator(hiking));
  });

  it('is asked when it was about to leave another branch as it last spoke, though nothing waits and nothing is missing', async () => {
    const hiking = await alice.createGroup('hiking', bob, dave);
    const holds = () => [alice, bob, dave].map((phone) => phone.view(hiking).hold);
    const isOf = (each: Phone, { from, to }: { from: Phone; to: Phone }) => from === each || to === each;
    await office.pass(MINUTE);
    office.forgetsSlots = true;
    office.loses = (parcel) => isOf(dave, parcel);
    // Too far to be compared, and the one of dave is the longer branch.
    for (const [phone, times] of [
      [alice, 18],
      [dave, 19],
    ] as const)
      for (let i = 0; i < times; i++) {
        await phone.wish(hiking, { kind: 'rename', name: `${i} of ${phone.name}` });
        await office.settle();
      }
    const isCommit = (parcel: { from: Phone; to: Phone; kind: string }) => isOf(dave, parcel) && ['commit', 'supply'].includes(parcel.kind);
    // Bob, who has heard nobody since his start, would follow dave, and says so.
    await bob.restart();
    office.loses = (parcel) => isCommit(parcel) || isOf(alice, parcel) || (parcel.from === dave && bob.view(hiking).hold === 'rejoin');
    await bob.online();
    await office.pass(MINUTE);
    expect(holds()).toEqual([undefined, 'rejoin', undefined]);
    // With alice there are two against one, but dave hears of her alone.
    office.loses = (parcel) => isOf(dave, parcel);
    await office.pass(MINUTE);
    office.loses = (parcel) => isCommit(parcel) || isOf(bob, parcel);
    await office.pass(MINUTE);
    expect(holds()).toEqual([undefined, undefined, undefined]);
    for (const phone of [alice, bob, dave]) phone.isInvisible = true;
    office.loses = isCommit;
    await office.pass(HOUR, 5 * SECOND);
    for (const phone of [bob, dave]) expect([phone.name, phone.authenticator(hiking)]).toEqual([phone.name, alice.authenticator(hiking)]);
  });

  it('is found to know nothing of the group when its Welcome is lost with its author', async () => {
    const hiking = await alice.createGroup('hiking', bob);
    await office.pass(MINUTE);
    dave.isInvisible = true;
    office.loses = ({ to, kind }) => to === dave && kind === 'welcome';
    await alice.add(hiking, dave);
    await office.settle();
    await alice.die();
    office.loses = () => false;
    await office.pass(3 * HOUR, 5 * SECOND);
    expect(dave.told('joined')).toHaveLength(1);
    await dave.say(hiking, 'here I am');
    await office.settle();
    expect(bob.shown).toEqual(['dave: here I am']);
  });

  it('is found to have been put back to before the group, though nobody misses anything', async () => {
    const backup = await dave.backup();
    const hiking = await bob.createGroup('hiking', dave);
    await office.pass(MINUTE);
    dave.isInvisible = true;
    await dave.restore(backup);
    await dave.online();
    await office.pass(3 * HOUR, 10 * SECOND);
    await dave.say(hiking, 'here I am');
    await office.settle();
    expect(bob.shown).toEqual(['dave: here I am']);
  });

  it('is greeted when its Welcome is lost with its author, and comes in within minutes', async () => {
    const hiking = await alice.createGroup('hiking', bob);
    await office.pass(MINUTE);
    dave.isInvisible = true;
    office.loses = ({ to, kind }) => to === dave && kind === 'welcome';
    await alice.add(hiking, dave);
    await office.settle();
    await alice.die();
    office.loses = () => false;
    await office.pass(10 * MINUTE);
    expect(dave.told('joined')).toHaveLength(1);
    await dave.say(hiking, 'here I am');
    await office.settle();
    expect(bob.shown).toEqual(['dave: here I am']);
  });

  it('is greeted ever more rarely while it is away, and soon after it has come', async () => {
    const hiking = await alice.createGroup('hiking', bob);
    await office.pass(MINUTE);
    office.loses = ({ to, kind }) => to === dave && kind === 'welcome';
    await alice.add(hiking, dave);
    await office.settle();
    await alice.die();
    await dave.offline();
    office.loses = () => false;
    await office.pass(12 * HOUR, 10 * SECOND);
    expect(bob.count('greeted')).toBeGreaterThan(4);
    expect(bob.count('greeted')).toBeLessThan(14);
    await dave.online();
    await office.pass(5 * MINUTE);
    expect(dave.told('joined')).toHaveLength(1);
  });
});

describe('two who are there and seem to be away to each other', () => {
  it('meet again when one is put back to a time before the other withdrew its token', async () => {
    const hiking = await bob.createGroup('hiking', carol, dave);
    await office.pass(MINUTE);
    const backup = await dave.backup();
    await bob.remove(hiking, carol);
    await office.pass(3 * DAY, HOUR);
    expect(bob.revoked.size).toBeGreaterThan(0);
    await carol.die();
    [bob.isInvisible, dave.isInvisible] = [true, true];
    dave.revoked.clear();
    await dave.restore(backup);
    await dave.online();
    await dave.say(hiking, 'here I am');
    await office.pass(6 * HOUR, 5 * SECOND);
    expect(bob.shown).toEqual(['dave: here I am']);
  });
});

describe('members who are away', () => {
  it('are not asked for an hour where nothing waits, and then ever more rarely: most of a device’s conversations are so', async () => {
    await alice.createGroup('hiking', bob);
    await office.pass(MINUTE);
    await bob.offline();
    await alice.restart();
    await alice.online();
    let sent = 0;
    office.ignores = ({ from, to, kind }) => {
      if (from === alice && to === bob && kind === 'hello') sent++;
      return false;
    };
    await office.pass(HOUR - MINUTE, 5 * SECOND);
    expect(sent).toBe(0);
    await office.pass(DAY, MINUTE);
    expect(sent).toBeGreaterThan(2);
    expect(sent).toBeLessThan(7);
  });

  it('are asked at once when they come, however long they were asked in vain', async () => {
    const hiking = await alice.createGroup('hiking', bob);
    await office.pass(MINUTE);
    await bob.offline();
    await alice.restart();
    await alice.online();
    await alice.say(hiking, 'is anybody there?');
    await office.pass(3 * HOUR, 5 * SECOND);
    await bob.online();
    await office.pass(5 * SECOND);
    expect(bob.shown).toEqual(['alice: is anybody there?']);
  });
});

describe('a member of whom nobody tells whether it is there', () => {
  it('is asked in turn like those who are there: another device of the own account is never told of', async () => {
    const laptop = await office.phone('dave/laptop');
    for (const phone of [alice, bob, carol]) laptop.befriend(phone);
    await laptop.online();
    await alice.createGroup('hiking', bob, carol, dave);
    await office.pass(MINUTE);
    const before = hellosTo(laptop);
    await office.pass(2 * HOUR, 10 * SECOND);
    expect(hellosTo(laptop) - before).toBeGreaterThan(1);
  });
});
