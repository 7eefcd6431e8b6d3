import { describe, expect, it } from '@jest/globals';
import { createGroup, type ClientState } from '#ts-mls/clientState.js';
import {
  createCommit,
  createGroupInfoWithExternalPubAndRatchetTree,
  joinGroupExternal,
  type CreateCommitOptions,
} from '#ts-mls/createCommit.js';
import { createProposal } from '#ts-mls/createMessage.js';
import { deriveSecret } from '#ts-mls/crypto/kdf.js';
import { extractEpochSecret } from '#ts-mls/groupContext.js';
import { extractWelcomeSecret, ratchetTreeFromExtension, signGroupInfo, type GroupInfo } from '#ts-mls/groupInfo.js';
import type { KeyPackage } from '#ts-mls/keyPackage.js';
import { encodeMlsMessage } from '#ts-mls/message.js';
import type { LeafNode } from '#ts-mls/leafNode.js';
import type { Proposal } from '#ts-mls/proposal.js';
import { encodeRatchetTree, type RatchetTree } from '#ts-mls/ratchetTree.js';
import { treeHashRoot } from '#ts-mls/treeHash.js';
import { decryptGroupInfo, decryptGroupSecrets, encryptGroupInfo, encryptGroupSecrets, type Welcome } from '#ts-mls/welcome.js';
import { fromHex } from '@sotto/protocol';
import { nodeProvider } from './crypto/node-provider.js';
import { MlsEngine } from './engine.js';
import {
  asApplication,
  deviceOf,
  groupOf,
  identityOf,
  LIFETIME,
  NOTHING,
  NOW,
  packageOf,
  SERVER,
  text,
  type Seat,
} from './fixtures/devices.js';
import { suite } from './fixtures/library-clients.js';
import { GROUP_DATA_EXTENSION } from './group-data.js';
import { addressExtension, decodePrivate, type OwnKeyPackage } from './key-package.js';
import { decodeMessage } from './wire.js';

/** Mallory is a member with a program of her own: the bare library. */
async function infiltrated() {
  const [alice, mallory] = (await groupOf([await deviceOf('alice'), await deviceOf('mallory')])) as [Seat, Seat];
  const inner = mallory.state.unsafeInner();
  const commit = async (options: CreateCommitOptions, state = inner) =>
    encodeMlsMessage((await createCommit({ state, cipherSuite: suite }, { ratchetTreeExtension: true, ...options })).commit);
  const opens = (message: Uint8Array) => alice.engine.open(alice.state, message);
  return { alice, mallory, inner, commit, opens };
}

function keyPackageOf({ publicBytes }: OwnKeyPackage): KeyPackage {
  const message = decodeMessage(publicBytes);
  if (message.wireformat !== 'mls_key_package') throw new Error(message.wireformat);
  return message.keyPackage;
}

const addOf = (own: OwnKeyPackage): Proposal => ({ proposalType: 'add', add: { keyPackage: keyPackageOf(own) } });
const because = (reason: string) => ({ name: 'MlsError', reason });

