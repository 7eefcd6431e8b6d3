import { createGroup, decodeGroupState, encodeGroupState, joinGroup, makePskIndex, type ClientState } from 'ts-mls/clientState.js';
import type { ClientConfig } from 'ts-mls/clientConfig.js';
import { createCommit } from 'ts-mls/createCommit.js';
import { createApplicationMessage } from 'ts-mls/createMessage.js';
import type { CiphersuiteImpl } from 'ts-mls/crypto/ciphersuite.js';
import { defaultKeyPackageEqualityConfig } from 'ts-mls/keyPackageEqualityConfig.js';
import { generateKeyPackageWithKey, makeKeyPackageRef, verifyKeyPackage, type KeyPackage } from 'ts-mls/keyPackage.js';
import { verifyLeafNodeSignatureKeyPackage } from 'ts-mls/leafNode.js';
import { mlsExporter } from 'ts-mls/keySchedule.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import { decryptSenderData, type PrivateMessage } from 'ts-mls/privateMessage.js';
import { processPrivateMessage } from 'ts-mls/processMessages.js';
import type { Proposal } from 'ts-mls/proposal.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import type { SecretTree } from 'ts-mls/secretTree.js';
import type { SenderData } from 'ts-mls/sender.js';
import type { ProposalWithSender } from 'ts-mls/unappliedProposals.js';
import { concat, sameBytes } from './crypto/bytes.js';
import type { MlsProvider } from './crypto/provider.js';
import { SUITE_NAME, suiteOf } from './crypto/suite.js';
import { readDeviceIdentity, verifyDeviceIdentity, type DeviceIdentity, type SigningKeyPair } from './device-identity.js';
import { GroupState } from './group-state.js';
import {
  addressExtension,
  addressOf,
  CAPABILITIES,
  checkAlive,
  decodePrivate,
  encodePrivate,
  isLastResort,
  LAST_RESORT,
  type DeliveryAddress,
  type Lifetime,
  type OwnKeyPackage,
} from './key-package.js';
import { MlsError } from './mls-error.js';
import { paddedLength } from './padding.js';
import { checkProposals, checkSameIdentities, checkTree, identityBytes, leavesOf } from './policy.js';
import { decodeMessage, decodeWhole, refusing } from './wire.js';

const STATE_VERSION = 1;
const EMPTY = new Uint8Array();
const RETENTION = { retainKeysForGenerations: 1000, maximumForwardRatchetSteps: 2000, retainKeysForEpochs: 16 };
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

export interface Member {
  readonly leaf: number;
  readonly identity: DeviceIdentity;
  readonly address: DeliveryAddress;
}

export interface KeyPackageContents {
  readonly identity: DeviceIdentity;
  readonly address: DeliveryAddress;
  readonly lastResort: boolean;
  readonly lifetime: Lifetime;
  readonly reference: Uint8Array;
}

/** What a commit changes. Nothing in it: fresh keys for the committer. */
export interface Changes {
  /** MLSMessages with key packages. */
  readonly add?: readonly Uint8Array[];
  /** Leaf indices. */
  readonly remove?: readonly number[];
}

export interface Committed {
  readonly state: GroupState;
  /** MLSMessage for the members of the old epoch. Never to be opened by its author. */
  readonly commit: Uint8Array;
  /** MLSMessage for whoever is added. */
  readonly welcome: Uint8Array | undefined;
}

export interface Sender {
  readonly senderLeaf: number;
  readonly senderIdentity: DeviceIdentity;
  readonly authenticatedData: Uint8Array;
}

export type Opened =
  | ({ kind: 'application'; state: GroupState; plaintext: Uint8Array; epoch: bigint } & Sender)
  | ({ kind: 'commit'; state: GroupState; added: number[]; removed: number[]; epoch: bigint } & Sender)
  /** Sealed in an epoch this device has not reached: keep the bytes until the commits before it arrive. */
  | { kind: 'future-epoch'; epoch: bigint }
  /** The keys of that epoch are gone, or it is a commit on an epoch already left. */
  | { kind: 'past-epoch'; epoch: bigint };

interface EpochKeys {
  readonly ratchetTree: RatchetTree;
  readonly secretTree: SecretTree;
  readonly senderDataSecret: Uint8Array;
}

/**
 * MLS (RFC 9420) for one device. Pure: states go in, new states come out, nothing is stored, no clock is read (times are unix seconds
 * given by the caller). A returned state must be durable before the bytes returned beside it leave the device, or a crash uses
 * a generation twice. Throws MlsError and nothing else; the state passed in stays valid then.
 */
