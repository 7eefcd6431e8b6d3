import { createGroup, joinGroup, makePskIndex, type ClientState } from '#ts-mls/clientState.js';
import type { ClientConfig } from '#ts-mls/clientConfig.js';
import { createCommit, type CreateCommitOptions } from '#ts-mls/createCommit.js';
import { createApplicationMessage } from '#ts-mls/createMessage.js';
import type { CiphersuiteImpl } from '#ts-mls/crypto/ciphersuite.js';
import { defaultKeyPackageEqualityConfig } from '#ts-mls/keyPackageEqualityConfig.js';
import {
  generateKeyPackageWithKey,
  makeKeyPackageRef,
  verifyKeyPackage,
  type KeyPackage,
  type PrivateKeyPackage,
} from '#ts-mls/keyPackage.js';
import { verifyLeafNodeSignatureKeyPackage, type LeafNode } from '#ts-mls/leafNode.js';
import { mlsExporter } from '#ts-mls/keySchedule.js';
import { encodeMlsMessage, type MLSMessage } from '#ts-mls/message.js';
import { unprotectPrivateMessage } from '#ts-mls/messageProtection.js';
import { decryptSenderData, type PrivateMessage } from '#ts-mls/privateMessage.js';
import { processPrivateMessage } from '#ts-mls/processMessages.js';
import type { Proposal } from '#ts-mls/proposal.js';
import { decryptGroupInfo, decryptGroupSecrets, type Welcome } from '#ts-mls/welcome.js';
import { toHex } from '@sotto/protocol';
import { sameBytes } from './crypto/bytes.js';
import * as hpke from './crypto/hpke.js';
import type { MlsProvider } from './crypto/provider.js';
import { SUITE_NAME, suiteOf } from './crypto/suite.js';
import { verifyDeviceIdentity, type DeviceIdentity, type SigningKeyPair } from './device-identity.js';
import { labelled } from './device-signature.js';
import { checkGeneration, nextGeneration, RETENTION } from './generation.js';
import { groupDataExtensions, groupDataOf } from './group-data.js';
import { GroupState } from './group-state.js';
import {
  addressExtension,
  CAPABILITIES,
  checkAlive,
  decodePrivate,
  encodePrivate,
  isLastResort,
  LAST_RESORT,
  LEAF_ID_BYTES,
  withToken,
  type DeliveryAddress,
  type Lifetime,
  type OwnKeyPackage,
} from './key-package.js';
import { identityBytes, readLeaf } from './leaf.js';
import { membersOf, type Member } from './member.js';
import { MlsError } from './mls-error.js';
import { applied, type Opened, type Sender } from './opened.js';
import { paddedLength } from './padding.js';
import { checkLeaves, checkProposals, checkTree } from './policy.js';
import { decodeParts, encodeEpoch, encodeRatchets } from './state-codec.js';
import { decodeMessage, peek, refusing, type Peeked } from './wire.js';

const EMPTY = new Uint8Array();
/** Above the payload: the application data's length prefix, the signature and its prefix (RFC 9420 §6.3.1). */
const CONTENT_OVERHEAD = 4 + 2 + 64;

export interface EngineOptions {
  readonly provider: MlsProvider;
  /** The one server whose devices may be in a group with this one. */
  readonly server: string;
  /** From makeDeviceIdentity. */
  readonly identity: Uint8Array;
  /** The device's MLS signature key. */
  readonly signatureKeys: SigningKeyPair;
}

export interface KeyPackageContents {
  readonly identity: DeviceIdentity;
  readonly address: DeliveryAddress;
  readonly lastResort: boolean;
  readonly lifetime: Lifetime;
  readonly reference: Uint8Array;
  /** What the leaf made from it will be called: lower-case hex. */
  readonly leafId: string;
}

/** What a commit changes. Nothing in it: fresh keys for the committer. */
export interface Changes {
  /** MLSMessages with key packages. */
  readonly add?: readonly Uint8Array[];
  /** Leaf indices. A device that joins again is removed and added by one commit. */
  readonly remove?: readonly number[];
  readonly groupData?: Uint8Array;
  /** The committer's new delivery token, 32 bytes. */
  readonly token?: Uint8Array;
}

export interface Committed {
  readonly state: GroupState;
  /** The old epoch, to be kept instead of the state that was passed: another commit made from it does not use this one's keys again. */
  readonly parent: GroupState;
  /** MLSMessage for the members of the old epoch. Never to be opened by its author. */
  readonly commit: Uint8Array;
  /** MLSMessage for whoever is added. */
  readonly welcome: Uint8Array | undefined;
}

