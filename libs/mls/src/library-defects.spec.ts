import { describe, expect, it } from '@jest/globals';
import { defaultAuthenticationService } from '#ts-mls/authenticationService.js';
import { applyProposals, makePskIndex, validateRatchetTree, type ClientState } from '#ts-mls/clientState.js';
import { encode } from '#ts-mls/codec/tlsEncoder.js';
import { varLenTypeEncoder } from '#ts-mls/codec/variableLength.js';
import { createCommit, createGroupInfoWithExternalPubAndRatchetTree, joinGroupExternal } from '#ts-mls/createCommit.js';
import { deriveSecret } from '#ts-mls/crypto/kdf.js';
import { externalSenderEncoder } from '#ts-mls/externalSender.js';
import { initializeEpoch } from '#ts-mls/keySchedule.js';
import { defaultLifetimeConfig } from '#ts-mls/lifetimeConfig.js';
import { protect, unprotectPrivateMessage } from '#ts-mls/messageProtection.js';
import { getCommitSecret } from '#ts-mls/pathSecrets.js';
import type { Proposal } from '#ts-mls/proposal.js';
import { addLeafNode, type RatchetTree } from '#ts-mls/ratchetTree.js';
import { createSecretTree, withRatchets, type SecretTree } from '#ts-mls/secretTree.js';
import { treeHashRoot } from '#ts-mls/treeHash.js';
import { toLeafIndex, toNodeIndex } from '#ts-mls/treemath.js';
import { nodeProvider } from './crypto/node-provider.js';
import type { MlsEngine } from './engine.js';
import { asCommit, deviceOf, groupOf, NOTHING, NOW, packageOf, text, type Seat } from './fixtures/devices.js';
import {
  addOf,
  allUpdated,
  commitTo,
  createAlone,
  CUSTOM,
  extensionsOf,
  joinBy,
  libraryClient,
  libraryGroup,
  mismatching,
  NO_PSK,
  receive,
  suite,
} from './fixtures/library-clients.js';
import type { GroupState } from './group-state.js';

type Four = [ClientState, ClientState, ClientState, ClientState];
/** Those beyond the size are not to be touched. */
const group = async (size: number) => (await libraryGroup(size)) as Four;

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new Error(`nothing at ${index}`);
  return value;
}

async function judge(tree: RatchetTree, { groupContext }: ClientState) {
  const hash = await treeHashRoot(tree, suite.hash);
  return validateRatchetTree(tree, groupContext, defaultLifetimeConfig, defaultAuthenticationService, hash, suite);
}

describe('A tree whose parents list different unmerged leaves (RFC 9420 §12.4.3.1)', () => {
  const follow = async (engine: MlsEngine, state: GroupState, message: Uint8Array) => asCommit(await engine.open(state, message)).state;

  it('is joined by the ninth member, after the eighth was added below an updated parent', async () => {
    const seven = await groupOf(await Promise.all(Array.from({ length: 7 }, (_, index) => deviceOf(`member ${index}`))));
    const [alice, bob] = [at(seven, 0), at(seven, 4)];
    const [carol, dave] = await Promise.all([deviceOf('carol'), deviceOf('dave')]);
    const [ofCarol, ofDave] = await Promise.all([packageOf(carol), packageOf(dave)]);

    const byBob = await bob.engine.commit(bob.state, {}, NOW);
    const eight = await alice.engine.addMembers(await follow(alice.engine, alice.state, byBob.commit), [ofCarol.publicBytes], NOW);
    const byAlice = await alice.engine.commit(eight.state, {}, NOW);
    const nine = await alice.engine.addMembers(byAlice.state, [ofDave.publicBytes], NOW);

    const joined = (await dave.joinFromWelcome(nine.welcome ?? NOTHING, [ofDave])).state;
    let followed = (await carol.joinFromWelcome(eight.welcome ?? NOTHING, [ofCarol])).state;
    for (const { commit } of [byAlice, nine]) followed = await follow(carol, followed, commit);
    for (const state of [joined, followed]) expect(state.authenticator).toEqual(nine.state.authenticator);
    const { message } = await dave.seal(joined, text('hello all'), NOTHING);
    expect(await carol.open(followed, message)).toMatchObject({ kind: 'application', plaintext: text('hello all'), senderLeaf: 8 });
  });

  it('is joined below a parent that lists more leaves than one above it', async () => {
    const [bob, , , , alice] = (await libraryGroup(8)) as [...Four, ClientState];
    const removal = await commitTo(
      bob,
      [1, 2].map((removed) => ({ proposalType: 'remove', remove: { removed } })),
    );
    const withCarol = await commitTo(await receive(alice, removal.commit), [addOf(await libraryClient('carol'))]);
    const byAlice = await commitTo(withCarol.newState, []);
    const dave = await libraryClient('dave');
    const withDave = await commitTo(byAlice.newState, [addOf(dave)]);
    const after = withDave.newState;
    // Node 3 is above leaves 0 to 3, node 7 is the root.
    const unmerged = [3, 7]
      .map((index) => after.ratchetTree[index])
      .map((node) => node?.nodeType === 'parent' && node.parent.unmergedLeaves);
    expect(unmerged).toEqual([[1, 2], [2]]);
    expect((await joinBy(withDave, dave)).keySchedule.epochAuthenticator).toEqual(after.keySchedule.epochAuthenticator);
  });

  it('is refused if a parent lists a leaf that does not lie below it, or one that is blank', async () => {
    const state = at(await allUpdated(await group(4)), 0);
    expect(await judge(state.ratchetTree, state)).toBeUndefined();
    const listing = (leaf: number) =>
      state.ratchetTree.map((node, index) =>
        index === 1 && node?.nodeType === 'parent' ? { ...node, parent: { ...node.parent, unmergedLeaves: [leaf] } } : node,
      );
    const message = 'Unmerged leaf did not represent a non-blank descendant leaf node';
    expect(await judge(listing(3), state)).toMatchObject({ message });
    const blank = listing(1).map((node, index) => (index === 2 ? undefined : node));
    expect(await judge(blank, state)).toMatchObject({ message });
  });
});

