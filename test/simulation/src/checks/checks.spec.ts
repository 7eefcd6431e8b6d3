import { describe, expect, it } from '@jest/globals';
import { checkEachMessageOnce, type Written } from './each-message-once.js';
import { Ledger, Memory, type Sealing } from './ledger.js';
import { checkNothingLeft } from './nothing-left.js';
import { checkNothingUndone } from './nothing-undone.js';
import { checkOneHead } from './one-head.js';
import { checkSealings } from './sealed-for-members.js';
import type { Sight, Witness } from './sight.js';

const GROUP = 'group0000';
const PEOPLE = ['alice', 'bob', 'carol'];
const member = (name: string) => ({ leaf: `${GROUP}/leaf of ${name}`, device: `device of ${name}`, account: `account of ${name}` });
const devicesOf = (names: readonly string[]) => new Set(names.map((name) => member(name).device));

function sight(name: string, more: Partial<Sight> = {}): Sight {
  return {
    name,
    group: GROUP,
    device: member(name).device,
    head: 'head 1',
    epoch: 7,
    heldFrom: 0,
    authenticator: 'same',
    members: PEOPLE.map(member),
    ownLeaf: member(name).leaf,
    removed: new Set<string>(),
    out: false,
    retired: false,
    hold: undefined,
    pending: undefined,
    intents: [],
    waiting: [],
    owed: [],
    commits: [],
    ...more,
  };
}

function witness(name: string, more: Partial<Witness> = {}, seen: Partial<Sight> = {}): Witness {
  const { device, account } = member(name);
  const sights = [sight(name, seen)];
  const seenRemoved = new Set<string>();
  return {
    name,
    device,
    account,
    dead: false,
    hostile: false,
    sights,
    seenRemoved,
    history: [],
    written: new Set(),
    left: new Set(),
    ...more,
  };
}

const all = (change: (name: string) => Witness | undefined = () => undefined) => PEOPLE.map((name) => change(name) ?? witness(name));
const only = (name: string, changed: Witness) => all((each) => (each === name ? changed : undefined));

describe('one head', () => {
  it('is what devices have that agree', () => {
    expect(checkOneHead(all())).toEqual([]);
  });

  it.each([
    ['another head', { head: 'head 2' }, 'heads differ'],
    ['another authenticator', { authenticator: 'other' }, 'heads differ'],
    ['a leaf that it is not listed with', { ownLeaf: `${GROUP}/older` }, 'bob takes part and is no member'],
    ['seen one removed who is there', { removed: new Set([member('carol').leaf]) }, 'a removed leaf of device device o, as bob knows'],
  ])('is not what they have when one of them has %s', (_, seen, complaint) => {
    expect(checkOneHead(only('bob', witness('bob', {}, seen))).join()).toContain(complaint);
  });

  it('is asked of each part by itself where only the dead knew that one of them was removed', () => {
    const gone = (knew: readonly string[]) =>
      witness('dave', { dead: true, sights: [], seenRemoved: new Set(knew.map((name) => member(name).leaf)) });
    const apart = (seen: Partial<Sight> = {}, ofOthers: Partial<Witness> = {}) =>
      all((name) =>
        name === 'bob'
          ? witness('bob', {}, { head: 'head 2', members: [member('bob')], ...seen })
          : witness(name, ofOthers, { members: [member('alice'), member('carol')] }),
      );
    let excused = 0;
    const check = (witnesses: readonly Witness[]) => checkOneHead(witnesses, () => excused++).join();
    expect([check([...apart(), gone(['bob'])]), excused]).toEqual(['', 1]);
    expect(check(apart())).toContain('heads differ');
    expect(check([...apart(), gone(['alice'])])).toContain('heads differ');
    expect(check([...apart({ members: PEOPLE.map(member) }), gone(['bob'])])).toContain('heads differ');
    for (const hostile of [false, true]) {
      const knows = witness('erin', { hostile, sights: [], seenRemoved: new Set([member('bob').leaf]) });
      expect(check([...apart(), gone(['bob']), knows])).toContain('heads differ');
    }
    expect(excused).toBe(1);
  });

  it('has no member who lives and takes no part', () => {
    const left = only('carol', witness('carol', { sights: [] }));
    expect(checkOneHead(left)).toEqual(['group group000: carol is a member of the head and takes no part']);
    expect(checkOneHead(only('carol', witness('carol', {}, { out: true })))).toHaveLength(1);
    expect(checkOneHead(only('carol', witness('carol', { sights: [], dead: true })))).toEqual([]);
    expect(checkOneHead(only('carol', witness('carol', { hostile: true }, { head: 'its own' })))).toEqual([]);
  });
});

