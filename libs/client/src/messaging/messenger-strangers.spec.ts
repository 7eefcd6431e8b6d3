import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { directData, encodeGroupData, type GroupState, type MlsEngine, newGroupData, type OwnKeyPackage } from '@sotto/mls';
import { nodeProvider } from '@sotto/mls/node';
import { CommitAuthenticatedDataSchema, EnvelopeSchema, fromHex, GreetingSchema, HelloSchema, Outcome, toHex } from '@sotto/protocol';
import { randomBytes } from 'node:crypto';
import { itThoroughly } from '@sotto/testing/thoroughly';
import { sealHello } from '../groups/hello.js';
import { GREETING_LABEL } from '../groups/rejoining.js';
import { GROUP_RULES } from '../groups/group-rules.js';
import type { LaterRecord } from '../groups/later.js';
import { COLLECTIONS, idOf, type Letter, type Phone, PostOffice } from './post-office.harness.js';
import { expectTogether } from './together.harness.js';

// Real keys for everybody, and hours that pass: seconds on a machine that has time.
jest.setTimeout(120_000);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

let office: PostOffice;
beforeEach(() => {
  office = new PostOffice();
});

type Trio = [Phone, Phone, Phone];
type Four = [Phone, Phone, Phone, Phone];
type Kind = MessageInitShape<typeof EnvelopeSchema>['kind'];

const envelope = (kind: Kind) => toBinary(EnvelopeSchema, create(EnvelopeSchema, { kind }));
const random = (length: number) => new Uint8Array(randomBytes(length));
const core = (phone: Phone, group: string) => phone.messenger.unsafeGroup(group)!.core;

function stateOf(phone: Phone, group: string): GroupState {
  const { branches } = core(phone, group);
  return branches.state(branches.head)!;
}

/** To somebody's device, by the token that stands in its leaf or key package. */
function post(from: Phone, to: Phone, payload: Uint8Array, token: Uint8Array, held = true): void {
  office.take(from, { id: toHex(random(16)), recipients: [{ device: to.device, token }], payload, held });
}

/** The token under which members of the group reach each other. */
function tokenOf(of: Phone, group: string): Uint8Array {
  return of.view(group).members.find(({ identity }) => identity.device === of.device)!.address.token;
}

/** A key package of the victim, as a contact can claim one. */
async function claimed(of: Phone): Promise<{ bytes: Uint8Array; token: Uint8Array }> {
  const { bytes } = of.handOut()!;
  const { address } = await of.engine.readKeyPackage(bytes, Math.floor(office.now / SECOND));
  return { bytes, token: address.token };
}

async function ownPackage(engine: MlsEngine): Promise<OwnKeyPackage> {
  const seconds = Math.floor(office.now / SECOND);
  return engine.generateKeyPackage({ token: random(32), lifetime: { notBefore: seconds - 60, notAfter: seconds + 3_600 } });
}

async function commitOf(phone: Phone, group: string, changes: Parameters<MlsEngine['commit']>[1], right = {}) {
  const authenticatedData = toBinary(CommitAuthenticatedDataSchema, create(CommitAuthenticatedDataSchema, right));
  const { commit } = await phone.engine.commit(stateOf(phone, group), changes, Math.floor(office.now / SECOND), authenticatedData);
  return envelope({ case: 'commit', value: { parent: fromHex(core(phone, group).head), message: commit } });
}

/** Of all records on its disk. */
async function bytesOf({ store }: Phone): Promise<number> {
  let bytes = 0;
  for (const collection of COLLECTIONS) for (const { length } of (await store.load(collection)).values()) bytes += length;
  return bytes;
}

async function expectTalking(group: string, phones: readonly Phone[]): Promise<void> {
  for (const phone of phones) {
    const words = `still here: ${phone.name} ${office.now}`;
    await phone.say(group, words);
    await office.pass(10 * SECOND);
    for (const other of phones) if (other !== phone) expect(other.shown.at(-1)).toBe(`${phone.name}: ${words}`);
  }
}

