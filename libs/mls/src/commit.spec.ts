import { describe, expect, it } from '@jest/globals';
import { browserProvider } from './crypto/browser-provider.js';
import { nodeProvider } from './crypto/node-provider.js';
import {
  asApplication,
  asCommit,
  deviceOf,
  groupOf,
  LIFETIME,
  NOTHING,
  NOW,
  packageOf,
  SERVER,
  seededProvider,
  text,
  type Seat,
} from './fixtures/devices.js';

type Trio = [Seat, Seat, Seat];
const trio = async () => (await groupOf([await deviceOf('alice'), await deviceOf('bob'), await deviceOf('carol')])) as Trio;
const idOf = ({ engine, state }: Seat, index: number) => engine.members(state).find(({ leaf }) => leaf === index)?.id;

describe('A leaf', () => {
  it('keeps its id, and changes its token when its device says so', async () => {
    const [alice, bob, carol] = await trio();
    const token = new Uint8Array(32).fill(9);
    const before = idOf(alice, 1);
    const { state, commit } = await bob.engine.commit(bob.state, { token }, NOW);
    const followed = asCommit(await alice.engine.open(alice.state, commit)).state;
    const seen = alice.engine.members(followed);
    expect(seen[1]).toMatchObject({ leaf: 1, id: before, address: { token, leaf: before } });
    expect(seen[1]?.address.device).toBe(bob.engine.ownIdentity.device);
    expect(seen.map(({ id }) => id)).toHaveLength(new Set(seen.map(({ id }) => id)).size);
    expect(asCommit(await carol.engine.open(carol.state, commit)).state.authenticator).toEqual(state.authenticator);
  });

  it('changes its token in a commit that only adds', async () => {
    const [alice, bob] = await trio();
    const dave = await deviceOf('dave');
    const offered = await packageOf(dave);
    const token = new Uint8Array(32).fill(8);
    const { state, commit, welcome } = await alice.engine.commit(alice.state, { add: [offered.publicBytes], token }, NOW);
    const joined = await dave.joinFromWelcome(welcome ?? NOTHING, [offered]);
    expect(dave.members(joined.state)[0]?.address.token).toEqual(token);
    expect(asCommit(await bob.engine.open(bob.state, commit)).state.authenticator).toEqual(state.authenticator);
    expect(joined.state.authenticator).toEqual(state.authenticator);
  });

  it('is called what its key package said', async () => {
    const [alice] = await trio();
    const dave = await deviceOf('dave');
    const offered = await packageOf(dave);
    const { leafId } = await alice.engine.readKeyPackage(offered.publicBytes, NOW);
    const { state } = await alice.engine.addMembers(alice.state, [offered.publicBytes], NOW);
    const member = alice.engine.members(state)[3];
    expect(member).toMatchObject({ leaf: 3, id: leafId });
    expect(leafId).toMatch(/^[0-9a-f]{32}$/);
    expect(alice.engine.verify(member?.signatureKey ?? NOTHING, 'x', text('y'), dave.sign('x', text('y')))).toBe(true);
  });

  it('is given to the same device anew by one commit, which tells the old leaf that it is out', async () => {
    const [alice, bob, carol] = await trio();
    const fresh = await packageOf(bob.engine);
    const old = idOf(alice, 1);
    const { state, commit, welcome } = await alice.engine.commit(alice.state, { remove: [1], add: [fresh.publicBytes] }, NOW);
    const rejoined = await bob.engine.joinFromWelcome(welcome ?? NOTHING, [fresh]);
    const followed = asCommit(await carol.engine.open(carol.state, commit));
    for (const each of [rejoined.state, followed.state]) expect(each.authenticator).toEqual(state.authenticator);
    expect(followed).toMatchObject({ added: [1], removed: [1], removedMembers: [{ leaf: 1, id: old }] });
    expect(followed.addedMembers[0]?.id).not.toBe(old);
    expect(followed.addedMembers[0]?.identity).toEqual(bob.engine.ownIdentity);
    expect(asCommit(await bob.engine.open(bob.state, commit)).state.removed).toBe(true);
    const { message } = await bob.engine.seal(rejoined.state, text('back again'), NOTHING);
    expect(asApplication(await alice.engine.open(state, message))).toMatchObject({ plaintext: text('back again'), generation: 0 });
  });

  it('given to another device tells its old owner that it is out', async () => {
    const [alice, bob] = await trio();
    const offered = await packageOf(await deviceOf('dave'));
    const { commit } = await alice.engine.commit(alice.state, { remove: [1], add: [offered.publicBytes] }, NOW);
    const opened = asCommit(await bob.engine.open(bob.state, commit));
    expect(opened).toMatchObject({ removed: [1], state: { removed: true } });
    expect(opened.addedMembers[0]?.identity.accountName).toBe('dave');
  });

  it('cannot be added with the id of one that is there or leaves by the same commit', async () => {
    const alice = await deviceOf('alice');
    // Bob's provider repeats itself: both of his key packages name one leaf.
    let calls = 0;
    const randomBytes = (length: number) => new Uint8Array(length).fill(length === 16 ? 5 : (calls += 1));
    const bob = await deviceOf('bob', { ...nodeProvider, randomBytes });
    const [seat] = (await groupOf([alice, bob])) as [Seat];
    const again = await packageOf(bob);
    await expect(alice.commit(seat.state, { remove: [1], add: [again.publicBytes] }, NOW)).rejects.toMatchObject({
      reason: 'duplicate-key',
    });
  });
});

