import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { accountKeyPair, deviceKeys, makeDeviceIdentity, MlsEngine, MlsError, type GroupState } from '@sotto/mls';
import { replaceOutsideWorld } from './outside-world.js';
import { Random } from './random.js';
import { unsafeProvider } from './unsafe-provider.js';

const NOW = 1_800_000_000;
const text = (words: string) => new TextEncoder().encode(words);

async function engines(seed: number, count: number): Promise<MlsEngine[]> {
  const random = new Random(seed);
  const provider = unsafeProvider((length) => random.bytes(length));
  const made = Array.from({ length: count }, async (_, i) => {
    const account = accountKeyPair(provider);
    const signatureKeys = deviceKeys(provider);
    const id = i.toString(16).padStart(32, '0');
    const who = { server: 'chat.example', account: id, accountName: `name${i}`, device: id, accountKey: account.publicKey };
    const identity = makeDeviceIdentity(provider, who, account.secretKey, signatureKeys.publicKey);
    return MlsEngine.create({ provider, server: 'chat.example', identity, signatureKeys });
  });
  return Promise.all(made);
}

const packageOf = (engine: MlsEngine) =>
  engine.generateKeyPackage({ token: new Uint8Array(32), lifetime: { notBefore: NOW - 10, notAfter: NOW + 86_400 } });

/** The first adds all others, the last removes the second, and each says something. Returns every byte that was sent. */
async function conversation(seed: number): Promise<{ sent: Uint8Array[]; heard: string[]; states: GroupState[] }> {
  const members = await engines(seed, 5);
  const packages = await Promise.all(members.map(packageOf));
  const created = await members[0]!.createGroup(text('a group'), packages[0]!, text('data'));
  const added = await members[0]!.addMembers(
    created,
    packages.slice(1).map(({ publicBytes }) => publicBytes),
    NOW,
  );
  const states = [added.state];
  for (const [i, member] of members.entries()) if (i > 0) states.push((await member.joinFromWelcome(added.welcome!, [packages[i]!])).state);
  const sent = [added.welcome!];
  const removal = await members[4]!.commit(states[4]!, { remove: [1] }, NOW);
  sent.push(removal.commit);
  for (const i of [0, 1, 2, 3]) {
    const opened = await members[i]!.open(states[i]!, removal.commit);
    if (opened.kind === 'commit') states[i] = opened.state;
  }
  states[4] = removal.state;
  const sealed = await members[2]!.seal(states[2]!, text('hello'), text('content id'));
  sent.push(sealed.message);
  const heard = [];
  for (const i of [0, 3, 4]) {
    const opened = await members[i]!.open(states[i]!, sealed.message);
    heard.push(opened.kind === 'application' ? new TextDecoder().decode(opened.plaintext) : opened.kind);
  }
  return { sent, heard, states };
}

describe('the unsafe provider', () => {
  let restore: () => void;
  beforeEach(() => {
    restore = replaceOutsideWorld(() => NOW * 1_000, new Random(0));
  });
  afterEach(() => restore());

  it('lets a group talk and remove a member, who then opens nothing', async () => {
    const { heard, states } = await conversation(1);
    expect(heard).toEqual(['hello', 'hello', 'hello']);
    expect(states[1]!.removed).toBe(true);
    expect(new Set([0, 2, 3, 4].map((i) => Buffer.from(states[i]!.authenticator).toString('hex'))).size).toBe(1);
  });

  it('makes the same bytes from the same seed, and others from another', async () => {
    const { sent } = await conversation(1);
    expect((await conversation(1)).sent).toEqual(sent);
    expect((await conversation(2)).sent).not.toEqual(sent);
  });

  it('refuses what was altered', () => {
    const random = new Random(1);
    const provider = unsafeProvider((length) => random.bytes(length));
    const [secret, nonce, aad] = [random.bytes(16), random.bytes(12), text('aad')];
    const sealed = provider.aeadSeal(secret, nonce, aad, text('a secret of more than one block of the hash'));
    expect(new TextDecoder().decode(provider.aeadOpen(secret, nonce, aad, sealed))).toBe('a secret of more than one block of the hash');
    sealed[3]! ^= 1;
    expect(() => provider.aeadOpen(secret, nonce, aad, sealed)).toThrow(new MlsError('undecryptable'));
    const key = random.bytes(32);
    const signature = provider.ed25519Sign(key, text('yes'));
    expect(provider.ed25519Verify(provider.ed25519PublicKey(key), text('yes'), signature)).toBe(true);
    expect(provider.ed25519Verify(provider.ed25519PublicKey(key), text('no'), signature)).toBe(false);
    expect(provider.ed25519Verify(provider.ed25519PublicKey(random.bytes(32)), text('yes'), signature)).toBe(false);
  });

  it('agrees on a Diffie-Hellman value from both sides', () => {
    const random = new Random(1);
    const provider = unsafeProvider((length) => random.bytes(length));
    const [a, b] = [random.bytes(32), random.bytes(32)];
    const shared = provider.x25519(a, provider.x25519PublicKey(b));
    expect(provider.x25519(b, provider.x25519PublicKey(a))).toEqual(shared);
    expect(provider.x25519(a, provider.x25519PublicKey(a))).not.toEqual(shared);
  });
});