describe('what is no message', () => {
  it('is answered, and harms nothing that comes with it', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    const hiking = await alice.createGroup('hiking', bob);
    const empty = new Uint8Array();
    const kinds: Kind[] = [
      { case: 'welcome', value: {} },
      { case: 'welcome', value: { welcome: random(50), commit: { parent: random(16), message: random(50) } } },
      { case: 'application', value: {} },
      { case: 'application', value: { state: random(16), message: random(200) } },
      { case: 'commit', value: { parent: empty, message: random(200) } },
      { case: 'hello', value: { group: fromHex(hiking) } },
      { case: 'hello', value: { group: fromHex(hiking), keys: [{ by: random(8), sealed: random(80) }], sealed: random(300) } },
      { case: 'supply', value: { group: fromHex(hiking), envelopes: [empty, random(20), envelope({ case: 'greeting', value: {} })] } },
      { case: 'supply', value: { group: random(32), envelopes: [random(20)] } },
      { case: 'greeting', value: { sealed: random(100) } },
      { case: 'greeting', value: {} },
      { case: undefined },
    ];
    const payloads = [empty, random(1), random(300), random(256 * 1024), Uint8Array.of(58, 0), ...kinds.map(envelope)];
    const before = bob.acks.length;
    for (const payload of payloads) await bob.deliver(7n, payload);
    expect(bob.acks.length - before).toBe(payloads.length);
    expect(bob.acks.slice(before)).not.toContain(Outcome.LATER);
    expectTogether(hiking, [alice, bob]);
    await expectTalking(hiking, [alice, bob]);
  });

  it('though it once was one, cut or altered anywhere, is answered each time, and the true one is read after it', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await alice.createGroup('hiking', bob);
    const letters: Letter[] = [];
    office.loses = (letter) => (letters.push(letter), letter.to !== alice);
    await alice.add(hiking, carol);
    await alice.say(hiking, 'welcome');
    await office.pass(5 * SECOND);
    office.loses = () => false;
    const kinds = new Set(letters.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(expect.arrayContaining(['application', 'commit', 'welcome']));
    for (const { to, payload } of letters.filter(({ to }) => to !== alice)) {
      const before = to.acks.length;
      const places = Array.from({ length: 8 }, (_, i) => Math.floor((i * payload.length) / 8));
      for (const at of places) {
        await to.deliver(7n, payload.slice(0, at));
        await to.deliver(7n, payload.with(at, payload[at]! ^ 0x55));
      }
      expect(to.acks.length - before).toBe(2 * places.length);
    }
    await office.pass(5 * MINUTE);
    expectTogether(hiking, [alice, bob, carol]);
    expect(bob.shown).toEqual(['alice: welcome']);
  });
});

describe('a Welcome whose GroupInfo is not signed as it should be', () => {
  it('is answered with cannot, spends no key package, and shows nothing; the true one is followed after it', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    const { bytes } = await claimed(alice);
    const provider = { ...nodeProvider, ed25519Sign: (key: Uint8Array, message: Uint8Array) => signedWrongly(key, message) };
    const key = office.accounts.get(bob.account)!;
    const identity = { account: bob.account, accountName: 'bob', device: bob.device, key };
    const offered = async (forging: boolean) => {
      const engine = await bob.engineAs({ ...identity, ...(forging && { provider }) });
      const own = await ownPackage(engine);
      const state = await engine.createGroup(random(32), own, encodeGroupData(newGroupData('hiking', bob.account)));
      const { commit, welcome } = await engine.addMembers(state, [bytes], Math.floor(office.now / SECOND));
      return envelope({ case: 'welcome', value: { welcome: welcome!, commit: { parent: random(16), message: commit } } });
    };
    const packages = alice.stock.packages.size;
    await alice.deliver(7n, await offered(true));
    expect([alice.acks.at(-1), alice.stock.packages.size, alice.messenger.groups()]).toEqual([Outcome.CANNOT, packages, []]);
    expect(alice.told('joined')).toEqual([]);
    await alice.deliver(7n, await offered(false));
    expect([alice.acks.at(-1), alice.stock.packages.size]).toEqual([Outcome.STORED, packages - 1]);
    expect(alice.messenger.groups()).toMatchObject([{ data: { name: 'hiking' } }]);
  });
});

/** Each GroupInfo, as one that another has signed (RFC 9420 §5.1.2, §12.4.3). */
function signedWrongly(key: Uint8Array, message: Uint8Array): Uint8Array {
  const isGroupInfo = new TextDecoder('latin1').decode(message).includes('GroupInfoTBS');
  return nodeProvider.ed25519Sign(isGroupInfo ? random(key.length) : key, message);
}

