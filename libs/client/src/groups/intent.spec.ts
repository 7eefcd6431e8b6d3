import { describe, expect, it } from '@jest/globals';
import { type GroupData, type Member, newGroupData } from '@sotto/mls';
import { type Head, type Intent, judgeIntent, type PackagesOf, removalsDue } from './intent.js';

/** A leaf of `alice/phone`; `again` names the one after a rejoin. */
function leaf(device: string, again = ''): Member {
  const account = device.split('/')[0]!;
  const identity = { server: 'chat.example', account, accountName: account, device, accountKey: new Uint8Array(32) };
  const id = `leaf of ${device}${again}`;
  return { leaf: 0, id, identity, address: { device, token: new Uint8Array(32), leaf: id }, signatureKey: new Uint8Array(32) };
}

const [alice, bob, carol] = [leaf('alice/phone'), leaf('bob/phone'), leaf('carol/phone')];
const HIKING: GroupData = newGroupData('hiking', 'alice');

function head({ members = [alice, bob, carol], ...more }: Partial<Head> = {}): Head {
  const devices = new Set(members.map(({ identity }) => identity.device));
  return {
    members,
    devices,
    own: alice,
    data: HIKING,
    removed: new Set(),
    refreshed: new Set(),
    lineage: (leaves) => new Set(leaves),
    ...more,
  };
}

const packageOf = (device: string) => new TextEncoder().encode(`package of ${device}`);
const having =
  (...devices: string[]): PackagesOf =>
  (account) => {
    const own = devices.filter((device) => device.startsWith(`${account}/`));
    return own.length === 0
      ? undefined
      : new Map(own.map((device) => [device, { bytes: packageOf(device), leaf: `fresh leaf of ${device}`, token: new Uint8Array() }]));
  };
const none: PackagesOf = () => undefined;
const judge = (intent: Intent, more: Partial<Head> = {}, packages = none) => judgeIntent(intent, head(more), packages);
const MET = { is: 'met' };

describe('that an account is in', () => {
  const add: Intent = { kind: 'add', account: 'dave' };

  it('waits for key packages of its devices', () => {
    expect(judge(add)).toEqual({ is: 'waits', account: 'dave' });
    expect(judge(add, {}, () => new Map())).toEqual({ is: 'waits', account: 'dave', stale: true });
  });

  it('is due for all of its devices that are to be had', () => {
    const both = [packageOf('dave/phone'), packageOf('dave/laptop')];
    expect(judge(add, {}, having('dave/phone', 'dave/laptop'))).toEqual({ is: 'due', add: both, remove: [], refresh: false });
  });

  it('is met by any device of it, without claiming packages only to see that', () => {
    const claimed = () => {
      throw new Error('claimed');
    };
    expect(judge(add, { members: [alice, leaf('dave/phone')] }, claimed)).toEqual(MET);
  });

  it("means all devices of one's own account", () => {
    const own: Intent = { kind: 'add', account: 'alice' };
    expect(judge(own)).toEqual({ is: 'waits', account: 'alice' });
    expect(judge(own, {}, having('alice/laptop'))).toMatchObject({ is: 'due', add: [packageOf('alice/laptop')] });
    expect(judge(own, { members: [alice, leaf('alice/laptop')] }, having('alice/laptop'))).toEqual(MET);
    expect(judge(own, {}, () => new Map())).toEqual(MET);
  });

  it('is not made true by a package whose leaf was removed on some branch', () => {
    expect(judge(add, { removed: new Set(['fresh leaf of dave/phone']) }, having('dave/phone'))).toEqual(MET);
  });
});

describe('that leaves are out', () => {
  it('is due as long as one of them is there, and met then', () => {
    const remove: Intent = { kind: 'remove', leaves: [bob.id, carol.id] };
    expect(judge(remove)).toMatchObject({ is: 'due', add: [], remove: [bob, carol] });
    expect(judge(remove, { members: [alice, carol] })).toMatchObject({ is: 'due', remove: [carol] });
    expect(judge(remove, { members: [alice] })).toEqual(MET);
  });

  it('means the leaf by which a device has rejoined since, and not one by which it was added again', () => {
    const again = leaf('bob/phone', ', again');
    const remove: Intent = { kind: 'remove', leaves: [bob.id] };
    const lineage = (leaves: readonly string[]) => new Set([...leaves, ...(leaves.includes(bob.id) ? [again.id] : [])]);
    expect(judge(remove, { members: [alice, again], lineage })).toMatchObject({ is: 'due', remove: [again] });
    expect(judge(remove, { members: [alice, again] })).toEqual(MET);
  });

  it('is nothing that a device can do to itself', () => {
    expect(judge({ kind: 'remove', leaves: [alice.id] })).toEqual(MET);
  });
});