describe('The parent hashes of a tree (RFC 9420 §7.9.2)', () => {
  it('do not hold once a leaf was put below a parent that does not list it', async () => {
    const [first] = await group(4);
    const { newState } = await commitTo(first, [{ proposalType: 'remove', remove: { removed: 1 } }]);
    expect(await judge(newState.ratchetTree, newState)).toBeUndefined();
    const { publicPackage } = await libraryClient('mallory');
    const [listed] = addLeafNode(newState.ratchetTree, publicPackage.leafNode);
    expect(await judge(listed, newState)).toBeUndefined();
    const hidden = listed.map((node) => (node?.nodeType === 'parent' ? { ...node, parent: { ...node.parent, unmergedLeaves: [] } } : node));
    expect(await judge(hidden, newState)).toMatchObject({ message: 'Unable to verify parent hash' });
  });
});

describe('A commit that replaces the extensions of the group (RFC 9420 §12.1.7, §12.4)', () => {
  const extensions = [{ extensionType: CUSTOM, extensionData: text('new') }];

  it('must have a path', async () => {
    const [alice] = await group(2);
    const proposals = [{ proposalOrRefType: 'proposal', proposal: extensionsOf(extensions) } as const];
    const applied = await applyProposals(alice, proposals, toLeafIndex(0), NO_PSK, true, suite);
    expect(applied.needsUpdatePath).toBe(true);
  });

  it('has its path encrypted under the new group context', async () => {
    const [alice, bob] = await group(3);
    const { newState, commit } = await commitTo(alice, [extensionsOf(extensions), { proposalType: 'remove', remove: { removed: 2 } }]);
    const followed = await receive(bob, commit);
    expect(followed.groupContext).toEqual(newState.groupContext);
    expect(followed.groupContext.extensions).toEqual(extensions);
  });

  it('can clear them', async () => {
    const [alice, bob] = (await libraryGroup(2, extensions)) as Four;
    const { newState, commit } = await commitTo(alice, [extensionsOf([])]);
    expect(newState.groupContext.extensions).toEqual([]);
    expect((await receive(bob, commit)).groupContext.extensions).toEqual([]);
  });
});

describe('The extension external_pub (RFC 9420 §12.4.3.2)', () => {
  it('is written and read with the length of its key before it', async () => {
    const [alice, bob] = await group(2);
    const info = await createGroupInfoWithExternalPubAndRatchetTree(alice, [], suite);
    const published = info.extensions.find(({ extensionType }) => extensionType === 'external_pub')?.extensionData ?? NOTHING;
    expect([published.length, published[0]]).toEqual([33, 32]);
    const carol = await libraryClient('carol');
    const joinWith = (extensionData: Uint8Array) => {
      const extensions = info.extensions.map((each) => (each.extensionType === 'external_pub' ? { ...each, extensionData } : each));
      const changed = { ...info, extensions };
      return joinGroupExternal(changed, carol.publicPackage, carol.privatePackage, false, suite);
    };
    const { newState, publicMessage } = await joinWith(published);
    const followed = await receive(bob, { version: 'mls10', wireformat: 'mls_public_message', publicMessage });
    expect(followed.keySchedule.epochAuthenticator).toEqual(newState.keySchedule.epochAuthenticator);
    await expect(joinWith(Uint8Array.of(...published, 0))).rejects.toThrow('external_pub is not just a key');
  });
});