describe('messages of groups that a device does not know', () => {
  it('are kept for their Welcome, but not without bound, and the newest longest', async () => {
    const [alice, mallory] = (await office.people('alice', 'mallory')) as Trio;
    const { engine } = mallory;
    const id = random(32);
    let state = await engine.createGroup(id, await ownPackage(engine), encodeGroupData(directData([mallory.account, alice.account])));
    for (let i = 0; i < 250; i++) {
      const sealed = await engine.seal(state, random(20), new Uint8Array());
      ({ state } = sealed);
      await alice.deliver(7n, envelope({ case: 'application', value: { state: random(16), message: sealed.message } }));
    }
    expect(alice.acks.slice(-250)).toEqual(Array.from({ length: 250 }, () => Outcome.LATER));
    expect((await alice.stored<LaterRecord>('later')).size).toBe(200);
    await alice.restart();
    await alice.online();
    const large = await engine.seal(state, random(200 * 1024), new Uint8Array());
    for (let i = 0; i < 30; i++) {
      const message = large.message;
      await alice.deliver(7n, envelope({ case: 'application', value: { state: random(16), message } }));
    }
    const bytes = [...(await alice.stored<LaterRecord>('later')).values()].reduce((sum, { payload }) => sum + payload.length, 0);
    expect(bytes).toBeLessThanOrEqual(4 * 1024 * 1024);
  });
});

describe('a member who floods', () => {
  itThoroughly('with messages of states that nobody knows does not crowd out what can be read', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await alice.createGroup('hiking', bob, carol);
    const { message } = await carol.engine.seal(stateOf(carol, hiking), random(20), new Uint8Array());
    for (let i = 0; i < 2_100; i++) await alice.deliver(7n, envelope({ case: 'application', value: { state: random(16), message } }));
    expect((await alice.stored<LaterRecord>('later')).size).toBe(2_000);
    await expectTalking(hiking, [alice, bob]);
    await office.pass(16 * 24 * HOUR, 2 * HOUR);
    expect((await alice.stored<LaterRecord>('later')).size).toBe(0);
    expectTogether(hiking, [alice, bob, carol]);
  });

  itThoroughly('with supplies fills neither memory nor disk beyond the bounds, and keeps nobody from talking', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await alice.createGroup('hiking', bob, carol);
    await office.pass(MINUTE);
    const group = fromHex(hiking);
    const supply = (count: number, each: () => Kind) =>
      alice.deliver(7n, envelope({ case: 'supply', value: { group, envelopes: Array.from({ length: count }, () => envelope(each())) } }));
    const sealed = async (bytes: number) => (await carol.engine.seal(stateOf(carol, hiking), random(bytes), new Uint8Array())).message;
    const { commit } = await carol.engine.commit(stateOf(carol, hiking), {}, Math.floor(office.now / SECOND));
    const [short, large] = [await sealed(20), await sealed(60 * 1024)];
    const parent = fromHex(core(alice, hiking).head);
    const junk: readonly (readonly [number, () => Kind])[] = [
      [1_200, () => ({ case: 'supply', value: { group, envelopes: [random(20)] } })],
      [1_200, () => ({ case: 'commit', value: { parent, message: Uint8Array.of(...commit.slice(0, -8), ...random(8)) } })],
      [1_200, () => ({ case: 'commit', value: { parent: random(16), message: commit } })],
      [1_200, () => ({ case: 'application', value: { state: random(16), message: short } })],
    ];
    const { branches } = core(alice, hiking);
    const [bytes, commits] = [await bytesOf(alice), branches.commits.size];
    for (const [count, each] of junk) for (let i = 0; i < count; i += 100) await supply(100, each);
    expect((await alice.stored<LaterRecord>('later')).size).toBe(2_000);
    for (let i = 0; i < 3; i++) await supply(100, () => ({ case: 'application', value: { state: random(16), message: large } }));
    expect((await bytesOf(alice)) - bytes).toBeLessThanOrEqual(16.5 * 1024 * 1024);
    expect(branches.refusedIds().length).toBeLessThanOrEqual(256);
    expect([...branches.unreachableIds()].length).toBeLessThanOrEqual(1_000);
    expect(branches.commits.size).toBe(commits);
    await expectTalking(hiking, [alice, bob]);
  });

  it('with hellos is answered now and then', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await alice.createGroup('hiking', bob, carol);
    await office.pass(MINUTE);
    office.journey.length = 0;
    for (let i = 0; i < 100; i++)
      post(carol, alice, helloOf(carol, alice, hiking, { path: new Uint8Array() }), tokenOf(alice, hiking), false);
    await office.settle();
    expect(office.journey.filter((each) => each === 'hello carol → alice')).toHaveLength(100);
    expect(office.journey.filter((each) => each.includes('alice → carol')).length).toBeLessThanOrEqual(3);
  });

  it('with questions to be let in again, or with nonces, is answered now and then', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await alice.createGroup('hiking', bob, carol);
    await office.pass(MINUTE);
    office.journey.length = 0;
    for (let i = 0; i < 50; i++) {
      post(carol, alice, helloOf(carol, alice, hiking, { wantsRejoin: true }), tokenOf(alice, hiking), false);
      post(carol, alice, helloOf(carol, alice, hiking, { answers: random(16), rejoinNonce: random(16) }), tokenOf(alice, hiking), false);
    }
    await office.settle();
    expect(office.journey.filter((each) => each.includes('alice → carol')).length).toBeLessThanOrEqual(6);
    expect(core(alice, hiking).intents).toEqual([]);
  });
});