describe('A member follows no commit', () => {
  it('from outside the group', async () => {
    const { mallory, inner, opens } = await infiltrated();
    const info = await createGroupInfoWithExternalPubAndRatchetTree(inner, [], suite);
    const own = await packageOf(await deviceOf('eve'));
    const secret = decodePrivate(own.privateBytes, identityOf('eve').signatureKeys.secretKey);
    const config = mallory.state.unsafeInner().clientConfig;
    const { publicMessage } = await joinGroupExternal(info, keyPackageOf(own), secret, false, suite, undefined, config);
    const message = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage });
    await expect(opens(message)).rejects.toMatchObject(because('unsupported'));
  });

  it('whose committer becomes somebody else, or another leaf, or has no address', async () => {
    const { signatureKeys, identity, who, sign } = identityOf('mallory');
    const engine = await MlsEngine.create({ provider: nodeProvider, server: SERVER, identity, signatureKeys });
    const [alice, mallory] = (await groupOf([await deviceOf('alice'), engine])) as [Seat, Seat];
    const state = mallory.state.unsafeInner();
    const own = state.ratchetTree[2];
    if (own?.nodeType !== 'leaf') throw new Error('no leaf');
    const opens = async (changed: typeof state, options: CreateCommitOptions = {}) =>
      alice.engine.open(alice.state, encodeMlsMessage((await createCommit({ state: changed, cipherSuite: suite }, options)).commit));

    const credential = { credentialType: 'basic' as const, identity: sign({ ...who, accountName: 'alice' }) };
    const renamed = state.ratchetTree.with(2, { nodeType: 'leaf', leaf: { ...own.leaf, credential } });
    await expect(opens({ ...state, ratchetTree: renamed })).rejects.toMatchObject(because('identity-changed'));
    const address = { device: who.device, token: new Uint8Array(32), leaf: 'ab'.repeat(16) };
    await expect(opens(state, { leafNodeExtensions: [addressExtension(address)] })).rejects.toMatchObject(because('identity-changed'));
    await expect(opens(state, { leafNodeExtensions: [] })).rejects.toMatchObject(because('bad-credential'));
    await expect(opens(state)).resolves.toMatchObject({ kind: 'commit' });
  });

  it('that adds a leaf id or a device which is there, a package that lives too long, or a device of another server', async () => {
    const { alice, inner, commit, opens } = await infiltrated();
    const id = fromHex(alice.engine.members(alice.state)[0]?.id ?? '');
    const repeating = { ...nodeProvider, randomBytes: (length: number) => (length === id.length ? id : nodeProvider.randomBytes(length)) };
    const credulous = { ...inner, clientConfig: { ...inner.clientConfig, authService: { validateCredential: async () => true } } };
    const refused = [
      ['duplicate-key', await packageOf(await deviceOf('eve', repeating))],
      // What is sent to a device would go to one of its leaves alone.
      ['duplicate-key', await packageOf(await deviceOf('alice'))],
      ['lifetime-too-long', await packageOf(await deviceOf('eve'), { ...LIFETIME, notAfter: NOW + 1000 * 86_400 })],
      ['wrong-server', await packageOf(await deviceOf('eve', nodeProvider, 'other.example'))],
    ] as const;
    for (const [reason, own] of refused) {
      await expect(opens(await commit({ extraProposals: [addOf(own)] }, credulous))).rejects.toMatchObject(because(reason));
    }
    await expect(opens(await commit({ extraProposals: [addOf(await packageOf(await deviceOf('eve')))] }))).resolves.toBeDefined();
  });

  it('that leaves the group without its data, or gives it anything beside', async () => {
    const { commit, opens } = await infiltrated();
    const replace = (...types: number[]): Proposal => ({
      proposalType: 'group_context_extensions',
      groupContextExtensions: { extensions: types.map((extensionType) => ({ extensionType, extensionData: NOTHING })) },
    });
    for (const proposal of [replace(), replace(GROUP_DATA_EXTENSION, GROUP_DATA_EXTENSION), replace(0xf5a2)]) {
      await expect(opens(await commit({ extraProposals: [proposal] }))).rejects.toMatchObject(because('invalid'));
    }
    await expect(opens(await commit({ extraProposals: [replace(GROUP_DATA_EXTENSION)] }))).resolves.toBeDefined();
  });
});

describe('A member takes no proposal', () => {
  it('outside a commit', async () => {
    const { inner, opens } = await infiltrated();
    const { message } = await createProposal(inner, false, { proposalType: 'remove', remove: { removed: 0 } }, suite);
    await expect(opens(encodeMlsMessage(message))).rejects.toMatchObject(because('unsupported'));
  });
});