export class MlsEngine {
  readonly #suite: CiphersuiteImpl;
  readonly #config: ClientConfig;

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
    const { signatureKeys, identity } = this.options;
    const { publicPackage, privatePackage } = await refusing(() =>
      generateKeyPackageWithKey(
        { credentialType: 'basic', identity },
        CAPABILITIES,
        { notBefore: BigInt(wanted.lifetime.notBefore), notAfter: BigInt(wanted.lifetime.notAfter) },
        wanted.lastResort === true ? [LAST_RESORT] : [],
        { signKey: signatureKeys.secretKey, publicKey: signatureKeys.publicKey },
        this.#suite,
        [addressExtension({ device: this.ownIdentity.device, token: wanted.token })],
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
    const { lifetime, credential } = keyPackage.leafNode;
    return {
      identity: readDeviceIdentity(identityBytes(credential)),
      address: addressOf(keyPackage.leafNode),
      lastResort: isLastResort(keyPackage),
      lifetime: { notBefore: Number(lifetime.notBefore), notAfter: Number(lifetime.notAfter) },
      reference: await makeKeyPackageRef(keyPackage, this.#suite.hash),
    };
  }

  async createGroup(groupId: Uint8Array, own: OwnKeyPackage): Promise<GroupState> {
    const keyPackage = keyPackageOf(own.publicBytes);
    const secret = decodePrivate(own.privateBytes, this.options.signatureKeys.secretKey);
    return new GroupState(await refusing(() => createGroup(groupId, keyPackage, secret, [], this.#suite, this.#config)));
  }

  /** `now` in unix seconds: expired key packages are refused. */
  async addMembers(state: GroupState, keyPackages: readonly Uint8Array[], now: number): Promise<Committed> {
    return this.commit(state, { add: keyPackages }, now);
  }

  async commit(state: GroupState, changes: Changes, now: number, authenticatedData: Uint8Array = EMPTY): Promise<Committed> {
    refuseRemoved(state);
    const added = await Promise.all((changes.add ?? []).map((bytes) => this.#verifiedKeyPackage(bytes, now)));
    const proposals: Proposal[] = [
      ...(changes.remove ?? []).map((removed): Proposal => ({ proposalType: 'remove', remove: { removed } })),
      ...added.map((keyPackage): Proposal => ({ proposalType: 'add', add: { keyPackage } })),
    ];
    const inner = state.unsafeInner();
    const result = await refusing(() =>
      createCommit(
        { state: inner, cipherSuite: this.#suite },
        { extraProposals: proposals, ratchetTreeExtension: true, authenticatedData },
      ),
    );
    checkTree(result.newState.ratchetTree);
    return {
      state: new GroupState(result.newState),
      commit: encodeMlsMessage(result.commit),
      welcome: result.welcome && encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome: result.welcome }),
    };
  }

  /** Joins with whichever candidate the Welcome was made for; throws `no-key-package` if none. */
  async joinFromWelcome(
    welcomeBytes: Uint8Array,
    candidates: readonly OwnKeyPackage[],
  ): Promise<{ state: GroupState; used: OwnKeyPackage }> {
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
      return { state: new GroupState(joined), used };
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

  async open(state: GroupState, messageBytes: Uint8Array): Promise<Opened> {
    refuseRemoved(state);
    const message = decodeMessage(messageBytes);
    // Only members send in Sotto: no public messages, hence no external commits or proposals.
    if (message.wireformat !== 'mls_private_message') throw new MlsError('unsupported', 'not a PrivateMessage');
    const sealed = message.privateMessage;
    const inner = state.unsafeInner();
    if (!sameBytes(sealed.groupId, state.groupId)) throw new MlsError('wrong-group');
    if (sealed.epoch > state.epoch) return { kind: 'future-epoch', epoch: sealed.epoch };
    const keys = epochKeys(inner, sealed.epoch);
    if (keys === undefined) return { kind: 'past-epoch', epoch: sealed.epoch };
    if (sealed.contentType === 'proposal') throw new MlsError('unsupported', 'a proposal outside a commit');
    if (sealed.contentType === 'commit' && sealed.epoch < state.epoch) return { kind: 'past-epoch', epoch: sealed.epoch };
    const sender = await this.#senderOf(sealed, keys, state.ownLeaf);
    return this.#process(inner, sealed, sender);
  }

  /** RFC 9420 §8.5. */
  async exporter(state: GroupState, label: string, context: Uint8Array, length: number): Promise<Uint8Array> {
    const { exporterSecret } = state.unsafeInner().keySchedule;
    return refusing(() => mlsExporter(exporterSecret, label, context, length, this.#suite));
  }

  members(state: GroupState): Member[] {
    return leavesOf(state.unsafeInner().ratchetTree).map(({ index, leaf }) => ({
      leaf: index,
      identity: readDeviceIdentity(identityBytes(leaf.credential)),
      address: addressOf(leaf),
    }));
  }

  /** All secrets of the group, the device's signature key left out. */
  serialise(state: GroupState): Uint8Array {
    return concat(Uint8Array.of(STATE_VERSION), encodeGroupState({ ...state.unsafeInner(), signaturePrivateKey: EMPTY }));
  }

  deserialise(bytes: Uint8Array): GroupState {
    if (bytes[0] !== STATE_VERSION) throw new MlsError('malformed', 'a group state of an unknown version');
    const decoded = decodeWhole(decodeGroupState, bytes.slice(1));
    const signaturePrivateKey = this.options.signatureKeys.secretKey;
    return new GroupState({ ...decoded, signaturePrivateKey, clientConfig: this.#config });
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
  async #senderOf(sealed: PrivateMessage, keys: EpochKeys, ownLeaf: number): Promise<Sender> {
    const data = await refusing(() => decryptSenderData(sealed, keys.senderDataSecret, this.#suite));
    const node = data && keys.ratchetTree[data.leafIndex * 2];
    if (data === undefined || node?.nodeType !== 'leaf') throw new MlsError('invalid', 'the sender is not a member');
    if (data.leafIndex === ownLeaf) throw new MlsError('own-message');
    checkGeneration(data, keys.secretTree, sealed.contentType === 'application');
    return {
      senderLeaf: data.leafIndex,
      senderIdentity: readDeviceIdentity(identityBytes(node.leaf.credential)),
      authenticatedData: sealed.authenticatedData,
    };
  }

  async #process(inner: ClientState, sealed: PrivateMessage, sender: Sender): Promise<Opened> {
    let proposals: readonly ProposalWithSender[] = [];
    const result = await refusing(() =>
      processPrivateMessage(inner, sealed, makePskIndex(inner, {}), this.#suite, (incoming) => {
        proposals = incoming.kind === 'commit' ? incoming.proposals : [incoming.proposal];
        checkProposals(proposals);
        return 'accept';
      }),
    );
    const { newState } = result;
    const { epoch } = sealed;
    if (result.kind === 'applicationMessage') {
      return { kind: 'application', state: new GroupState(newState), plaintext: result.message, epoch, ...sender };
    }
    checkTree(newState.ratchetTree);
    checkSameIdentities(inner.ratchetTree, newState.ratchetTree, proposals);
    return { kind: 'commit', state: new GroupState(newState), ...membership(inner, newState, proposals), epoch, ...sender };
  }
}

function membership(before: ClientState, after: ClientState, proposals: readonly ProposalWithSender[]) {
  const removed = proposals.flatMap(({ proposal }) => (proposal.proposalType === 'remove' ? [proposal.remove.removed] : []));
  const stayed = new Set(
    leavesOf(before.ratchetTree)
      .map(({ index }) => index)
      .filter((index) => !removed.includes(index)),
  );
  const added = leavesOf(after.ratchetTree)
    .map(({ index }) => index)
    .filter((index) => !stayed.has(index));
  return { added, removed };
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

function epochKeys(state: ClientState, epoch: bigint): EpochKeys | undefined {
  if (epoch !== state.groupContext.epoch) return state.historicalReceiverData.get(epoch);
  const { ratchetTree, secretTree, keySchedule } = state;
  return { ratchetTree, secretTree, senderDataSecret: keySchedule.senderDataSecret };
}

function checkGeneration({ leafIndex, generation }: SenderData, tree: SecretTree, application: boolean): void {
  const node = tree[leafIndex * 2];
  const ratchet = application ? node?.application : node?.handshake;
  if (ratchet === undefined) throw new MlsError('invalid', 'the sender has no ratchet');
  if (generation < ratchet.generation && ratchet.unusedGenerations[generation] === undefined) throw new MlsError('used-generation');
  if (generation - ratchet.generation > RETENTION.maximumForwardRatchetSteps) throw new MlsError('generation-too-far');
}
