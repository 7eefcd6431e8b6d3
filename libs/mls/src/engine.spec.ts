import { describe, expect, it } from '@jest/globals';
import { defaultCryptoProvider, getCiphersuiteFromName } from 'ts-mls';
import * as fc from 'fast-check';
import { build } from 'esbuild';
import { toHex } from '@sotto/protocol';
import { browserProvider } from './crypto/browser-provider.js';
import { nodeProvider } from './crypto/node-provider.js';
import type { MlsProvider } from './crypto/provider.js';
import { SUITE_NAME, suiteOf } from './crypto/suite.js';
import { deviceKeys, makeDeviceIdentity } from './device-identity.js';
import { MlsEngine } from './engine.js';
import { asApplication, deviceOf, identityOf, NOW, packageOf, SERVER, text } from './fixtures/devices.js';
import type { GroupState } from './group-state.js';
import { paddedLength } from './padding.js';
import { safetyNumber } from './safety-number.js';

const id = (name: string) => toHex(nodeProvider.sha256(text(name)).slice(0, 16));

async function conversation(first: MlsProvider = nodeProvider, second: MlsProvider = browserProvider) {
  const alice = await deviceOf('alice', first);
  const bob = await deviceOf('bob', second);
  const created = await alice.createGroup(text('group of alice'), await packageOf(alice), text(''));
  const offered = await packageOf(bob);
  const added = await alice.addMembers(created, [offered.publicBytes], NOW);
  const joined = await bob.joinFromWelcome(added.welcome ?? new Uint8Array(), [await packageOf(bob), offered]);
  return { alice, bob, a: added.state, b: joined.state, offered, created, added };
}

async function stored(engine: MlsEngine, state: GroupState): Promise<GroupState> {
  return engine.deserialiseParts(engine.serialiseEpoch(state), engine.serialiseRatchets(state));
}

describe.each([
  ['node', 'browser', nodeProvider, browserProvider],
  ['browser', 'node', browserProvider, nodeProvider],
] as const)('alice on %s and bob on %s', (_a, _b, first, second) => {
  it('talk both ways with their states stored between every step', async () => {
    const { alice, bob, ...start } = await conversation(first, second);
    let { a, b } = start;
    for (let round = 0; round < 3; round += 1) {
      const sealed = await alice.seal(await stored(alice, a), text(`hello ${round}`), text('content id'));
      const opened = asApplication(await bob.open(await stored(bob, b), sealed.message));
      expect(opened).toMatchObject({ plaintext: text(`hello ${round}`), authenticatedData: text('content id'), senderLeaf: 0 });
      expect(opened.senderIdentity.account).toBe(id('alice'));
      const answer = await bob.seal(await stored(bob, opened.state), text('hello alice'), text(''));
      const read = asApplication(await alice.open(await stored(alice, sealed.state), answer.message));
      expect(read.plaintext).toEqual(text('hello alice'));
      [a, b] = [read.state, answer.state];
    }
    expect(a.authenticator).toEqual(b.authenticator);
    expect(await alice.exporter(a, 'x', text('y'), 32)).toEqual(await bob.exporter(b, 'x', text('y'), 32));
    expect(bob.members(b).map(({ leaf, address }) => [leaf, address.device])).toEqual([
      [0, id('alice')],
      [1, id('bob')],
    ]);
  });

  it('follow each other through a commit, and still read what was sealed before it from the state before it', async () => {
    const { alice, bob, a, b } = await conversation(first, second);
    const before = await bob.seal(b, text('before'), text(''));
    const fresh = await alice.commit(a, {}, NOW);
    const ahead = await alice.seal(fresh.state, text('after'), text(''));
    expect(await bob.open(before.state, ahead.message)).toEqual({ kind: 'future-epoch', epoch: 2n });
    const followed = await bob.open(before.state, fresh.commit);
    if (followed.kind !== 'commit') throw new Error(followed.kind);
    expect(asApplication(await bob.open(followed.state, ahead.message)).plaintext).toEqual(text('after'));
    expect(await alice.open(fresh.state, before.message)).toEqual({ kind: 'past-epoch', epoch: 1n });
    expect(asApplication(await alice.open(await stored(alice, fresh.parent), before.message)).plaintext).toEqual(text('before'));
    expect((await bob.open(followed.state, fresh.commit)).kind).toBe('past-epoch');
    expect(followed.state.authenticator).toEqual(fresh.state.authenticator);
  });
});

const DAY = 86_400;