/** A hello of a member that says what it likes. */
function helloOf(from: Phone, to: Phone, group: string, more: MessageInitShape<typeof HelloSchema>): Uint8Array {
  const { branches } = core(from, group);
  const leaf = from.view(group).members.find(({ identity }) => identity.device === from.device)!;
  const hello = create(HelloSchema, {
    group: fromHex(group),
    sender: fromHex(from.device),
    recipient: fromHex(to.device),
    leaf: fromHex(leaf.id),
    nonce: random(16),
    token: leaf.address.token,
    headEpoch: BigInt(branches.headEpoch),
    path: fromHex(
      branches.tree
        .path(branches.head)
        .map((id) => id.slice(0, 16))
        .join(''),
    ),
    heldFrom: BigInt(branches.heldFrom),
    ...more,
  });
  const key = { by: branches.head, key: branches.helloKey(branches.head)! };
  return sealHello(hello, [key], { random, sign: (bytes) => from.engine.sign('hello', bytes) });
}

describe('a member who lies', () => {
  it('of a branch far ahead, and of holding all its states, stops nobody', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await alice.createGroup('hiking', bob, carol);
    await office.pass(5 * MINUTE, 5 * SECOND);
    for (const victim of [alice, bob]) {
      for (const heldFrom of [0n, 995n]) {
        const lie = { headEpoch: 1_000n, path: random(8 * 5), heldFrom };
        post(carol, victim, helloOf(carol, victim, hiking, lie), tokenOf(victim, hiking), false);
      }
    }
    await office.pass(3 * MINUTE, 5 * SECOND);
    expect([alice, bob].map((phone) => phone.view(hiking).hold)).toEqual([undefined, undefined]);
    await expectTalking(hiking, [alice, bob]);
    expect([alice, bob].map((phone) => phone.count('rejoin-asked'))).toEqual([0, 0]);
  });

  it('of a branch beside the own one, and of holding where they part, stops nobody alone', async () => {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    const hiking = await alice.createGroup('hiking', bob, carol);
    await alice.add(hiking, dave);
    await office.pass(5 * MINUTE, 5 * SECOND);
    const epoch = core(dave, hiking).branches.headEpoch;
    const lie = { headEpoch: BigInt(epoch + 2), path: random(8 * (epoch + 3)), heldFrom: 0n };
    post(carol, dave, helloOf(carol, dave, hiking, lie), tokenOf(dave, hiking), false);
    await office.pass(3 * MINUTE, 5 * SECOND);
    expect(dave.view(hiking).hold).toBeUndefined();
    await expectTalking(hiking, [alice, bob, dave]);
  });

  it('of a branch beside the own one stops nobody in a group that is past its first epochs', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await alice.createGroup('hiking', bob, carol);
    for (let i = 0; i < 18; i++) {
      await alice.wish(hiking, { kind: 'rename', name: `name ${i}` });
      await office.settle();
    }
    await office.pass(5 * MINUTE, 5 * SECOND);
    const epoch = core(carol, hiking).branches.headEpoch;
    const lie = { headEpoch: BigInt(epoch + 2), path: random(8 * (epoch + 3)), heldFrom: 0n };
    for (const victim of [alice, bob]) post(carol, victim, helloOf(carol, victim, hiking, lie), tokenOf(victim, hiking), false);
    await office.settle();
    expect([alice, bob].map((phone) => phone.view(hiking).hold)).toEqual([undefined, undefined]);
    await expectTalking(hiking, [alice, bob]);
  });

  it('that another has shown itself does not keep that one from being greeted', async () => {
    const [alice, bob, carol, dave] = (await office.people('alice', 'bob', 'carol', 'dave')) as Four;
    const hiking = await alice.createGroup('hiking', bob, carol);
    await office.pass(MINUTE);
    office.loses = ({ to, kind }) => to === dave && kind === 'welcome';
    await alice.add(hiking, dave);
    await office.pass(5 * SECOND);
    const leaf = bob.view(hiking).members.find(({ identity }) => identity.device === dave.device)!;
    post(carol, bob, helloOf(carol, bob, hiking, { leaf: fromHex(leaf.id) }), tokenOf(bob, hiking), false);
    await office.settle();
    await alice.offline();
    await carol.offline();
    office.loses = () => false;
    await office.pass(4 * MINUTE);
    expectTogether(hiking, [bob, dave], ['alice', 'bob', 'carol', 'dave']);
  });

  it('of later messages of others kills no leaf', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await alice.createGroup('hiking', bob, carol);
    await office.pass(MINUTE);
    const leaf = alice.ownLeaf(hiking);
    const seen = [{ state: fromHex(core(carol, hiking).head.slice(0, 16)), generation: 1_000 }];
    post(carol, alice, helloOf(carol, alice, hiking, { seen }), tokenOf(alice, hiking), false);
    await office.pass(MINUTE);
    expect(alice.ownLeaf(hiking)).toBe(leaf);
    await expectTalking(hiking, [alice, bob, carol]);
  });

  it('of how many messages there are does not tell the user so each time', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await alice.createGroup('hiking', bob, carol);
    await office.pass(MINUTE);
    const digests = [{ state: fromHex(core(carol, hiking).head.slice(0, 16)), count: 4_000_000_000, ids: random(8) }];
    for (let i = 0; i < 50; i++) post(carol, alice, helloOf(carol, alice, hiking, { digests }), tokenOf(alice, hiking), false);
    await office.settle();
    expect(alice.told('missing').length).toBeLessThanOrEqual(1);
  });

  it('by a wrong parent of a good commit does not keep it from anybody', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await alice.createGroup('hiking', bob, carol);
    await alice.wish(hiking, { kind: 'rename', name: 'biking' });
    await office.pass(MINUTE);
    const letters: Letter[] = [];
    office.loses = (letter) => letter.to === alice && letter.kind === 'commit' && (letters.push(letter), true);
    await bob.wish(hiking, { kind: 'rename', name: 'running' });
    await office.settle();
    const { kind } = fromBinary(EnvelopeSchema, letters[0]!.payload);
    if (kind.case !== 'commit') throw new Error('no commit');
    for (const [parent] of [...core(alice, hiking).branches.heldStates()]) {
      if (parent === toHex(kind.value.parent)) continue;
      await alice.deliver(7n, envelope({ case: 'commit', value: { ...kind.value, parent: fromHex(parent) } }));
    }
    office.loses = () => false;
    await office.pass(3 * MINUTE);
    expect(alice.count('rejoin-asked')).toBe(0);
    expectTogether(hiking, [alice, bob, carol]);
  });
});