describe('The data of a group', () => {
  it('is what its creator gave, and changes for all by a commit', async () => {
    const [alice, bob, carol] = await trio();
    for (const { engine, state } of [alice, bob, carol]) expect(engine.groupData(state)).toEqual(text('a group'));
    const { state, commit } = await bob.engine.commit(bob.state, { groupData: text('renamed') }, NOW);
    expect(bob.engine.groupData(state)).toEqual(text('renamed'));
    for (const { engine, state: before } of [alice, carol]) {
      const opened = asCommit(await engine.open(before, commit));
      expect(opened).toMatchObject({ groupDataChanged: true, groupData: text('renamed'), added: [], removed: [], senderLeaf: 1 });
      expect(engine.groupData(opened.state)).toEqual(text('renamed'));
      expect(opened.state.authenticator).toEqual(state.authenticator);
    }
    const next = await alice.engine.open(alice.state, (await bob.engine.commit(bob.state, {}, NOW)).commit);
    expect(next).toMatchObject({ groupDataChanged: false, groupData: text('a group') });
  });

  it('may be empty, and changes together with the members', async () => {
    const [alice, bob] = await trio();
    const offered = await packageOf(await deviceOf('dave'));
    const changes = { groupData: NOTHING, add: [offered.publicBytes], remove: [2] };
    const { state, commit } = await alice.engine.commit(alice.state, changes, NOW);
    const opened = asCommit(await bob.engine.open(bob.state, commit));
    expect(opened).toMatchObject({ groupDataChanged: true, groupData: NOTHING, added: [2], removed: [2] });
    expect(opened.state.authenticator).toEqual(state.authenticator);
  });
});

