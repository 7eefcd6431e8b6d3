import { describe, expect, it } from '@jest/globals';
import { nodeProvider } from './crypto/node-provider.js';
import type { MlsProvider } from './crypto/provider.js';
import { accountKeyPair, deviceKeys, makeDeviceIdentity } from './device-identity.js';
import { MlsEngine, type Opened } from './engine.js';
import type { GroupState } from './group-state.js';

const SERVER = 'chat.example';
const now = Math.floor(Date.now() / 1000);
const lifetime = { notBefore: now - 60, notAfter: now + 86_400 };
const gullible: MlsProvider = { ...nodeProvider, ed25519Verify: () => true };
const text = (words: string) => new TextEncoder().encode(words);

async function device(index: number, provider: MlsProvider = nodeProvider) {
  const account = accountKeyPair(nodeProvider);
  const signatureKeys = deviceKeys(nodeProvider);
  const id = index.toString(16).padStart(32, '0');
  const who = { server: SERVER, account: id, accountName: `member${index}`, device: id, accountKey: account.publicKey };
  const identity = makeDeviceIdentity(nodeProvider, who, account.secretKey, signatureKeys.publicKey);
  const engine = await MlsEngine.create({ provider, server: SERVER, identity, signatureKeys });
  const keyPackage = await engine.generateKeyPackage({ token: new Uint8Array(32).fill(7), lifetime });
  return { engine, keyPackage };
}

type Device = Awaited<ReturnType<typeof device>>;

async function join({ engine, keyPackage }: Device, welcome: Uint8Array | undefined): Promise<GroupState> {
  return (await engine.joinFromWelcome(welcome ?? new Uint8Array(), [keyPackage])).state;
}

async function follow({ engine }: Device, state: GroupState, message: Uint8Array): Promise<GroupState> {
  const opened: Opened = await engine.open(state, message);
  if (opened.kind !== 'commit') throw new Error(`opened a ${opened.kind}`);
  return opened.state;
}

const add = (by: Device, state: GroupState, added: Device[]) =>
  by.engine.addMembers(
    state,
    added.map(({ keyPackage }) => keyPackage.publicBytes),
    now,
  );

describe('A tree whose parents list different unmerged leaves (RFC 9420 §12.4.3.1)', () => {
  it('is joined by the ninth member, after the eighth was added below an updated parent', async () => {
    const [alice, ...others] = await Promise.all(Array.from({ length: 9 }, (_, index) => device(index)));
    const [bob, carol, dave] = [others[3], others[6], others[7]];
    if (!alice || !bob || !carol || !dave) throw new Error('too few devices');

    const alone = await alice.engine.createGroup(text('group of nine'), alice.keyPackage, text(''));
    const seven = await add(alice, alone, others.slice(0, 6));
    const updatedByBob = await bob.engine.commit(await join(bob, seven.welcome), {}, now);
    const eight = await add(alice, await follow(alice, seven.state, updatedByBob.commit), [carol]);
    const updatedByAlice = await alice.engine.commit(eight.state, {}, now);
    const nine = await add(alice, updatedByAlice.state, [dave]);

    const ofDave = await join(dave, nine.welcome);
    let ofCarol = await join(carol, eight.welcome);
    for (const { commit } of [updatedByAlice, nine]) ofCarol = await follow(carol, ofCarol, commit);
    expect(ofDave.authenticator).toEqual(nine.state.authenticator);
    expect(ofCarol.authenticator).toEqual(nine.state.authenticator);
    const { message } = await dave.engine.seal(ofDave, text('hello all'), new Uint8Array());
    expect(await carol.engine.open(ofCarol, message)).toMatchObject({ kind: 'application', plaintext: text('hello all'), senderLeaf: 8 });
  });
});

describe('A commit with two adds that are both refused', () => {
  it('is refused once, and leaves no rejection behind that would end the process', async () => {
    // Mallory's provider believes every signature.
    const [alice, mallory, ...others] = await Promise.all([device(0), device(1, gullible), device(2), device(3)]);
    const { state, welcome } = await add(alice, await alice.engine.createGroup(text('a group'), alice.keyPackage, text('')), [mallory]);
    const forged = others.map(({ keyPackage }) => ({
      ...keyPackage,
      publicBytes: keyPackage.publicBytes.with(-1, (keyPackage.publicBytes.at(-1) ?? 0) ^ 1),
    }));
    const { commit } = await add(
      mallory,
      await join(mallory, welcome),
      forged.map((keyPackage) => ({ ...mallory, keyPackage })),
    );
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      await expect(alice.engine.open(state, commit)).rejects.toMatchObject({ name: 'MlsError', reason: 'bad-signature' });
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      process.off('unhandledRejection', note);
    }
    expect(unhandled).toEqual([]);
  });
});