describe('a member whose Welcome is lost with its author', () => {
  it('is greeted by one who is no contact of it and finds it silent, and comes in', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    alice.contacts.delete(carol.account);
    carol.contacts.delete(alice.account);
    office.loses = ({ to, kind }) => to === carol && kind === 'welcome';
    const hiking = await bob.createGroup('hiking', alice, carol);
    await office.pass(MINUTE);
    await bob.die();
    office.loses = () => false;
    await office.pass(4 * HOUR, 5 * SECOND);
    expect(carol.told('joined')).toHaveLength(1);
    await carol.say(hiking, 'here I am');
    await office.settle();
    expect(alice.shown).toEqual(['carol: here I am']);
  });

  itThoroughly('is greeted as soon as it says that it can not use a commit', async () => {
    const others = ['dave', 'erin', 'frank', 'grace'];
    const [alice, bob, carol, ...more] = (await office.people('alice', 'bob', 'carol', ...others)) as [Phone, Phone, Phone, ...Phone[]];
    office.loses = ({ to, kind }) => to === carol && kind === 'welcome';
    const hiking = await bob.createGroup('hiking', alice, carol, ...more);
    await office.pass(MINUTE);
    await bob.die();
    office.loses = ({ to, kind }) => to === carol && kind === 'hello';
    await alice.wish(hiking, { kind: 'rename', name: 'climbing' });
    await office.pass(61 * MINUTE, 5 * SECOND);
    expect(carol.told('joined')).toHaveLength(0);
    await alice.wish(hiking, { kind: 'rename', name: 'running' });
    await office.pass(5 * MINUTE, SECOND);
    expect(carol.told('joined')).toHaveLength(1);
  });
});