describe('MlsEngine', () => {
  it('refuses a message of which any byte was changed', async () => {
    const { alice, bob, a, b } = await conversation();
    const { message } = await alice.seal(a, text('hello'), text('content id'));
    for (let index = 0; index < message.length; index += 7) {
      const tampered = message.slice();
      tampered[index] = (tampered[index] ?? 0) ^ 1;
      const outcome = await bob.open(b, tampered).then(
        (opened) => opened.kind,
        (error: unknown) => error,
      );
      if (typeof outcome === 'string') expect(['future-epoch', 'past-epoch']).toContain(outcome);
      else expect(outcome).toMatchObject({ name: 'MlsError' });
    }
    expect(asApplication(await bob.open(b, message)).plaintext).toEqual(text('hello'));
  });

  it('refuses a replayed message, its own message, and trailing bytes', async () => {
    const { alice, bob, a, b } = await conversation();
    const sealed = await alice.seal(a, text('hello'), text(''));
    const { state } = asApplication(await bob.open(b, sealed.message));
    await expect(bob.open(state, sealed.message)).rejects.toMatchObject({ reason: 'used-generation' });
    await expect(alice.open(sealed.state, sealed.message)).rejects.toMatchObject({ reason: 'own-message' });
    const { commit, parent } = await alice.commit(a, {}, NOW);
    await expect(alice.open(parent, commit)).rejects.toMatchObject({ reason: 'own-message' });
    await expect(bob.open(b, Uint8Array.of(...sealed.message, 0))).rejects.toMatchObject({ reason: 'trailing-bytes' });
    await expect(bob.open(b, sealed.message.slice(0, -1))).rejects.toMatchObject({ reason: 'malformed' });
    // The same message with the length of its group id written in two bytes.
    const [version, wireformat, rest] = [sealed.message.slice(0, 2), sealed.message.slice(2, 4), sealed.message.slice(5)];
    const longer = Uint8Array.of(...version, ...wireformat, 0x40, a.groupId.length, ...rest);
    await expect(bob.open(b, longer)).rejects.toMatchObject({ reason: 'malformed' });
  });

  it('tells a message of its own that its state does not know of', async () => {
    const { alice, a } = await conversation();
    const { message } = await alice.seal(a, text('hello'), text(''));
    const { commit } = await alice.commit(a, {}, NOW);
    await expect(alice.open(a, message)).rejects.toMatchObject({ reason: 'own-message-ahead' });
    await expect(alice.open(a, commit)).rejects.toMatchObject({ reason: 'own-message-ahead' });
  });

  it('refuses a device of another server', async () => {
    const { alice, created } = await conversation();
    const stranger = await deviceOf('carol', nodeProvider, 'other.example');
    const { publicBytes } = await packageOf(stranger);
    await expect(alice.addMembers(created, [publicBytes], NOW)).rejects.toMatchObject({ reason: 'wrong-server' });
  });

  it('refuses an identity that the account key did not sign for this signature key', async () => {
    const { account, signatureKeys, who } = identityOf('carol');
    const mallory = deviceKeys(nodeProvider);
    const make = (secret: Uint8Array, key: Uint8Array) => makeDeviceIdentity(nodeProvider, who, secret, key);
    const base = { provider: nodeProvider, server: SERVER };
    for (const identity of [make(mallory.secretKey, signatureKeys.publicKey), make(account.secretKey, mallory.publicKey)]) {
      await expect(MlsEngine.create({ ...base, identity, signatureKeys })).rejects.toMatchObject({ reason: 'bad-credential' });
    }
  });

  it('refuses to add or join with a forged account signature', async () => {
    const { account, signatureKeys, who } = identityOf('carol');
    const identity = makeDeviceIdentity(nodeProvider, who, account.secretKey, signatureKeys.publicKey);
    // Mallory's provider believes every signature: her engine is made, honest ones must not follow.
    const provider: MlsProvider = { ...nodeProvider, ed25519Verify: () => true };
    const forged = identity.slice();
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    const mallory = await MlsEngine.create({ provider, server: SERVER, identity: forged, signatureKeys });
    const bob = await deviceOf('bob', nodeProvider);
    const group = await mallory.createGroup(text('trap'), await packageOf(mallory), text(''));
    const offered = await packageOf(bob);
    const { welcome } = await mallory.addMembers(group, [offered.publicBytes], NOW);
    await expect(bob.joinFromWelcome(welcome ?? text(''), [offered])).rejects.toMatchObject({ reason: 'bad-credential' });
    await expect(bob.readKeyPackage((await packageOf(mallory)).publicBytes, NOW)).rejects.toMatchObject({ reason: 'bad-credential' });
  });

  it('refuses key packages that are expired, not yet valid, or valid too long', async () => {
    const { alice, created } = await conversation();
    const bob = await deviceOf('bob', nodeProvider);
    const lives = [
      ['expired', { notBefore: NOW - 2 * DAY, notAfter: NOW - DAY }],
      ['expired', { notBefore: NOW + DAY, notAfter: NOW + 2 * DAY }],
      ['lifetime-too-long', { notBefore: NOW, notAfter: NOW + 1000 * DAY }],
    ] as const;
    for (const [reason, life] of lives) {
      const { publicBytes } = await packageOf(bob, life);
      await expect(alice.addMembers(created, [publicBytes], NOW)).rejects.toMatchObject({ reason });
    }
    const { publicBytes } = await packageOf(bob);
    await expect(alice.addMembers(created, [Uint8Array.of(...publicBytes, 0)], NOW)).rejects.toMatchObject({ reason: 'trailing-bytes' });
  });

  it('refuses to add a device whose keys are already in the group', async () => {
    const { alice, bob, a } = await conversation();
    const again = await packageOf(bob);
    await expect(alice.addMembers(a, [again.publicBytes], NOW)).rejects.toMatchObject({ name: 'MlsError' });
  });

  it('tells a removed device so, and lets it read and send no more', async () => {
    const { alice, bob, a, b } = await conversation();
    const { commit, state } = await alice.commit(a, { remove: [1] }, NOW);
    const removed = await bob.open(b, commit);
    if (removed.kind !== 'commit') throw new Error(removed.kind);
    expect(removed).toMatchObject({ removed: [1], state: { removed: true } });
    await expect(bob.seal(removed.state, text('still here'), text(''))).rejects.toMatchObject({ reason: 'removed' });
    const secret = await alice.seal(state, text('without bob'), text(''));
    expect((await bob.open(b, secret.message)).kind).toBe('future-epoch');
  });

  it('opens every message once whatever the order they arrive in', async () => {
    const { alice, bob, a, b } = await conversation(nodeProvider, nodeProvider);
    const order = fc.shuffledSubarray([...Array(40).keys()], { minLength: 20 });
    await fc.assert(
      fc.asyncProperty(order, async (arrivals) => {
        const sealed: Uint8Array[] = [];
        let sender = a;
        for (let index = 0; index < 40; index += 1) {
          const next = await alice.seal(sender, text(`message ${index}`), text(''));
          sender = next.state;
          sealed.push(next.message);
        }
        let reader = b;
        for (const index of arrivals) {
          const message = sealed[index] ?? text('');
          const opened = asApplication(await bob.open(reader, message));
          expect(opened.plaintext).toEqual(text(`message ${index}`));
          reader = await stored(bob, opened.state);
          await expect(bob.open(reader, message)).rejects.toMatchObject({ reason: 'used-generation' });
        }
      }),
      { numRuns: 5 },
    );
  });
});

