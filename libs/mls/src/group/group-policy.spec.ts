import { describe, expect, it } from '@jest/globals';
import type { Member } from '../member.js';
import { directData, type GroupData, newGroupData } from './group-data.js';
import { adminsOf, hasRight, judgeChange, MOST_LEAVES, type ProposedChange } from './group-policy.js';

const ids = new Map<string, string>();
/** 16 bytes in hex, the same for the same words. */
const id = (words: string) => {
  if (!ids.has(words)) ids.set(words, (ids.size + 1).toString(16).padStart(32, '0'));
  return ids.get(words)!;
};
const keyOf = (name: string) => new Uint8Array(32).fill(Number.parseInt(id(name).slice(-2), 16));

/** A leaf of somebody's device: `member('bob')`, `member('bob', 'laptop')`; with `again` the leaf after a rejoin. */
function member(name: string, device = 'phone', again = ''): Member {
  const identity = {
    server: 'chat.example',
    account: id(name),
    accountName: name,
    device: id(`${name} ${device}`),
    accountKey: keyOf(name),
  };
  const leaf = id(`${name} ${device} ${again}`);
  return {
    leaf: 0,
    id: leaf,
    identity,
    address: { device: identity.device, token: new Uint8Array(32), leaf },
    signatureKey: keyOf(device),
  };
}

const group = (...members: Member[]) => members.map((each, leaf) => ({ ...each, leaf }));
const HIKING = newGroupData('hiking', id('alice'));
const [alice, bob, carol, dave] = ['alice', 'bob', 'carol', 'dave'].map((name) => member(name)) as [Member, Member, Member, Member];
const ALL = group(alice, bob, carol);

function judge(change: Partial<ProposedChange>): string | undefined {
  const data = change.data ?? HIKING;
  return judgeChange({
    author: alice,
    before: ALL,
    data,
    added: [],
    removed: [],
    dataAfter: data,
    left: new Set(),
    removedElsewhere: new Set(),
    addedElsewhere: new Set(),
    ...change,
  });
}

describe('adding', () => {
  it('is for admins, unless the group lets every member', () => {
    expect(judge({ author: alice, added: [dave] })).toBeUndefined();
    expect(judge({ author: bob, added: [dave] })).toBe('only admins add');
    expect(judge({ author: bob, added: [dave], data: { ...HIKING, mayAdd: 'members' } })).toBeUndefined();
  });

  it('a further device of a member is for everyone: its account has signed it', () => {
    expect(judge({ author: bob, added: [member('carol', 'laptop')] })).toBeUndefined();
  });

  it('a device under another key of a known account is refused, whoever does it', () => {
    const laptop = member('carol', 'laptop');
    const forged = { ...laptop, identity: { ...laptop.identity, accountKey: keyOf('mallory') } };
    expect(judge({ author: alice, added: [forged] })).toBe('another key for a known account');
    const longer = { ...laptop, identity: { ...laptop.identity, accountKey: Uint8Array.of(...laptop.identity.accountKey, 0) } };
    expect(judge({ author: alice, added: [longer] })).toBe('another key for a known account');
  });

  it('is repeated by anyone, on this branch, for an account that another branch has let in', () => {
    const addedElsewhere = new Set([id('dave')]);
    expect(judge({ author: bob, added: [dave], addedElsewhere })).toBeUndefined();
    expect(judge({ author: bob, added: [dave, member('erin')], addedElsewhere })).toBe('only admins add');
  });

  it('judges each of several by itself', () => {
    expect(judge({ author: bob, added: [member('carol', 'laptop'), dave] })).toBe('only admins add');
  });

  it('ends where a Welcome would not travel any more', () => {
    const full = group(alice, ...Array.from({ length: MOST_LEAVES - 1 }, (_, i) => member(`member ${i}`)));
    expect(judge({ before: full, added: [dave] })).toBe('too many devices');
    expect(judge({ before: full, added: [dave], removed: [full[5]!] })).toBeUndefined();
    expect(judge({ before: full.slice(0, -1), added: [dave] })).toBeUndefined();
  });
});