describe('a member who mints commits', () => {
  itThoroughly('does not keep the others from telling each other what they have', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await alice.createGroup('hiking', bob, carol);
    await office.pass(MINUTE);
    const parent = fromHex(core(carol, hiking).head);
    const right = toBinary(CommitAuthenticatedDataSchema, create(CommitAuthenticatedDataSchema, {}));
    let state = stateOf(carol, hiking);
    await carol.offline();
    for (let i = 0; i < 600; i++) {
      const made = await carol.engine.commit(state, {}, Math.floor(office.now / SECOND), right);
      state = made.parent;
      for (const to of [alice, bob]) await to.deliver(7n, envelope({ case: 'commit', value: { parent, message: made.commit } }));
    }
    await office.pass(MINUTE);
    await bob.offline();
    await alice.say(hiking, 'in spite of all');
    await office.pass(MINUTE);
    const before = [alice, bob].map((phone) => phone.count('hello'));
    await bob.online();
    await office.pass(MINUTE);
    expect(bob.shown).toEqual(['alice: in spite of all']);
    for (const [i, phone] of [alice, bob].entries()) expect(phone.count('hello')).toBeGreaterThan(before[i]!);
  });
});

describe('a member without the right to it', () => {
  it('brings nobody back who was removed, though it names the commit that once let that one in', async () => {
    const [alice, bob, dave] = (await office.people('alice', 'bob', 'dave')) as Trio;
    const hiking = await alice.createGroup('hiking', bob);
    await alice.add(hiking, dave);
    await office.pass(MINUTE);
    const letIn = [...core(bob, hiking).branches.tree.nodes()]
      .filter(({ adds }) => adds.includes(dave.account))
      .map(({ id }) => fromHex(id));
    await alice.remove(hiking, dave);
    await office.pass(MINUTE);
    expect(letIn).toHaveLength(1);
    const { bytes } = await claimed(dave);
    post(bob, alice, await commitOf(bob, hiking, { add: [bytes] }, { addedBy: letIn }), tokenOf(alice, hiking));
    await office.pass(MINUTE);
    expect(alice.members(hiking)).toEqual(['alice', 'bob']);
    expect(alice.acks.at(-1)).toBe(Outcome.CANNOT);
  });

  it('who replaces the leaf of another without letting it in again does not keep it out', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await alice.createGroup('hiking', bob, carol);
    const { bytes } = await claimed(bob);
    const leaf = carol.view(hiking).members.find(({ identity }) => identity.device === bob.device)!;
    const commit = await commitOf(carol, hiking, { remove: [leaf.leaf], add: [bytes] });
    for (const to of [alice, bob]) post(carol, to, commit, tokenOf(to, hiking));
    await office.settle();
    await carol.offline();
    await office.pass(5 * MINUTE);
    expectTogether(hiking, [alice, bob], ['alice', 'bob', 'carol']);
    await expectTalking(hiking, [alice, bob]);
  });

  it('whose commits the others refuse is heard all the same, and told nothing else than that', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const hiking = await alice.createGroup('hiking', bob, carol);
    const leaf = carol.view(hiking).members.find(({ identity }) => identity.device === bob.device)!;
    const commit = await commitOf(carol, hiking, { remove: [leaf.leaf] });
    for (const to of [alice, bob]) post(carol, to, commit, tokenOf(to, hiking));
    const before = alice.acks.length;
    await office.pass(MINUTE);
    expect(alice.acks.slice(before)).toContain(Outcome.CANNOT);
    expectTogether(hiking, [alice, bob, carol]);
    await expectTalking(hiking, [alice, bob, carol]);
  });
});