describe('A device joins no group', () => {
  it('that has no data', async () => {
    const { signatureKeys, identity } = identityOf('mallory');
    const mallory = await MlsEngine.create({ provider: nodeProvider, server: SERVER, identity, signatureKeys });
    const own = await packageOf(mallory);
    const bob = await deviceOf('bob');
    const offered = await packageOf(bob);
    const secret = decodePrivate(own.privateBytes, signatureKeys.secretKey);
    const state = await createGroup(text('bare'), keyPackageOf(own), secret, [], suite);
    const { welcome } = await createCommit({ state, cipherSuite: suite }, { extraProposals: [addOf(offered)], ratchetTreeExtension: true });
    if (welcome === undefined) throw new Error('nobody was added');
    const message = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome });
    await expect(bob.joinFromWelcome(message, [offered])).rejects.toMatchObject(because('invalid'));
  });
});

describe('A device joins by no Welcome whose GroupInfo is forged', () => {
  type Forgery = (info: GroupInfo, joinerSecret: Uint8Array, inner: ClientState) => Promise<GroupInfo> | GroupInfo;
  const signed = (info: GroupInfo, { signaturePrivateKey }: ClientState) => signGroupInfo(info, signaturePrivateKey, suite.signature);
  const UNKNOWN = { extensionType: 0xf5a2, extensionData: NOTHING };
  const flipped = (bytes: Uint8Array) => bytes.with(-1, (bytes.at(-1) ?? 0) ^ 1);

  function treeOf(info: GroupInfo): RatchetTree {
    const tree = ratchetTreeFromExtension(info);
    if (tree === undefined) throw new Error('no tree');
    return tree;
  }

  const withLeaf = (tree: RatchetTree, leaf: LeafNode) => tree.with(0, { nodeType: 'leaf', leaf });

  /** Eve in alice's place, whom nobody has added. */
  async function treeWithEve(info: GroupInfo): Promise<RatchetTree> {
    return withLeaf(treeOf(info), keyPackageOf(await packageOf(await deviceOf('eve'))).leafNode);
  }

  /** Alice's leaf with another key, which she has not signed. */
  async function treeWithAnotherKey(info: GroupInfo): Promise<RatchetTree> {
    const tree = treeOf(info);
    const [first] = tree;
    if (first?.nodeType !== 'leaf') throw new Error('no leaf');
    const { publicKey } = await suite.hpke.generateKeyPair();
    return withLeaf(tree, { ...first.leaf, hpkePublicKey: await suite.hpke.exportPublicKey(publicKey) });
  }

  function withTree(info: GroupInfo, tree: RatchetTree): GroupInfo {
    const extensions = info.extensions.map((each) =>
      each.extensionType === 'ratchet_tree' ? { ...each, extensionData: encodeRatchetTree(tree) } : each,
    );
    return { ...info, extensions };
  }

  /** All that depends on the tree goes with it: whoever made the epoch has its secrets. */
  async function consistent(info: GroupInfo, tree: RatchetTree, joinerSecret: Uint8Array): Promise<GroupInfo> {
    const groupContext = { ...info.groupContext, treeHash: await treeHashRoot(tree, suite.hash) };
    const secret = await extractEpochSecret(groupContext, joinerSecret, suite.kdf);
    const key = await deriveSecret(secret, 'confirm', suite.kdf);
    const confirmationTag = await suite.hash.mac(key, groupContext.confirmedTranscriptHash);
    return { ...withTree(info, tree), groupContext, confirmationTag };
  }

  const FORGERIES: readonly (readonly [string, string, Forgery])[] = [
    ['of which another is said to be the signer', 'bad-signature', (info, _, inner) => signed({ ...info, signer: 0 }, inner)],
    ['of which nobody is the signer', 'invalid', (info, _, inner) => signed({ ...info, signer: 9 }, inner)],
    ['with another signature', 'bad-signature', (info) => ({ ...info, signature: flipped(info.signature) })],
    ['changed after it was signed', 'bad-signature', (info) => ({ ...info, extensions: [...info.extensions, UNKNOWN] })],
    [
      'with another confirmation tag',
      'bad-signature',
      (info, _, inner) => signed({ ...info, confirmationTag: flipped(info.confirmationTag) }, inner),
    ],
    ['with another tree', 'invalid', async (info, _, inner) => signed(withTree(info, await treeWithEve(info)), inner)],
    [
      'with a tree of which a leaf is not signed, its hash and its tag',
      'bad-signature',
      async (info, joinerSecret, inner) => signed(await consistent(info, await treeWithAnotherKey(info), joinerSecret), inner),
    ],
  ];

  /** Mallory lets bob in, and seals to him what is made of her GroupInfo. */
  async function welcomed(forge: Forgery) {
    const { inner } = await infiltrated();
    const bob = await deviceOf('bob');
    const offered = await packageOf(bob);
    const { welcome, newState } = await createCommit(
      { state: inner, cipherSuite: suite },
      { extraProposals: [addOf(offered)], ratchetTreeExtension: true },
    );
    if (welcome === undefined) throw new Error('nobody was added');
    const { initPrivateKey } = decodePrivate(offered.privateBytes, NOTHING);
    const secrets = await decryptGroupSecrets(await suite.hpke.importPrivateKey(initPrivateKey), offered.reference, welcome, suite.hpke);
    const noPsk = new Uint8Array(suite.kdf.size);
    const info = secrets && (await decryptGroupInfo(welcome, secrets.joinerSecret, noPsk, suite));
    if (secrets === undefined || info === undefined) throw new Error('no GroupInfo');
    const forged = await forge(info, secrets.joinerSecret, newState);
    const encryptedGroupInfo = await encryptGroupInfo(forged, await extractWelcomeSecret(secrets.joinerSecret, noPsk, suite.kdf), suite);
    const initKey = await suite.hpke.importPublicKey(keyPackageOf(offered).initKey);
    const { enc, ct } = await encryptGroupSecrets(initKey, encryptedGroupInfo, secrets, suite.hpke);
    const sealed = [{ newMember: offered.reference, encryptedGroupSecrets: { kemOutput: enc, ciphertext: ct } }];
    const bytes = (each: Welcome) => encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome: each });
    const joins = (each: Welcome) => bob.joinFromWelcome(bytes(each), [offered]);
    return { joinsByForged: () => joins({ ...welcome, encryptedGroupInfo, secrets: sealed }), joinsByTrue: () => joins(welcome) };
  }

  it.each(FORGERIES)('%s; and by the true one after it', async (_name, reason, forge) => {
    const { joinsByForged, joinsByTrue } = await welcomed(forge);
    await expect(joinsByForged()).rejects.toMatchObject(because(reason));
    await expect(joinsByTrue()).resolves.toBeDefined();
  });

  it('but by one that is made anew and is true', async () => {
    const { joinsByForged } = await welcomed((info, joinerSecret, inner) =>
      consistent(info, treeOf(info), joinerSecret).then((made) => signed(made, inner)),
    );
    await expect(joinsByForged()).resolves.toMatchObject({ signer: { identity: { accountName: 'mallory' } } });
  });
});

describe('A ratchet', () => {
  async function sealed(count: number) {
    const [alice, bob] = (await groupOf([await deviceOf('alice'), await deviceOf('bob')])) as [Seat, Seat];
    const messages: Uint8Array[] = [];
    for (let { state } = alice; messages.length < count;) {
      const next = await alice.engine.seal(state, text(`message ${messages.length}`), NOTHING);
      state = next.state;
      messages.push(next.message);
    }
    return { bob, messages };
  }

  it('goes 2,000 generations forward, and keeps the last 1,000 that it passed', async () => {
    const { bob, messages } = await sealed(2002);
    const open = (index: number, state = bob.state) => bob.engine.open(state, messages[index] ?? NOTHING);
    await expect(open(2001)).rejects.toMatchObject(because('generation-too-far'));
    const { state } = asApplication(await open(2000));
    expect(asApplication(await open(1000, state)).plaintext).toEqual(text('message 1000'));
    await expect(open(999, state)).rejects.toMatchObject(because('used-generation'));
    expect(asApplication(await open(2001, state)).plaintext).toEqual(text('message 2001'));
  });
});