describe('removing', () => {
  it('is for admins', () => {
    expect(judge({ author: alice, removed: [bob] })).toBeUndefined();
    expect(judge({ author: bob, removed: [carol] })).toBe('only admins remove');
  });

  it('is for every member where the group lets them, but never of an admin', () => {
    const data: GroupData = { ...HIKING, mayRemove: 'members' };
    expect(judge({ author: bob, removed: [carol], data })).toBeUndefined();
    expect(judge({ author: bob, removed: [alice], data })).toBe('only admins remove');
    expect(judge({ author: bob, removed: [carol, alice], data })).toBe('only admins remove');
    const two: GroupData = { ...data, accounts: [id('alice'), id('bob')] };
    expect(judge({ author: bob, removed: [alice], data: two })).toBeUndefined();
  });

  it("of one's own other devices needs no leave", () => {
    const laptop = member('bob', 'laptop');
    expect(judge({ author: bob, before: group(alice, bob, laptop), removed: [laptop] })).toBeUndefined();
  });

  it('may be done by anyone for a leaf whose owner has signed that it leaves', () => {
    expect(judge({ author: bob, removed: [carol], left: new Set([carol.id]) })).toBeUndefined();
    expect(judge({ author: bob, removed: [alice], left: new Set([carol.id]) })).toBe('only admins remove');
  });

  it('is repeated by anyone where a commit of another branch has done it', () => {
    expect(judge({ author: bob, removed: [alice], removedElsewhere: new Set([alice.id]) })).toBeUndefined();
    expect(judge({ author: bob, removed: [alice], removedElsewhere: new Set([carol.id]) })).toBe('only admins remove');
  });

  it('together with an Add of the same device is a rejoin, which anyone may carry out', () => {
    expect(judge({ author: bob, removed: [carol], added: [member('carol', 'phone', 'again')] })).toBeUndefined();
    expect(judge({ author: bob, removed: [alice], added: [member('alice', 'phone', 'again')] })).toBeUndefined();
  });

  it('is no rejoin where another device, or the same device of another account, is added', () => {
    expect(judge({ author: bob, removed: [carol], added: [member('carol', 'laptop')] })).toBe('only admins remove');
    const stolen = member('bob', 'laptop');
    const sameDevice = { ...stolen, identity: { ...stolen.identity, device: carol.identity.device } };
    expect(judge({ author: bob, removed: [carol], added: [sameDevice] })).toBe('only admins remove');
  });
});

describe('names, roles and rights', () => {
  const admins: GroupData = { ...HIKING, mayRename: 'admins' };

  it('a new name is for whoever may rename', () => {
    expect(judge({ author: bob, dataAfter: { ...HIKING, name: 'biking' } })).toBeUndefined();
    expect(judge({ author: bob, data: admins, dataAfter: { ...admins, name: 'biking' } })).toBe('only admins rename');
    expect(judge({ author: alice, data: admins, dataAfter: { ...admins, name: 'biking' } })).toBeUndefined();
  });

  it('admins name admins, and give rights; others do not, not even beside a new name', () => {
    const promoted: GroupData = { ...HIKING, accounts: [id('alice'), id('bob')] };
    expect(judge({ author: alice, dataAfter: promoted })).toBeUndefined();
    expect(judge({ author: bob, dataAfter: promoted })).toBe('only admins change roles and rights');
    expect(judge({ author: bob, dataAfter: { ...promoted, name: 'biking' } })).toBe('only admins change roles and rights');
    for (const right of ['mayAdd', 'mayRemove', 'mayRename'] as const) {
      const changed: GroupData = { ...HIKING, [right]: HIKING[right] === 'admins' ? 'members' : 'admins' };
      expect(judge({ author: alice, dataAfter: changed })).toBeUndefined();
      expect(judge({ author: bob, dataAfter: changed })).toBe('only admins change roles and rights');
    }
  });

  it('a group never becomes a direct conversation', () => {
    expect(judge({ author: alice, dataAfter: { ...HIKING, kind: 'direct' } })).toBe('a group stays what it is');
  });

  it('are judged as the parent had them: who is promoted by a commit may do nothing in it', () => {
    expect(judge({ author: bob, added: [dave], dataAfter: { ...HIKING, accounts: [id('bob')] } })).toBe('only admins add');
    const seized: GroupData = { ...admins, name: 'biking', accounts: [id('bob')] };
    expect(judge({ author: bob, data: admins, dataAfter: seized })).toBe('only admins rename');
  });
});