describe('a device that was removed and does not mind', () => {
  /** Carol has had two leaves, and the second was removed. */
  async function removed(): Promise<[...Trio, string]> {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    carol.rules = { ...GROUP_RULES, removedFallSilent: false };
    await carol.restart();
    await carol.online();
    const hiking = await alice.createGroup('hiking', bob, carol);
    await office.pass(MINUTE);
    const { bytes } = await claimed(carol);
    await bob.wish(hiking, {
      ...{ kind: 'rejoin', account: carol.account, device: carol.device },
      ...{ leaf: carol.ownLeaf(hiking), keyPackage: bytes },
    });
    await office.pass(MINUTE);
    expectTogether(hiking, [alice, bob, carol]);
    await alice.remove(hiking, carol);
    await office.pass(MINUTE);
    expectTogether(hiking, [alice, bob]);
    return [alice, bob, carol, hiking];
  }

  it('is let in by nobody, whatever it asks', async () => {
    const [alice, bob, carol, hiking] = await removed();
    for (let i = 0; i < 20; i++) {
      core(carol, hiking).wantsRejoin = true;
      for (const to of [alice, bob]) post(carol, to, helloOf(carol, to, hiking, { wantsRejoin: true }), tokenOf(to, hiking), false);
      await office.pass(30 * SECOND, 5 * SECOND);
    }
    expectTogether(hiking, [alice, bob]);
    expect(bob.count('rejoin-helped') + alice.count('rejoin-helped')).toBe(0);
  });

  it('is told how it was removed, and no fresh address nor what is new', async () => {
    const [alice, bob, carol, hiking] = await removed();
    office.journey.length = 0;
    const given: Letter[] = [];
    office.loses = (letter) => (letter.to === carol && given.push(letter), false);
    for (const to of [alice, bob]) post(carol, to, helloOf(carol, to, hiking, {}), tokenOf(to, hiking), false);
    await office.pass(MINUTE);
    expect(new Set(given.map(({ kind }) => kind))).not.toContain('hello');
  });

  it('is given no message that was sealed without it, whichever leaf it calls its own', async () => {
    const [alice, bob, carol, hiking] = await removed();
    await alice.say(hiking, 'without carol');
    await office.pass(MINUTE);
    const given: Letter[] = [];
    office.loses = (letter) => (letter.to === carol && given.push(letter), false);
    for (const to of [alice, bob]) post(carol, to, helloOf(carol, to, hiking, { leaf: random(16) }), tokenOf(to, hiking), false);
    await office.pass(MINUTE);
    const supplied = given.flatMap(({ payload }) => {
      const { kind } = fromBinary(EnvelopeSchema, payload);
      return kind.case === 'supply' ? kind.value.envelopes.map((each) => fromBinary(EnvelopeSchema, each).kind.case) : [];
    });
    expect(supplied).not.toContain('application');
  });

  it('commits to nobody: what it mints moves nothing', async () => {
    const [alice, bob, carol, hiking] = await removed();
    const commit = await commitOf(carol, hiking, { groupData: encodeGroupData({ ...core(carol, hiking).data, name: 'mine' }) });
    for (const to of [alice, bob]) post(carol, to, commit, tokenOf(to, hiking));
    await office.pass(MINUTE);
    expectTogether(hiking, [alice, bob]);
    expect(alice.view(hiking).data.name).toBe('hiking');
  });
});