const sealing = (more: Partial<Sealing> = {}): Sealing => ({
  device: member('alice').device,
  group: GROUP,
  state: 'state 1',
  epoch: 3,
  leaf: 'leaf of alice',
  generation: 0,
  content: 'content 1',
  plaintext: 'hello',
  members: PEOPLE.map(member),
  forbidden: [],
  left: true,
  heard: new Map(),
  ...more,
});

describe('each message once', () => {
  const message = (more: Partial<Written> = {}): Written => ({
    content: 'content 1',
    device: member('alice').device,
    group: GROUP,
    plaintext: 'hello',
    discarded: false,
    sealings: [sealing()],
    openedBy: new Set(),
    keptBy: new Map(PEOPLE.map((name) => [member(name).device, devicesOf(PEOPLE)])),
    putBehind: new Set(),
    withoutKey: new Set(),
    ...more,
  });
  const check = (written: readonly Written[], witnesses: readonly Witness[], ledger = new Ledger()) =>
    checkEachMessageOnce(written, witnesses, (leaf) => ledger.successorsOf(leaf));
  const shown = { content: 'content 1', plaintext: 'hello' };
  const wrote = { written: new Set(['content 1']) };
  const arrived = (...names: string[]) =>
    PEOPLE.map((name) => witness(name, { ...(name === 'alice' && wrote), history: names.includes(name) ? [shown] : [] }));

  it('is what everyone has whom it was sealed for', () => {
    expect(check([message()], arrived('bob', 'carol'))).toEqual([]);
  });

  it('is missed where it never came, while its sender is there', () => {
    expect(check([message()], arrived('bob'))).toEqual(['carol never saw content  (epoch 3): its sender alice is there']);
  });

  it('is owed by whoever has it when its sender is gone, and by nobody when no one is left who has it', () => {
    const senderGone = (names: string[]) => arrived(...names).map((each) => (each.name === 'alice' ? { ...each, dead: true } : each));
    expect(check([message()], senderGone(['bob']))).toEqual(['carol never saw content  (epoch 3): its sender is gone, and bob has it']);
    expect(check([message()], senderGone([]))).toEqual([]);
    const withoutKey = new Set([member('carol').device]);
    expect(check([message({ withoutKey })], senderGone(['bob']))).toEqual([]);
    // Bob read it as it was sealed for him alone: that helps nobody else.
    expect(check([message({ keptBy: new Map() })], senderGone(['bob']))).toEqual([]);
    // He read it as it was sealed once more in another group of the same two, where carol is not.
    const keptBy = new Map([[member('bob').device, devicesOf(['alice', 'bob'])]]);
    expect(check([message({ keptBy })], senderGone(['bob']))).toEqual([]);
  });

  it('can be read by no device that nobody can give the commits on the way to where it was sealed', () => {
    const ledger = new Ledger();
    ledger.lineage.set('second', { parent: 'first', commit: 'commit 2', closedTo: new Set() });
    ledger.lineage.set('third', { parent: 'second', commit: 'commit 3', closedTo: new Set() });
    ledger.holds('carol', 'first');
    ledger.holds('bob', 'third');
    const isCutOff = (device: string, ...left: string[]) => ledger.isCutOff(device, sealing({ state: 'third' }), new Set(left));
    expect([isCutOff('carol', 'commit 2', 'commit 3'), isCutOff('carol', 'commit 3'), isCutOff('bob')]).toEqual([false, true, false]);
  });

  it('can be read by no device that a spoilt commit kept out of where it was sealed', () => {
    const ledger = new Ledger();
    ledger.lineage.set('after', { parent: 'spoilt', commit: 'commit 2', closedTo: new Set() });
    ledger.lineage.set('spoilt', { parent: 'before', commit: 'commit 1', closedTo: new Set() });
    ledger.spoilt.set('commit 1', new Set(['carol', 'dave']));
    ledger.holds('dave', 'after');
    const isShutOut = (device: string, state: string) => ledger.isShutOut(device, sealing({ state }));
    expect([isShutOut('carol', 'after'), isShutOut('carol', 'before')]).toEqual([true, false]);
    // Bob never got it, and dave was let in later.
    expect([isShutOut('bob', 'after'), isShutOut('dave', 'after')]).toEqual([false, false]);
  });

  it('is owed by its sender to a device that joined anew, and by nobody else', () => {
    const anew = { ownLeaf: `${GROUP}/newer` };
    const joinedAnew = (sender: Partial<Witness>) => [
      witness('alice', { ...wrote, ...sender }),
      witness('bob', { history: [shown] }),
      witness('carol', {}, anew),
    ];
    expect(check([message()], joinedAnew({}))).toHaveLength(1);
    expect(check([message()], joinedAnew({ dead: true }))).toEqual([]);
  });

  it('is not owed to one who has left, and is back', () => {
    const back = witness('carol', { left: new Set([GROUP]) }, { ownLeaf: `${GROUP}/newer` });
    expect(check([message()], [witness('alice', wrote), witness('bob', { history: [shown] }), back])).toEqual([]);
  });

  it('is not owed to a new leaf by one who was told that the old one had it, or saw the old one removed for good', () => {
    const back = witness('carol', {}, { ownLeaf: `${GROUP}/newer` });
    const others = [witness('alice', wrote), witness('bob', { history: [shown] })];
    const openedBy = new Set([member('carol').device]);
    expect(check([message({ openedBy })], [...others, back])).toEqual([]);
    const removal = witness('bob', { history: [shown] }, { removed: new Set([member('carol').leaf]) });
    expect(check([message()], [others[0]!, removal, back])).toEqual([]);
    expect(check([message()], [...others, back])).toHaveLength(1);
  });

  it('is not owed to one that joined anew, was removed for good after that, and was added once more', () => {
    const ledger = new Ledger();
    const [first, second] = [member('carol').leaf, `${GROUP}/second`];
    ledger.replaces(second, first);
    ledger.replaces(first, second);
    const back = witness('carol', {}, { ownLeaf: `${GROUP}/third` });
    const seen = (removed: string) => [
      witness('alice', wrote),
      witness('bob', { history: [shown] }, { removed: new Set([removed]) }),
      back,
    ];
    expect(check([message()], seen(second), ledger)).toEqual([]);
    expect(check([message()], seen(`${GROUP}/another`), ledger)).toHaveLength(1);
  });

  it('is owed again to the same leaf on an older disk: its keys are back', () => {
    const openedBy = new Set([member('carol').device]);
    expect(check([message({ openedBy })], arrived('bob'))).toHaveLength(1);
  });

  it('is not owed again where the older disk lies before a commit that the device can never process', () => {
    const putBehind = new Set([member('carol').device]);
    expect(check([message({ openedBy: putBehind, putBehind })], arrived('bob'))).toEqual([]);
  });

  it('has no way to a disk that was put back behind a commit of the device or of its rejoin', () => {
    const ledger = new Ledger();
    ledger.lineage.set('second', { parent: 'first', commit: 'commit 2', closedTo: new Set(['carol']) });
    ledger.lineage.set('third', { parent: 'second', commit: 'commit 3', closedTo: new Set() });
    const putBehind = (device: string, ...states: string[]) =>
      ledger.isPutBehind(device, sealing({ state: 'third' }), new Memory(new Set(), new Set(), new Set(states)));
    expect([putBehind('carol', 'first'), putBehind('carol', 'first', 'second'), putBehind('bob', 'first')]).toEqual([true, false, false]);
  });

  it('is not asked for where it was discarded, or never sealed', () => {
    expect(check([message({ discarded: true })], arrived())).toEqual([]);
    expect(check([message({ sealings: [] })], arrived())).toEqual([]);
  });

  it('is not shown twice, altered, or to a device that it was not sealed for', () => {
    const withHistory = (...history: (typeof shown)[]) => [...arrived('bob').slice(0, 2), witness('carol', { history })];
    expect(check([message()], withHistory(shown, shown))).toEqual(['carol was shown content  twice']);
    expect(check([message()], withHistory({ ...shown, plaintext: 'other' }))).toEqual(['carol was shown content , which nobody wrote so']);
    const forBob = message({ sealings: [sealing({ members: [member('alice'), member('bob')] })] });
    expect(check([forBob], withHistory(shown))).toEqual(['carol was shown content , which was never sealed for it']);
  });
});