describe('a group whose admins are gone', () => {
  it('is led by the account of its lowest leaf, so that it is not locked for ever', () => {
    const rest = group(carol, bob);
    expect(adminsOf(HIKING, rest)).toEqual(new Set([id('carol')]));
    expect(judge({ author: carol, before: rest, added: [dave] })).toBeUndefined();
    expect(judge({ author: bob, before: rest, added: [dave] })).toBe('only admins add');
    expect(judge({ author: carol, before: rest, dataAfter: { ...HIKING, accounts: [id('bob')] } })).toBeUndefined();
  });

  it('is led by an admin again as soon as one is there', () => {
    expect(adminsOf(HIKING, group(carol, alice))).toEqual(new Set([id('alice')]));
    expect(hasRight('admins', id('carol'), HIKING, group(carol, alice))).toBe(false);
    expect(hasRight('members', id('carol'), HIKING, group(carol, alice))).toBe(true);
  });

  it('of nobody is led by nobody', () => {
    expect(adminsOf(HIKING, [])).toEqual(new Set());
  });
});

describe('a direct conversation', () => {
  const direct = directData([id('alice'), id('bob')]);
  const before = group(alice, bob);

  it('takes in devices of its two accounts, also the first of one', () => {
    expect(judge({ author: alice, data: direct, before, added: [member('bob', 'laptop'), member('alice', 'laptop')] })).toBeUndefined();
    expect(judge({ author: alice, data: direct, before: group(alice), added: [bob] })).toBeUndefined();
  });

  it('takes in no third account, not even one that another branch let in', () => {
    const refused = 'a third account in a direct conversation';
    expect(judge({ author: alice, data: direct, before, added: [carol] })).toBe(refused);
    expect(judge({ author: alice, data: direct, before, added: [carol], addedElsewhere: new Set([id('carol')]) })).toBe(refused);
  });

  it('lets nobody remove the other end, whoever made it', () => {
    expect(judge({ author: alice, data: direct, before, removed: [bob] })).toBe('nobody removes the other end');
    expect(judge({ author: bob, data: direct, before, removed: [alice] })).toBe('nobody removes the other end');
  });

  it('lets each end remove its own lost devices, and renew a device of the other that asked', () => {
    const laptop = member('alice', 'laptop');
    expect(judge({ author: alice, data: direct, before: group(alice, bob, laptop), removed: [laptop] })).toBeUndefined();
    expect(judge({ author: alice, data: direct, before, removed: [bob], added: [member('bob', 'phone', 'again')] })).toBeUndefined();
    expect(judge({ author: alice, data: direct, before, removed: [bob], left: new Set([bob.id]) })).toBeUndefined();
  });

  it('has no name, and stays between the two', () => {
    expect(judge({ author: alice, data: direct, before, dataAfter: { ...direct, name: 'us' } })).toBe('only admins rename');
    const open: GroupData = { ...direct, mayRename: 'members' };
    expect(judge({ author: alice, data: open, before, dataAfter: { ...open, name: 'us' } })).toBe('only admins rename');
    const others = directData([id('alice'), id('carol')]);
    expect(judge({ author: alice, data: direct, before, dataAfter: others })).toBe('a group stays what it is');
    expect(judge({ author: alice, data: direct, before, dataAfter: { ...direct, kind: 'group' } })).toBe('a group stays what it is');
    expect(judge({ author: alice, data: direct, before, dataAfter: { ...direct, mayAdd: 'members' } })).toBe('a group stays what it is');
  });
});