describe('the providers', () => {
  it.each([
    ['node', nodeProvider],
    ['browser', browserProvider],
  ])('of %s speaks HPKE with an independent implementation', async (_name, provider) => {
    const ours = suiteOf(provider).hpke;
    const theirs = (await defaultCryptoProvider.getCiphersuiteImpl(getCiphersuiteFromName(SUITE_NAME))).hpke;
    const pair = await ours.deriveKeyPair(text('thirty-two bytes of key material'));
    const other = await theirs.deriveKeyPair(text('thirty-two bytes of key material'));
    const publicKey = await ours.exportPublicKey(pair.publicKey);
    expect(publicKey).toEqual(await theirs.exportPublicKey(other.publicKey));
    const sealed = await theirs.seal(other.publicKey, text('hello'), text('info'), text('aad'));
    expect(await ours.open(pair.privateKey, sealed.enc, sealed.ct, text('info'), text('aad'))).toEqual(text('hello'));
    const back = await ours.seal(pair.publicKey, text('hello'), text('info'));
    expect(new Uint8Array(await theirs.open(other.privateKey, back.enc, back.ct, text('info')))).toEqual(text('hello'));
  });
});

describe('safetyNumber', () => {
  it('is twelve groups of five digits, the same for both and another for another key', () => {
    const [a, b, c] = [1, 2, 3].map((fill) => new Uint8Array(32).fill(fill)) as [Uint8Array, Uint8Array, Uint8Array];
    expect(safetyNumber(a, b)).toMatch(/^\d{5}( \d{5}){11}$/);
    expect(safetyNumber(a, b)).toBe(safetyNumber(b, a));
    expect(safetyNumber(a, b)).not.toBe(safetyNumber(a, c));
  });
});

describe('padding', () => {
  it('never shrinks, has a floor of 256 bytes and grows by at most an eighth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1 << 20 }), (length) => {
        const padded = paddedLength(length);
        expect(padded).toBeGreaterThanOrEqual(Math.max(length, 256));
        if (length > 256) expect(padded).toBeLessThanOrEqual(length * 1.125);
      }),
    );
  });
});

describe('the main entry', () => {
  it('bundles for browsers without a Node module', async () => {
    const entryPoints = [new URL('./index.ts', import.meta.url).pathname];
    const { metafile } = await build({
      entryPoints,
      bundle: true,
      write: false,
      metafile: true,
      platform: 'browser',
      format: 'esm',
      logLevel: 'silent',
    });
    expect(Object.keys(metafile.inputs).filter((path) => path.startsWith('node:'))).toEqual([]);
  });
});