describe('sealed for members', () => {
  const check = (sealings: Sealing[], opened: Record<string, number> = {}) =>
    checkSealings(
      new Map(sealings.map((each, i) => [`message ${i}`, each])),
      (message, device, at) => message === 'message 0' && (opened[device] ?? Infinity) <= at,
      (device) => device,
    );

  it('is what leaves the device for nobody whom it had seen removed', () => {
    const forbidden = [member('bob').leaf];
    expect(check([sealing({ forbidden })])).toEqual([
      'device of alice sealed content  in epoch 3 for device of bob, whom it had seen removed',
    ]);
    expect(check([sealing({ forbidden, left: false })])).toEqual([]);
  });

  it('is one plaintext for each generation', () => {
    const other = sealing({ content: 'content 2', plaintext: 'other' });
    expect(check([sealing(), sealing()])).toEqual([]);
    expect(check([sealing(), { ...other, generation: 1 }])).toEqual([]);
    expect(check([sealing(), { ...other, state: 'state 2' }])).toEqual([]);
    expect(check([sealing(), other])).toHaveLength(1);
  });

  it('is believed of a device that has heard others, as far as those knew', () => {
    const other = sealing({ content: 'content 2', plaintext: 'other', heard: new Map([['device of bob', 10]]) });
    expect(check([sealing(), other])).toEqual([]);
    expect(check([sealing(), other], { 'device of carol': 5 })).toEqual([]);
    expect(check([sealing(), other], { 'device of bob': 11 })).toEqual([]);
    expect(check([sealing(), other], { 'device of bob': 5 }).join()).toContain('heard device of bob, who had seen the first');
  });
});

