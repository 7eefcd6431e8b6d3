import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fromBinary } from '@bufbuild/protobuf';
import { EnvelopeSchema, toHex } from '@sotto/protocol';
import { commitEnvelope } from '../groups/sealing.js';
import { bundles } from '../groups/supply.js';
import { type Letter, type Phone, PostOffice } from './post-office.harness.js';

// Real keys for everybody.
jest.setTimeout(60_000);

const MINUTE = 60_000;
const HANDLE = 7n;

let office: PostOffice;
let alice: Phone;
let bob: Phone;
let hiking: string;
/** States on which bob has built commits, or in which he has sealed messages, that he handed over. */
let usedByBob: Set<string>;

beforeEach(async () => {
  office = new PostOffice();
  [alice, bob] = (await office.people('alice', 'bob', 'carol')) as [Phone, Phone];
  hiking = await alice.createGroup('hiking', ...office.phones.slice(1));
  await office.pass(MINUTE);
  usedByBob = new Set();
  office.ignores = (letter) => letter.from === bob && isNoted(letter);
});

const branchesOf = (phone: Phone) => phone.messenger.unsafeGroup(hiking)!.core.branches;

function isNoted({ payload }: Letter): boolean {
  const { kind } = fromBinary(EnvelopeSchema, payload);
  if (kind.case === 'commit') usedByBob.add(toHex(kind.value.parent));
  else if (kind.case === 'application') usedByBob.add(toHex(kind.value.state));
  return kind.case === 'commit' || kind.case === 'application';
}

/** The names that alice gives the group while bob hears of nothing. Returns her commits, in their order. */
async function renamed(...names: string[]): Promise<Uint8Array[]> {
  const before = branchesOf(alice).head;
  office.loses = ({ to }) => to === bob;
  for (const name of names) {
    await alice.wish(hiking, { kind: 'rename', name });
    await office.settle();
  }
  const { tree, commits, head } = branchesOf(alice);
  const path = tree.path(head);
  const made = path.slice(0, path.indexOf(before)).reverse();
  return made.map((id) => commitEnvelope(commits.get(id)!.node.parent, commits.get(id)!.bytes));
}

describe('a supply', () => {
  it('is taken in as a whole before anything is committed', async () => {
    const stale = branchesOf(bob).head;
    await bob.wish(hiking, { kind: 'refresh', id: 'ab'.repeat(16) });
    await office.settle();
    const commits = await renamed('walking', 'running', 'flying');
    expect(commits).toHaveLength(3);
    const [supply] = [...bundles(hiking, commits)];
    await bob.deliver(HANDLE, supply!);
    await office.settle();
    expect(branchesOf(bob).head).toBe(branchesOf(alice).head);
    expect([...usedByBob]).toEqual([stale, branchesOf(alice).head]);
  });

  it('is taken in as a whole before anything is sealed', async () => {
    const stale = branchesOf(bob).head;
    const content = await bob.say(hiking, 'hello');
    await office.settle();
    const [supply] = [...bundles(hiking, await renamed('walking', 'running', 'flying'))];
    await bob.step((messenger) => messenger.unsafeGroup(hiking)!.sealLater(content));
    await bob.deliver(HANDLE, supply!);
    await office.settle();
    expect([...usedByBob]).toEqual([stale, branchesOf(alice).head]);
  });

  it('is taken in as far as it can be read', async () => {
    const commits = await renamed('walking', 'running');
    const [supply] = [...bundles(hiking, [new Uint8Array(), commits[0]!, Uint8Array.of(1, 2, 3), commits[1]!])];
    await bob.deliver(HANDLE, supply!);
    expect(bob.view(hiking).data.name).toBe('running');
  });
});