describe('The sender data of a private message (RFC 9420 §6.3.2)', () => {
  it('must name a leaf that is there', async () => {
    const [first] = await group(3);
    const { newState } = await commitTo(first, [{ proposalType: 'remove', remove: { removed: 1 } }]);
    const { keySchedule, groupContext, secretTree, ratchetTree, clientConfig } = newState;
    const auth = { contentType: 'application' as const, signature: new Uint8Array(64) };
    const content = { contentType: 'application' as const, applicationData: text('boo'), auth };
    const { privateMessage } = await protect(
      keySchedule.senderDataSecret,
      NOTHING,
      groupContext,
      secretTree,
      content,
      1,
      clientConfig.paddingConfig,
      suite,
    );
    const opened = unprotectPrivateMessage(
      keySchedule.senderDataSecret,
      privateMessage,
      secretTree,
      ratchetTree,
      groupContext,
      clientConfig.keyRetentionConfig,
      suite,
    );
    await expect(opened).rejects.toThrow('SenderData did not point to a non-blank leaf node');
  });
});

describe("A private message's commit with a pre-shared key", () => {
  it('is processed with the keys that the caller has', async () => {
    const [alice, bob] = await group(2);
    const pskIndex = makePskIndex(undefined, { [Buffer.from('our secret').toString('base64')]: new Uint8Array(32).fill(3) });
    const preSharedKeyId = { psktype: 'external', pskId: text('our secret'), pskNonce: new Uint8Array(32) } as const;
    const { newState, commit } = await createCommit(
      { state: alice, cipherSuite: suite, pskIndex },
      { extraProposals: [{ proposalType: 'psk', psk: { preSharedKeyId } }] },
    );
    const followed = await receive(bob, commit, pskIndex);
    expect(followed.keySchedule.epochAuthenticator).toEqual(newState.keySchedule.epochAuthenticator);
  });
});

describe('The extension external_senders (RFC 9420 §12.1.8.1)', () => {
  const sender = (name: string) => ({
    signaturePublicKey: new Uint8Array(32),
    credential: { credentialType: 'basic' as const, identity: text(name) },
  });
  const vector = (...names: string[]) => encode(varLenTypeEncoder(externalSenderEncoder))(names.map(sender));
  const createWith = async (extensionData: Uint8Array) => {
    const refused: string[] = [];
    const authService = {
      validateCredential: async (credential: { credentialType: string; identity?: Uint8Array }) => {
        const name = new TextDecoder().decode(credential.identity);
        if (name === 'mallory') refused.push(name);
        return name !== 'mallory';
      },
    };
    await createAlone(await libraryClient('alice'), [{ extensionType: 'external_senders', extensionData }], authService);
    return refused;
  };

  it('is a vector of senders, each of whom is judged', async () => {
    await expect(createWith(vector('bob', 'carol'))).resolves.toEqual([]);
    await expect(createWith(vector())).resolves.toEqual([]);
    await expect(createWith(vector('bob', 'mallory'))).rejects.toThrow('Could not validate external credential');
    await expect(createWith(Uint8Array.of(...vector('bob'), 0))).rejects.toThrow('Could not decode external_senders');
  });
});

describe('A public key on the path of a commit that its path secret does not give (RFC 9420 §7.5)', () => {
  // Of the key pairs that a commit derives the first is the leaf's, the second that of the lowest parent.
  const LOWEST_PARENT = 2;

  it('is refused by whoever gets the secret', async () => {
    const [alice, bob, carol] = await group(4);
    const { commit } = await commitTo(alice, [], mismatching(LOWEST_PARENT));
    await expect(receive(bob, commit)).rejects.toThrow('A path secret does not belong to the public key in the tree');
    await expect(receive(carol, commit)).resolves.toBeDefined();
  });

  it('is refused by whoever joins below it', async () => {
    const [alice] = await group(4);
    const dave = await libraryClient('dave');
    const proposals: Proposal[] = [{ proposalType: 'remove', remove: { removed: 1 } }, addOf(dave)];
    const joined = joinBy(await commitTo(alice, proposals, mismatching(LOWEST_PARENT)), dave);
    await expect(joined).rejects.toThrow('A path secret does not belong to the public key in the tree');
    await expect(joinBy(await commitTo(alice, proposals), dave)).resolves.toBeDefined();
  });
});

describe('A leaf that brings a key which is there already (RFC 9420 §7.3)', () => {
  it('is refused, unless it is that of a member whom the same commit removes', async () => {
    const [first, second] = await Promise.all([libraryClient('alice'), libraryClient('bob')]);
    const { newState } = await commitTo(await createAlone(first), [addOf(second)]);
    const { publicPackage } = second;
    const elsewhere = { ...publicPackage, leafNode: { ...publicPackage.leafNode, signaturePublicKey: new Uint8Array(32) } };
    await expect(commitTo(newState, [addOf({ ...second, publicPackage: elsewhere })])).rejects.toThrow('hpke keys not unique');
    const remove = { proposalType: 'remove', remove: { removed: 1 } } as const;
    await expect(commitTo(newState, [remove, addOf(second)])).resolves.toBeDefined();
  });
});