describe('A state', () => {
  it('stays as it was, whatever is made from it', async () => {
    const [alice, bob, carol] = await trio();
    const [epoch, ratchets] = [bob.engine.serialiseEpoch(bob.state), bob.engine.serialiseRatchets(bob.state)];
    const byAlice = await alice.engine.commit(alice.state, {}, NOW);
    const byCarol = await carol.engine.commit(carol.state, { remove: [0] }, NOW);
    const again = await alice.engine.commit(byAlice.parent, { groupData: text('other') }, NOW);
    for (const each of [byAlice, byCarol, again, byAlice]) {
      const opened = asCommit(await bob.engine.open(bob.state, each.commit));
      expect(opened.state.authenticator).toEqual(each.state.authenticator);
    }
    expect([bob.engine.serialiseEpoch(bob.state), bob.engine.serialiseRatchets(bob.state)]).toEqual([epoch, ratchets]);
    const parent = alice.engine.deserialiseParts(alice.engine.serialiseEpoch(again.parent), alice.engine.serialiseRatchets(again.parent));
    const { message } = await alice.engine.seal(parent, text('sealed late'), NOTHING);
    expect(asApplication(await bob.engine.open(bob.engine.deserialiseParts(epoch, ratchets), message)).plaintext).toEqual(
      text('sealed late'),
    );
  });

  it('uses no handshake generation twice when its device commits again from the parent', async () => {
    const provider = seededProvider('reuse');
    const keys = new Set<string>();
    let repeated = false;
    const watched = {
      ...provider,
      aeadSeal: (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array) => {
        repeated ||= keys.has(key.join());
        keys.add(key.join());
        return provider.aeadSeal(key, nonce, aad, plaintext);
      },
    };
    const [alice] = (await groupOf([await deviceOf('alice', watched), await deviceOf('bob')])) as [Seat];
    const first = await alice.engine.commit(alice.state, {}, NOW);
    await alice.engine.commit(first.parent, {}, NOW);
    expect(repeated).toBe(false);
    await alice.engine.commit(alice.state, {}, NOW);
    expect(repeated).toBe(true);
  });

  it('opens nothing of another branch, and stays good', async () => {
    const [alice, bob, carol] = await trio();
    const byAlice = await alice.engine.commit(alice.state, {}, NOW);
    const byBob = await bob.engine.commit(bob.state, {}, NOW);
    const onBob = asCommit(await carol.engine.open(carol.state, byBob.commit)).state;
    const foreign = await alice.engine.seal(byAlice.state, text('elsewhere'), NOTHING);
    const next = await alice.engine.commit(byAlice.state, {}, NOW);
    for (const message of [foreign.message, next.commit]) {
      await expect(carol.engine.open(onBob, message)).rejects.toMatchObject({ name: 'MlsError', reason: 'undecryptable' });
    }
    const { message } = await bob.engine.seal(byBob.state, text('here'), NOTHING);
    expect(asApplication(await carol.engine.open(onBob, message)).plaintext).toEqual(text('here'));
    const onAlice = asCommit(await carol.engine.open(carol.state, byAlice.commit)).state;
    expect(asApplication(await carol.engine.open(onAlice, foreign.message)).plaintext).toEqual(text('elsewhere'));
  });

  it('says how far the ratchet of every leaf has come', async () => {
    const [alice, bob] = await trio();
    const first = await alice.engine.seal(alice.state, text('1'), NOTHING);
    const second = await alice.engine.seal(first.state, text('2'), NOTHING);
    expect([alice.state, first.state, second.state].map((state) => alice.engine.generationOf(state, 0))).toEqual([0, 1, 2]);
    const late = asApplication(await bob.engine.open(bob.state, second.message));
    expect([late.generation, bob.engine.generationOf(late.state, 0), bob.engine.generationOf(bob.state, 0)]).toEqual([1, 2, 0]);
    const early = asApplication(await bob.engine.open(late.state, first.message));
    expect([early.generation, bob.engine.generationOf(early.state, 0)]).toEqual([0, 2]);
    expect(() => bob.engine.generationOf(bob.state, 99)).toThrow(expect.objectContaining({ reason: 'invalid' }));
  });

  it('is written in two parts, of which only one changes with a message', async () => {
    const [alice, bob] = await trio();
    const { engine } = alice;
    const { state, message } = await engine.seal(alice.state, text('hello'), NOTHING);
    expect(engine.serialiseEpoch(state)).toEqual(engine.serialiseEpoch(alice.state));
    expect(engine.serialiseRatchets(state)).not.toEqual(engine.serialiseRatchets(alice.state));
    const restored = bob.engine.deserialiseParts(bob.engine.serialiseEpoch(bob.state), bob.engine.serialiseRatchets(bob.state));
    expect(asApplication(await bob.engine.open(restored, message)).plaintext).toEqual(text('hello'));
  });

  it('is refused when cut short, with bytes behind it, of a later version, or of two epochs', async () => {
    const [{ engine, state }] = await trio();
    const [epoch, ratchets] = [engine.serialiseEpoch(state), engine.serialiseRatchets(state)];
    const later = (bytes: Uint8Array) => Uint8Array.of((bytes[0] ?? 0) + 1, ...bytes.slice(1));
    const refused = (first: Uint8Array, second: Uint8Array) =>
      expect(() => engine.deserialiseParts(first, second)).toThrow(expect.objectContaining({ name: 'MlsError', reason: 'malformed' }));
    for (let length = 0; length < epoch.length; length += 13) refused(epoch.slice(0, length), ratchets);
    for (let length = 0; length < ratchets.length; length += 13) refused(epoch, ratchets.slice(0, length));
    for (const change of [later, (bytes: Uint8Array) => Uint8Array.of(...bytes, 0)]) {
      refused(change(epoch), ratchets);
      refused(epoch, change(ratchets));
    }
    const next = (await engine.commit(state, {}, NOW)).state;
    refused(engine.serialiseEpoch(next), ratchets);
  });
});