describe('a name', () => {
  it('is due while the group has another, and keeps the rest as it is', () => {
    expect(judge({ kind: 'rename', name: 'biking' })).toMatchObject({ is: 'due', data: { ...HIKING, name: 'biking' } });
    expect(judge({ kind: 'rename', name: 'hiking' })).toEqual(MET);
  });
});

describe('a role', () => {
  it('is given and taken, and met when it is as wished', () => {
    const both: GroupData = { ...HIKING, accounts: ['alice', 'bob'] };
    expect(judge({ kind: 'role', account: 'bob', admin: true })).toMatchObject({ is: 'due', data: both });
    expect(judge({ kind: 'role', account: 'bob', admin: true }, { data: both })).toEqual(MET);
    expect(judge({ kind: 'role', account: 'bob', admin: false }, { data: both })).toMatchObject({ is: 'due', data: HIKING });
    expect(judge({ kind: 'role', account: 'bob', admin: false })).toEqual(MET);
  });
});

describe('a rejoin', () => {
  const keyPackage = packageOf('bob/phone');
  const rejoin: Intent = { kind: 'rejoin', account: 'bob', device: 'bob/phone', leaf: bob.id, keyPackage };

  it('replaces the leaf that asked by a fresh one, in one commit', () => {
    expect(judge(rejoin)).toEqual({ is: 'due', add: [keyPackage], remove: [bob], refresh: false });
  });

  it('is met when somebody else has helped before', () => {
    expect(judge(rejoin, { members: [alice, leaf('bob/phone', ', again'), carol] })).toEqual(MET);
  });

  it('lets in a device that only a losing branch had let in', () => {
    expect(judge(rejoin, { members: [alice, carol] })).toMatchObject({ is: 'due', add: [keyPackage], remove: [] });
  });

  it('brings nobody back who was removed', () => {
    expect(judge(rejoin, { members: [alice, carol], removed: new Set([bob.id]) })).toEqual(MET);
    expect(judge(rejoin, { removed: new Set([bob.id]) })).toEqual(MET);
    const newLeaf = 'new leaf';
    expect(judge({ ...rejoin, newLeaf }, { members: [alice, carol], removed: new Set([newLeaf]) })).toEqual(MET);
  });
});

describe('another leaf for a device that has lost its keys', () => {
  const replace: Intent = { kind: 'replace', account: 'bob', device: 'bob/phone', leaf: bob.id };

  it('waits for a key package of that very device', () => {
    expect(judge(replace)).toEqual({ is: 'waits', account: 'bob' });
    expect(judge(replace, {}, having('bob/laptop'))).toEqual({ is: 'waits', account: 'bob', stale: true });
    const unused: PackagesOf = () => new Map([['bob/phone', { bytes: packageOf('bob/phone'), leaf: bob.id, token: new Uint8Array() }]]);
    expect(judge(replace, {}, unused)).toEqual({ is: 'waits', account: 'bob', stale: true, unused: bob.id });
  });

  it('is due with it, and met once the old leaf is gone or on its way out', () => {
    const packages = having('bob/laptop', 'bob/phone');
    expect(judge(replace, {}, packages)).toEqual({ is: 'due', add: [packageOf('bob/phone')], remove: [bob], refresh: false });
    expect(judge(replace, { members: [alice, carol] }, packages)).toEqual(MET);
    expect(judge(replace, { removed: new Set([bob.id]) }, packages)).toEqual(MET);
  });
});

describe('fresh keys', () => {
  it('are due until a commit on the way to the head has made them', () => {
    expect(judge({ kind: 'refresh', id: 'r1' })).toEqual({ is: 'due', add: [], remove: [], refresh: true });
    expect(judge({ kind: 'refresh', id: 'r1' }, { refreshed: new Set(['r2']) })).toMatchObject({ is: 'due' });
    expect(judge({ kind: 'refresh', id: 'r1' }, { refreshed: new Set(['r1']) })).toEqual(MET);
  });
});

describe('leaves that any branch removes', () => {
  it('are due before all else while the head has them, but never the own one', () => {
    expect(removalsDue(head({ removed: new Set([bob.id, 'a leaf that is not there']) }))).toEqual([bob]);
    expect(removalsDue(head({ removed: new Set([alice.id]) }))).toEqual([]);
    expect(removalsDue(head())).toEqual([]);
  });
});