/**
 * MLS (RFC 9420) for one device. Pure: states go in, new states come out, nothing is stored, no clock is read (times are unix seconds
 * given by the caller). A returned state must be durable before the bytes returned beside it leave the device, or a crash uses
 * a generation twice. Throws MlsError and nothing else; the state passed in stays valid then.
 */
export class MlsEngine {
  readonly #suite: CiphersuiteImpl;
  readonly #config: ClientConfig;
  #lastDecoded: { readonly bytes: Uint8Array; readonly message: MLSMessage } | undefined;

  private constructor(
    private readonly options: EngineOptions,
    readonly ownIdentity: DeviceIdentity,
  ) {
    this.#suite = suiteOf(options.provider);
    this.#config = {
      keyRetentionConfig: RETENTION,
      lifetimeConfig: { maximumTotalLifetime: 0n, validateLifetimeOnReceive: false },
      keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
      paddingConfig: { kind: 'alwaysPad', paddingLength: 0 },
      authService: {
        validateCredential: async (credential, signatureKey) => {
          verifyDeviceIdentity(options.provider, identityBytes(credential), signatureKey, options.server);
          return true;
        },
      },
    };
  }

  /** Throws if the identity is not this server's, or not signed for this signature key. */
  static async create(options: EngineOptions): Promise<MlsEngine> {
    const { provider, identity, signatureKeys, server } = options;
    return new MlsEngine(options, verifyDeviceIdentity(provider, identity, signatureKeys.publicKey, server));
  }

  /** A key package with its own delivery token (32 bytes). */
  async generateKeyPackage(wanted: {
    token: Uint8Array;
    lifetime: Lifetime;
    lastResort?: boolean;
  }): Promise<OwnKeyPackage & { reference: Uint8Array }> {
    const { signatureKeys, identity, provider } = this.options;
    const leaf = toHex(provider.randomBytes(LEAF_ID_BYTES));
    const { publicPackage, privatePackage } = await refusing(() =>
      generateKeyPackageWithKey(
        { credentialType: 'basic', identity },
        CAPABILITIES,
        { notBefore: BigInt(wanted.lifetime.notBefore), notAfter: BigInt(wanted.lifetime.notAfter) },
        wanted.lastResort === true ? [LAST_RESORT] : [],
        { signKey: signatureKeys.secretKey, publicKey: signatureKeys.publicKey },
        this.#suite,
        [addressExtension({ device: this.ownIdentity.device, token: wanted.token, leaf })],
      ),
    );
    return {
      publicBytes: encodeMlsMessage({ version: 'mls10', wireformat: 'mls_key_package', keyPackage: publicPackage }),
      privateBytes: encodePrivate(privatePackage),
      reference: await makeKeyPackageRef(publicPackage, this.#suite.hash),
    };
  }

  /** Verifies another device's key package as an add would, and says who it is. */
  async readKeyPackage(bytes: Uint8Array, now: number): Promise<KeyPackageContents> {
    const keyPackage = await this.#verifiedKeyPackage(bytes, now);
    const { lifetime } = keyPackage.leafNode;
    const { identity, address } = readLeaf(keyPackage.leafNode);
    return {
      identity,
      address,
      leafId: address.leaf,
      lastResort: isLastResort(keyPackage),
      lifetime: { notBefore: Number(lifetime.notBefore), notAfter: Number(lifetime.notAfter) },
      reference: await makeKeyPackageRef(keyPackage, this.#suite.hash),
    };
  }

  /** Alone in it, at epoch 0. */
  async createGroup(groupId: Uint8Array, own: OwnKeyPackage, groupData: Uint8Array): Promise<GroupState> {
    const keyPackage = keyPackageOf(own.publicBytes);
    const secret = decodePrivate(own.privateBytes, this.options.signatureKeys.secretKey);
    const extensions = groupDataExtensions(groupData);
    const created = await refusing(() => createGroup(groupId, keyPackage, secret, extensions, this.#suite, this.#config));
    checkTree(created.ratchetTree);
    return new GroupState(created);
  }

  /** `now` in unix seconds: expired key packages are refused. */
  async addMembers(state: GroupState, keyPackages: readonly Uint8Array[], now: number): Promise<Committed> {
    return this.commit(state, { add: keyPackages }, now);
  }

  async commit(state: GroupState, changes: Changes, now: number, authenticatedData: Uint8Array = EMPTY): Promise<Committed> {
    refuseRemoved(state);
    const inner = state.unsafeInner();
    const proposals = await this.#proposals(changes, now);
    const options: CreateCommitOptions = { extraProposals: proposals, ratchetTreeExtension: true, authenticatedData };
    if (changes.token !== undefined) options.leafNodeExtensions = withToken(ownLeafNode(inner), changes.token);
    const result = await refusing(() => createCommit({ state: inner, cipherSuite: this.#suite }, options));
    checkTree(result.newState.ratchetTree);
    checkLeaves(inner.ratchetTree, result.newState.ratchetTree, proposals);
    return {
      state: adopted(result.newState),
      parent: new GroupState({ ...inner, secretTree: result.usedSecretTree }),
      commit: encodeMlsMessage(result.commit),
      welcome: result.welcome && encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome: result.welcome }),
    };
  }

  /** Joins with whichever candidate the Welcome was made for; throws `no-key-package` if none. */
  async joinFromWelcome(
    welcomeBytes: Uint8Array,
    candidates: readonly OwnKeyPackage[],
  ): Promise<{ state: GroupState; used: OwnKeyPackage; signer: Member }> {
    const message = decodeMessage(welcomeBytes);
    if (message.wireformat !== 'mls_welcome') throw new MlsError('unsupported', 'not a Welcome');
    if (message.welcome.cipherSuite !== SUITE_NAME) throw new MlsError('unsupported', 'a Welcome of another suite');
    for (const used of candidates) {
      const keyPackage = keyPackageOf(used.publicBytes);
      const reference = await makeKeyPackageRef(keyPackage, this.#suite.hash);
      if (!message.welcome.secrets.some(({ newMember }) => sameBytes(newMember, reference))) continue;
      const secret = decodePrivate(used.privateBytes, this.options.signatureKeys.secretKey);
      const joined = await refusing(() =>
        joinGroup(message.welcome, keyPackage, secret, makePskIndex(undefined, {}), this.#suite, undefined, undefined, this.#config),
      );
      checkTree(joined.ratchetTree);
      groupDataOf(joined.groupContext.extensions);
      const signer = await this.#signerOf(message.welcome, reference, secret);
      return { state: new GroupState(joined), used, signer: membersOf(joined.ratchetTree).find(({ leaf }) => leaf === signer)! };
    }
    throw new MlsError('no-key-package');
  }

  /** An application message, padded. The authenticated data travels in clear beside the ciphertext, bound to it. */
  async seal(state: GroupState, plaintext: Uint8Array, authenticatedData: Uint8Array): Promise<{ state: GroupState; message: Uint8Array }> {
    refuseRemoved(state);
    const inner = state.unsafeInner();
    const padUntilLength = paddedLength(plaintext.length + CONTENT_OVERHEAD);
    const padding = { ...this.#config, paddingConfig: { kind: 'padUntilLength', padUntilLength } as const };
    const { newState, privateMessage } = await refusing(() =>
      createApplicationMessage({ ...inner, clientConfig: padding }, plaintext, this.#suite, authenticatedData),
    );
    return {
      state: new GroupState({ ...newState, clientConfig: this.#config }),
      message: encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage }),
    };
  }

  /** Opens what was sealed in this very epoch, on this branch. */
  async open(state: GroupState, messageBytes: Uint8Array): Promise<Opened> {
    refuseRemoved(state);
    const message = this.#decoded(messageBytes);
    // Only members send in Sotto: no public messages, hence no external commits or proposals.
    if (message.wireformat !== 'mls_private_message') throw new MlsError('unsupported', 'not a PrivateMessage');
    const sealed = message.privateMessage;
    if (!sameBytes(sealed.groupId, state.groupId)) throw new MlsError('wrong-group');
    if (sealed.epoch > state.epoch) return { kind: 'future-epoch', epoch: sealed.epoch };
    if (sealed.epoch < state.epoch) return { kind: 'past-epoch', epoch: sealed.epoch };
    if (sealed.contentType === 'proposal') throw new MlsError('unsupported', 'a proposal outside a commit');
    return this.#process(state.unsafeInner(), sealed);
  }

  /** What can be known of an MLSMessage without secrets. Throws MlsError `unsupported` for other than a PrivateMessage. */
  peek(messageBytes: Uint8Array): Peeked {
    return peek(this.#decoded(messageBytes));
  }

  /** What arrives is peeked at, and then opened. */
  #decoded(bytes: Uint8Array): MLSMessage {
    if (this.#lastDecoded?.bytes !== bytes) this.#lastDecoded = { bytes, message: decodeMessage(bytes) };
    return this.#lastDecoded.message;
  }

  /** RFC 9420 §8.5. */
  async exporter(state: GroupState, label: string, context: Uint8Array, length: number): Promise<Uint8Array> {
    const { exporterSecret } = state.unsafeInner().keySchedule;
    return refusing(() => mlsExporter(exporterSecret, label, context, length, this.#suite));
  }

  members(state: GroupState): Member[] {
    return membersOf(state.unsafeInner().ratchetTree);
  }

  groupData(state: GroupState): Uint8Array {
    return groupDataOf(state.unsafeInner().groupContext.extensions);
  }

  /** Of application messages: the next to be used by the own leaf, one past the highest opened of another. */
  generationOf(state: GroupState, leafIndex: number): number {
    const { ratchetTree, secretTree } = state.unsafeInner();
    if (ratchetTree[leafIndex * 2]?.nodeType !== 'leaf') throw new MlsError('invalid', 'no such leaf');
    return nextGeneration(secretTree, leafIndex, 'application');
  }

  /** With the device's MLS signature key, for whoever knows the leaf. */
  sign(label: string, bytes: Uint8Array): Uint8Array {
    const { provider, signatureKeys } = this.options;
    return provider.ed25519Sign(signatureKeys.secretKey, labelled(label, bytes));
  }

  verify(signatureKey: Uint8Array, label: string, bytes: Uint8Array, signature: Uint8Array): boolean {
    return this.options.provider.ed25519Verify(signatureKey, labelled(label, bytes), signature);
  }

  /** HPKE (RFC 9180, base mode) to that leaf's encryption key: enc || ciphertext. */
  sealToLeaf(state: GroupState, leafIndex: number, info: string, plaintext: Uint8Array): Uint8Array {
    const node = state.unsafeInner().ratchetTree[leafIndex * 2];
    if (node?.nodeType !== 'leaf') throw new MlsError('invalid', 'no such leaf');
    return hpke.seal(this.options.provider, node.leaf.hpkePublicKey, labelled(info, EMPTY), plaintext);
  }

  /** Opens what was sealed to the leaf of this key package while that leaf had not committed. */
  openAsLeaf(own: OwnKeyPackage, info: string, sealed: Uint8Array): Uint8Array {
    const { provider, signatureKeys } = this.options;
    const { hpkePrivateKey } = decodePrivate(own.privateBytes, signatureKeys.secretKey);
    return hpke.open(provider, hpke.keyPairOf(provider, hpkePrivateKey), labelled(info, EMPTY), sealed);
  }

  /** The secrets of the epoch, the device's signature key left out: changes with a commit only. */
  serialiseEpoch(state: GroupState): Uint8Array {
    return encodeEpoch(state.unsafeInner());
  }

  /** The ratchets of its members: changes with every message. */
  serialiseRatchets(state: GroupState): Uint8Array {
    return encodeRatchets(state.unsafeInner());
  }

  /** Throws MlsError `malformed`, also for parts of two epochs. */
  deserialiseParts(epoch: Uint8Array, ratchets: Uint8Array): GroupState {
    const signaturePrivateKey = this.options.signatureKeys.secretKey;
    return new GroupState(decodeParts(epoch, ratchets, { signaturePrivateKey, clientConfig: this.#config }));
  }

  async #proposals(changes: Changes, now: number): Promise<Proposal[]> {
    const added = await Promise.all((changes.add ?? []).map((bytes) => this.#verifiedKeyPackage(bytes, now)));
    const proposals: Proposal[] = [
      ...(changes.remove ?? []).map((removed): Proposal => ({ proposalType: 'remove', remove: { removed } })),
      ...added.map((keyPackage): Proposal => ({ proposalType: 'add', add: { keyPackage } })),
    ];
    if (changes.groupData === undefined) return proposals;
    const groupContextExtensions = { extensions: groupDataExtensions(changes.groupData) };
    return [...proposals, { proposalType: 'group_context_extensions', groupContextExtensions }];
  }

  async #verifiedKeyPackage(bytes: Uint8Array, now: number): Promise<KeyPackage> {
    const keyPackage = keyPackageOf(bytes);
    const { leafNode } = keyPackage;
    checkAlive(keyPackage, now);
    await refusing(() => this.#config.authService.validateCredential(leafNode.credential, leafNode.signaturePublicKey));
    const { signature } = this.#suite;
    const verified = await refusing(
      async () => (await verifyKeyPackage(keyPackage, signature)) && (await verifyLeafNodeSignatureKeyPackage(leafNode, signature)),
    );
    if (!verified) throw new MlsError('bad-signature', 'a key package is not signed by its leaf');
    return keyPackage;
  }

  /** Reads the sender and judges its generation first, so that a repeat has a reason of its own. */
  async #senderOf(sealed: PrivateMessage, inner: ClientState): Promise<Sender & { generation: number }> {
    const data = await refusing(() => decryptSenderData(sealed, inner.keySchedule.senderDataSecret, this.#suite));
    const node = data && inner.ratchetTree[data.leafIndex * 2];
    if (data === undefined || node?.nodeType !== 'leaf') throw new MlsError('invalid', 'the sender is not a member');
    const kind = sealed.contentType === 'application' ? 'application' : 'handshake';
    if (data.leafIndex === inner.privatePath.leafIndex) {
      if (data.generation < nextGeneration(inner.secretTree, data.leafIndex, kind)) throw new MlsError('own-message');
      await this.#verifyOwn(sealed, inner);
      throw new MlsError('own-message-ahead');
    }
    checkGeneration(data, inner.secretTree, kind);
    return {
      senderLeaf: data.leafIndex,
      senderIdentity: readLeaf(node.leaf).identity,
      authenticatedData: sealed.authenticatedData,
      generation: data.generation,
    };
  }

  /** Any member can name this leaf as the sender: only its signature shows that it was. Throws MlsError for a forgery. */
  async #verifyOwn(sealed: PrivateMessage, { keySchedule, secretTree, ratchetTree, groupContext }: ClientState): Promise<void> {
    const { senderDataSecret } = keySchedule;
    await refusing(() => unprotectPrivateMessage(senderDataSecret, sealed, secretTree, ratchetTree, groupContext, RETENTION, this.#suite));
  }

  /** Who signed the GroupInfo inside, that is who sent the Welcome. To be asked of one that was joined: the signature is checked there. */
  async #signerOf(welcome: Welcome, reference: Uint8Array, { initPrivateKey }: PrivateKeyPackage): Promise<number> {
    return refusing(async () => {
      const { hpke: hpkeImpl, kdf } = this.#suite;
      const secrets = await decryptGroupSecrets(await hpkeImpl.importPrivateKey(initPrivateKey), reference, welcome, hpkeImpl);
      const info = secrets && (await decryptGroupInfo(welcome, secrets.joinerSecret, new Uint8Array(kdf.size), this.#suite));
      if (info === undefined) throw new MlsError('invalid', 'a Welcome without a signer');
      return info.signer;
    });
  }

  async #process(inner: ClientState, sealed: PrivateMessage): Promise<Opened> {
    const sender = await this.#senderOf(sealed, inner);
    try {
      return await this.#processFrom(sender, inner, sealed);
    } catch (error) {
      throw error instanceof MlsError ? error.from(sender.senderIdentity) : error;
    }
  }

  async #processFrom(
    { generation, ...sender }: Sender & { generation: number },
    inner: ClientState,
    sealed: PrivateMessage,
  ): Promise<Opened> {
    let proposals: readonly Proposal[] = [];
    const result = await refusing(() =>
      processPrivateMessage(inner, sealed, makePskIndex(inner, {}), this.#suite, (incoming) => {
        const received = incoming.kind === 'commit' ? incoming.proposals : [incoming.proposal];
        proposals = received.map(({ proposal }) => proposal);
        checkProposals(proposals);
        return 'accept';
      }),
    );
    const { newState } = result;
    const { epoch } = sealed;
    if (result.kind === 'applicationMessage') {
      return { kind: 'application', state: new GroupState(newState), plaintext: result.message, epoch, generation, ...sender };
    }
    checkTree(newState.ratchetTree);
    checkLeaves(inner.ratchetTree, newState.ratchetTree, proposals);
    return { kind: 'commit', state: adopted(newState), ...applied(inner, newState, proposals), epoch, ...sender };
  }
}

/** The library keeps the epoch before as well; here the caller does. */
function adopted(state: ClientState): GroupState {
  return new GroupState({ ...state, historicalReceiverData: new Map() });
}

function ownLeafNode(inner: ClientState): LeafNode {
  const node = inner.ratchetTree[inner.privatePath.leafIndex * 2];
  if (node?.nodeType !== 'leaf') throw new MlsError('removed');
  return node.leaf;
}

function refuseRemoved(state: GroupState): void {
  if (state.removed) throw new MlsError('removed');
}

function keyPackageOf(bytes: Uint8Array): KeyPackage {
  const message = decodeMessage(bytes);
  if (message.wireformat !== 'mls_key_package') throw new MlsError('unsupported', 'not a key package');
  if (message.keyPackage.cipherSuite !== SUITE_NAME) throw new MlsError('unsupported', 'a key package of another suite');
  return message.keyPackage;
}