describe('What a device says beside its messages', () => {
  it('is known from the outside of a message: group, epoch and kind', async () => {
    const [alice] = await trio();
    const { message } = await alice.engine.seal(alice.state, text('hello'), NOTHING);
    const { commit } = await alice.engine.commit(alice.state, {}, NOW);
    expect(alice.engine.peek(message)).toEqual({ groupId: text('the group'), epoch: 1n, contentType: 'application' });
    expect(alice.engine.peek(commit)).toEqual({ groupId: text('the group'), epoch: 1n, contentType: 'commit' });
    expect(() => alice.engine.peek(alice.keyPackage.publicBytes)).toThrow(expect.objectContaining({ reason: 'unsupported' }));
    expect(() => alice.engine.peek(message.slice(0, 20))).toThrow(expect.objectContaining({ reason: 'malformed' }));
  });

  it('is signed under a label', async () => {
    const [alice, bob] = await trio();
    const key = bob.engine.members(bob.state)[0]?.signatureKey ?? NOTHING;
    const signature = alice.engine.sign('hello', text('bytes'));
    expect(nodeProvider.ed25519Verify(key, text('sotto v1 hello\0bytes'), signature)).toBe(true);
    expect(bob.engine.verify(key, 'hello', text('bytes'), signature)).toBe(true);
    for (const [label, bytes] of [
      ['hell', 'obytes'],
      ['other', 'bytes'],
      ['hello', 'other'],
    ] as const)
      expect(bob.engine.verify(key, label, text(bytes), signature)).toBe(false);
    expect(() => alice.engine.sign('a\0b', NOTHING)).toThrow(expect.objectContaining({ reason: 'invalid' }));
  });

  it('is sealed to one leaf', async () => {
    const [alice, bob, carol] = await trio();
    const sealed = alice.engine.sealToLeaf(alice.state, 1, 'history', text('for bob'));
    expect(bob.engine.openAsLeaf(bob.keyPackage, 'history', sealed)).toEqual(text('for bob'));
    const refused = (open: () => unknown, reason: string) => expect(open).toThrow(expect.objectContaining({ name: 'MlsError', reason }));
    refused(() => carol.engine.openAsLeaf(carol.keyPackage, 'history', sealed), 'undecryptable');
    refused(() => bob.engine.openAsLeaf(bob.keyPackage, 'other', sealed), 'undecryptable');
    refused(() => bob.engine.openAsLeaf(bob.keyPackage, 'history', sealed.slice(0, 40)), 'malformed');
    refused(() => alice.engine.sealToLeaf(alice.state, 3, 'history', NOTHING), 'invalid');
  });
});

describe.each([
  ['node', nodeProvider],
  ['browser', browserProvider],
])('With the %s provider and a seed', (_name, provider) => {
  it('two runs give the same bytes', async () => {
    const run = async () => {
      const seeded = seededProvider('two runs', provider);
      const [alice, bob] = (await groupOf([await deviceOf('alice', seeded), await deviceOf('bob', seeded)])) as [Seat, Seat];
      const dave = await packageOf(await deviceOf('dave', seeded));
      const { state, commit, welcome } = await alice.engine.commit(
        alice.state,
        { add: [dave.publicBytes], token: new Uint8Array(32) },
        NOW,
      );
      const opened = asCommit(await bob.engine.open(bob.state, commit));
      const { message } = await bob.engine.seal(opened.state, text('hello'), NOTHING);
      const sealed = alice.engine.sealToLeaf(state, 1, 'x', text('y'));
      return [commit, welcome, message, sealed, alice.engine.serialiseEpoch(state), alice.engine.serialiseRatchets(state)];
    };
    expect(await run()).toEqual(await run());
  });

  it('reads no clock, and draws from nothing else', async () => {
    const { now } = Date;
    const { getRandomValues } = globalThis.crypto;
    const refuse = () => {
      throw new Error('the platform was asked');
    };
    [Date.now, globalThis.crypto.getRandomValues] = [refuse, refuse];
    try {
      const seeded = seededProvider('no clock', provider);
      const [, bob] = (await groupOf([await deviceOf('alice', seeded), await deviceOf('bob', seeded)])) as [Seat, Seat];
      await bob.engine.commit(bob.state, {}, NOW);
      await expect(bob.engine.readKeyPackage(bob.keyPackage.publicBytes, LIFETIME.notAfter + 1)).rejects.toMatchObject({
        reason: 'expired',
      });
      expect(bob.engine.ownIdentity.server).toBe(SERVER);
    } finally {
      [Date.now, globalThis.crypto.getRandomValues] = [now, getRandomValues];
    }
  });
});