describe('a contact', () => {
  it('can not begin a conversation in the name of another contact', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    await alice.tell(carol, 'hello carol');
    await office.settle();
    await carol.offline();
    await alice.tell(carol, 'for carol alone');
    await office.settle();
    const { bytes, token } = await claimed(alice);
    const low = new Uint8Array(32);
    const state = await bob.engine.createGroup(
      low,
      await ownPackage(bob.engine),
      encodeGroupData(directData([alice.account, carol.account])),
    );
    const { commit, welcome } = await bob.engine.commit(state, { add: [bytes] }, Math.floor(office.now / SECOND));
    post(bob, alice, envelope({ case: 'welcome', value: { welcome: welcome!, commit: { parent: random(16), message: commit } } }), token);
    await office.pass(MINUTE);
    expect(alice.messenger.groups().map(({ id }) => id)).not.toContain(toHex(low));
    expect(alice.messenger.directWith(carol.account)).toBe(carol.messenger.directWith(alice.account));
    await carol.online();
    await office.settle();
    expect(carol.shown).toEqual(['alice: hello carol', 'alice: for carol alone']);
  });

  it('can not pass for somebody who will be a contact later', async () => {
    const [alice, mallory, carol] = (await office.people('alice', 'mallory', 'carol')) as Trio;
    alice.contacts.delete(carol.account);
    const { bytes, token } = await claimed(alice);
    const key = { publicKey: mallory.engine.ownIdentity.accountKey, secretKey: office.accounts.get(mallory.account)!.secretKey };
    const asCarol = await mallory.engineAs({ account: carol.account, accountName: 'carol', device: idOf('fake'), key });
    const state = await asCarol.createGroup(
      random(32),
      await ownPackage(asCarol),
      encodeGroupData(directData([alice.account, carol.account])),
    );
    const { commit, welcome } = await asCarol.commit(state, { add: [bytes] }, Math.floor(office.now / SECOND));
    post(
      mallory,
      alice,
      envelope({ case: 'welcome', value: { welcome: welcome!, commit: { parent: random(16), message: commit } } }),
      token,
    );
    await office.settle();
    alice.befriend(carol);
    await alice.step((messenger, step) => messenger.contactAccepted(carol.account, step));
    expect(alice.messenger.directWith(carol.account)).toBeUndefined();
    await alice.tell(carol, 'hello');
    await office.pass(MINUTE);
    expect(carol.shown).toEqual(['alice: hello']);
    expect(mallory.shown).toEqual([]);
  });

  itThoroughly('that says it can open no Welcome does not make a group each time', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    await bob.offline();
    await alice.tell(bob, 'hello');
    office.answersCannot = ({ to, kind }) => to === bob && kind === 'welcome';
    await bob.online();
    await office.pass(2 * HOUR, 30 * SECOND);
    expect(alice.messenger.groups().length).toBeLessThanOrEqual(12);
  });

  itThoroughly('that says it can read nothing does not cost a commit for each message', async () => {
    const [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as Trio;
    const group = await alice.createGroup('hiking', bob, carol);
    await office.settle();
    office.answersCannot = ({ to, kind }) => to === bob && kind === 'application';
    const before = alice.messenger.unsafeGroup(group)!.core.branches.headEpoch;
    for (let i = 0; i < 20; i++) {
      await alice.say(group, `message ${i}`);
      await office.pass(10 * SECOND);
    }
    expect(alice.messenger.unsafeGroup(group)!.core.branches.headEpoch - before).toBeLessThanOrEqual(6);
    expect(carol.shown).toHaveLength(20);
  });

  it('whose greeting is out of shape is answered, and that is all', async () => {
    const [alice, bob] = (await office.people('alice', 'bob')) as Trio;
    const { bytes, token } = await claimed(alice);
    const alone = await bob.engine.createGroup(
      random(32),
      await ownPackage(bob.engine),
      encodeGroupData(directData([alice.account, bob.account])),
    );
    const { state } = await bob.engine.commit(alone, { add: [bytes] }, Math.floor(office.now / SECOND));
    const shapes: MessageInitShape<typeof GreetingSchema>[] = [
      { key: random(5) },
      { token: random(7) },
      { sender: random(3) },
      { id: random(2) },
      { group: new Uint8Array() },
    ];
    for (const shape of shapes) {
      const whole = { group: random(32), id: random(16), key: random(32), sender: fromHex(bob.device), token: random(32), ...shape };
      const sealed = bob.engine.sealToLeaf(state, 1, GREETING_LABEL, toBinary(GreetingSchema, create(GreetingSchema, whole)));
      const before = alice.acks.length;
      post(bob, alice, envelope({ case: 'greeting', value: { sealed } }), token);
      await office.settle();
      expect(alice.acks.length).toBe(before + 1);
    }
  });
});