describe('A commit in a group of which one half is gone (RFC 9420 §7.4)', () => {
  it('has the secret that follows the last one of its path, which ends below the root', async () => {
    const members = (await libraryGroup(8)).slice(4) as Four;
    const removals = [0, 1, 2, 3].map((removed): Proposal => ({ proposalType: 'remove', remove: { removed } }));
    const { commit, newState } = await commitTo(members[0], removals);
    expect(newState.ratchetTree[7]).toBeUndefined();
    for (const other of members.slice(1)) {
      expect((await receive(other, commit)).keySchedule.epochAuthenticator).toEqual(newState.keySchedule.epochAuthenticator);
    }
    const pathSecret = new Uint8Array(32).fill(1);
    // Node 11 is the parent of leaves 4 to 7, right below the root.
    expect(await getCommitSecret(newState.ratchetTree, toNodeIndex(11), pathSecret, suite.kdf)).toEqual(
      await deriveSecret(pathSecret, 'path', suite.kdf),
    );
    const dave = await libraryClient('dave');
    const added = await commitTo(newState, [addOf(dave), extensionsOf([])]);
    expect((await joinBy(added, dave)).keySchedule.epochAuthenticator).toEqual(added.newState.keySchedule.epochAuthenticator);
  });
});

describe('A commit by which everybody else is removed (RFC 9420 §7.4)', () => {
  it('has a secret that those removed cannot compute', async () => {
    const [alice, bob] = await group(2);
    const { newState } = await commitTo(alice, [{ proposalType: 'remove', remove: { removed: 1 } }]);
    // The transcript is no secret to bob, who could open the commit.
    const zeroes = new Uint8Array(32);
    const guessed = await initializeEpoch(bob.keySchedule.initSecret, zeroes, newState.groupContext, zeroes, suite.kdf);
    expect(guessed.keySchedule.epochAuthenticator).not.toEqual(newState.keySchedule.epochAuthenticator);
    const carol = await libraryClient('carol');
    const added = await commitTo(newState, [addOf(carol)]);
    expect((await joinBy(added, carol)).keySchedule.epochAuthenticator).toEqual(added.newState.keySchedule.epochAuthenticator);
  });
});

describe('A member that the commit removes', () => {
  it('is told so, also when the commit gives its leaf to another', async () => {
    const [alice, bob] = await group(3);
    const { commit } = await commitTo(alice, [{ proposalType: 'remove', remove: { removed: 1 } }, addOf(await libraryClient('dave'))]);
    expect((await receive(bob, commit)).groupActiveState.kind).toBe('removedFromGroup');
  });
});

describe('A secret tree (RFC 9420 §9.2)', () => {
  it('derives what is used, forgets what lies above it, and leaves the tree before as it was', async () => {
    const tree = await createSecretTree(4, new Uint8Array(32).fill(1), suite.kdf);
    const used = await withRatchets(tree, 0, suite.kdf);
    const kinds = (each: SecretTree) => Array.from(each, (node) => (node === undefined ? '-' : 'secret' in node ? 'secret' : 'ratchets'));
    expect(kinds(tree)).toEqual(['-', '-', '-', 'secret', '-', '-', '-']);
    expect(kinds(used)).toEqual(['ratchets', '-', 'secret', '-', '-', 'secret', '-']);
    expect(kinds(await withRatchets(used, 3, suite.kdf))).toEqual(['ratchets', '-', 'secret', '-', 'secret', '-', 'ratchets']);
    expect(await withRatchets(used, 0, suite.kdf)).toBe(used);
    await expect(withRatchets(used, 4, suite.kdf)).rejects.toThrow('Bad node index for secret tree');
  });
});

describe('A commit with two adds that are both refused', () => {
  it('is refused once, and leaves no rejection behind that would end the process', async () => {
    // Mallory's provider believes every signature.
    const mallory = await deviceOf('mallory', { ...nodeProvider, ed25519Verify: () => true });
    const [alice, other] = (await groupOf([await deviceOf('alice'), mallory])) as [Seat, Seat];
    const packages = await Promise.all(['bob', 'carol'].map(async (name) => packageOf(await deviceOf(name))));
    const forged = packages.map(({ publicBytes }) => publicBytes.with(-1, (publicBytes.at(-1) ?? 0) ^ 1));
    const { commit } = await mallory.addMembers(other.state, forged, NOW);
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      await expect(alice.engine.open(alice.state, commit)).rejects.toMatchObject({ reason: 'bad-signature' });
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      process.off('unhandledRejection', note);
    }
    expect(unhandled).toEqual([]);
  });
});