describe('nothing undone', () => {
  it('is what devices do that go on from where they had agreed', () => {
    const goes = (...path: string[]) => ({ name: 'bob', path });
    expect(checkNothingUndone('state 2', [goes('state 2', 'state 1'), goes('state 3', 'state 2')])).toEqual([]);
    expect(checkNothingUndone('state 2', [goes('state 9', 'state 1')])).toEqual([
      'bob had agreed upon state 2, and went to a branch without it (state 9)',
    ]);
  });
});

describe('nothing left', () => {
  const check = (witnesses: Witness[]) => checkNothingLeft(witnesses, (account) => account !== 'account of dave');
  const owed = { kind: 'message', device: member('carol').device, content: 'content 1', state: 'state 1' };

  it('is what devices have that are done', () => {
    expect(check(all())).toEqual([]);
  });

  it.each<[string, Partial<Sight>, string]>([
    ['a wish', { intents: [{ kind: 'rename', name: 'new' }] }, 'bob still wants to rename'],
    ['a commit', { pending: 'commit 1' }, 'bob has commit commit 1 on its way'],
    ['a message not sealed', { waiting: [{ content: 'content 1', device: undefined }] }, 'bob still waits with message content '],
    ['something owed', { owed: [owed] }, 'bob still owes message content  to carol'],
  ])('complains of %s', (_, seen, complaint) => {
    expect(check(only('bob', witness('bob', {}, seen))).join()).toContain(complaint);
  });

  it('asks nothing impossible: of the dead, of the unknown, of one who is alone', () => {
    const carolIsDead = witness('carol', { dead: true, sights: [] });
    expect(check([witness('alice'), witness('bob', {}, { owed: [owed] }), carolIsDead])).toEqual([]);
    expect(check(only('bob', witness('bob', {}, { intents: [{ kind: 'add', account: 'account of dave' }] })))).toEqual([]);
    const alone = { members: [member('bob')], waiting: [{ content: 'content 1', device: undefined }] };
    expect(check([witness('bob', {}, alone)])).toEqual([]);
  });
});
