import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, ExportOnly, HkdfSha256 } from '@hpke/core';
import { SealedChannel, signCertificate } from '@sotto/channel';
import { directData, encodeGroupData, makeDeviceIdentity, MlsEngine, type MlsProvider, safetyNumber } from '@sotto/mls';
import { nodeProvider } from '@sotto/mls/node';
import {
  ApprovalAnswerSchema,
  ApprovalOpeningSchema,
  ApprovalSecretSchema,
  ClientHelloSchema,
  EnvelopeSchema,
  fromHex,
  FramesSchema,
  GreetingSchema,
  HelloSchema,
  MessageAuthenticatedDataSchema,
  ServerHelloSchema,
  signedBytes,
  SignedTypingSchema,
  Suite,
  toHex,
  TypingSchema,
} from '@sotto/protocol';
import { sign } from '../../libs/channel/dist/certificate.js';
import { directionKeys, HPKE_EXPORT_CONTEXT, HPKE_INFO, rekey, transcriptHash } from '../../libs/channel/dist/key-schedule.js';
import { Newcomer } from '../../libs/client/dist/approvals/approval-exchange.js';
import { encodeContent } from '../../libs/client/dist/content/content.js';
import { contentIdOf, messageRef } from '../../libs/client/dist/content/message-ref.js';
import { sealHello } from '../../libs/client/dist/groups/hello.js';
import { GREETING_LABEL } from '../../libs/client/dist/groups/rejoining.js';
import { commitId, genesis } from '../../libs/client/dist/groups/stored-commit.js';
import { nodeArgon2id } from '../../libs/client/dist/node/argon2id.js';
import { deliveryToken, sealRecord } from '../../libs/client/dist/sodium.js';

/** Secrets and other fixed inputs: `length` times the same byte. */
const bytesOf = (byte: number, length = 32) => new Uint8Array(length).fill(byte);
const publicKeyOf = (seed: Uint8Array) => nodeProvider.ed25519PublicKey(seed);
const utf8 = (text: string) => new TextEncoder().encode(text);

export const hpke = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new ExportOnly() });

/** Unix seconds: when the certificate is good, and when the key package was made. */
export const NOW = 1_800_000_000;
const LIFETIME = { notBefore: NOW - 3_600, notAfter: NOW + 30 * 86_400 };
export const BOXES_BEFORE_REKEY = 4_096;
const NAMES = { server: 'chat.example', account: 'a1'.repeat(16), accountName: 'alice', device: 'd1'.repeat(16) } as const;
const BOBS_NAMES = { server: 'chat.example', account: 'b1'.repeat(16), accountName: 'bob', device: 'd2'.repeat(16) } as const;
const SEEDS = { serverIdentity: bytesOf(1), gateway: bytesOf(2), accountIdentity: bytesOf(5), mlsSignature: bytesOf(6) } as const;

async function kemPair(ikm: Uint8Array) {
  const pair = await hpke.kem.deriveKeyPair(ikm);
  const [secret, open] = await Promise.all([hpke.kem.serializePrivateKey(pair.privateKey), hpke.kem.serializePublicKey(pair.publicKey)]);
  return { pair, secret: new Uint8Array(secret), publicKey: new Uint8Array(open) };
}

function serverHelloOf(kemKey: Uint8Array): Uint8Array {
  const { serverIdentity, gateway } = SEEDS;
  const times = { notBefore: BigInt(NOW - 3_600), notAfter: BigInt(NOW + 3_600) };
  const body = { gatewayKey: publicKeyOf(gateway), identityKey: publicKeyOf(serverIdentity), ...times };
  const certificate = signCertificate(body, serverIdentity);
  const hello = create(ServerHelloSchema, { version: 1, suites: [Suite.X25519_CHACHA20POLY1305], certificate, kemKey, random: bytesOf(3) });
  hello.signature = sign(signedBytes('serverHello', toBinary(ServerHelloSchema, hello)), gateway);
  return toBinary(ServerHelloSchema, hello);
}

async function handshakeVector() {
  const [kem, ephemeral] = await Promise.all([kemPair(bytesOf(0x11)), kemPair(bytesOf(0x12))]);
  const serverHello = serverHelloOf(kem.publicKey);
  const sender = await hpke.createSenderContext({ recipientPublicKey: kem.pair.publicKey, info: HPKE_INFO, ekm: ephemeral.pair });
  const clientHello = toBinary(
    ClientHelloSchema,
    create(ClientHelloSchema, { suite: Suite.X25519_CHACHA20POLY1305, enc: new Uint8Array(sender.enc) }),
  );
  const exported = new Uint8Array(await sender.export(HPKE_EXPORT_CONTEXT, 32));
  const binding = await transcriptHash(serverHello, clientHello);
  const secrets = { serverIdentitySeed: SEEDS.serverIdentity, gatewaySeed: SEEDS.gateway, kemSecret: kem.secret };
  const hellos = {
    ephemeralSecret: ephemeral.secret,
    pin: nodeProvider.sha256(publicKeyOf(SEEDS.serverIdentity)),
    serverHello,
    clientHello,
  };
  return { now: NOW, ...inHex({ ...secrets, ...hellos, exported, binding, ...directionKeys(exported, binding) }) };
}

type HandshakeVector = Awaited<ReturnType<typeof handshakeVector>>;

/** Of client → server: the first box, and the first under the second key, both with the same frames. */
function boxVector({ binding, clientToServer, serverToClient }: HandshakeVector) {
  const keys = { clientToServer: fromHex(clientToServer), serverToClient: fromHex(serverToClient) };
  const channel = new SealedChannel(fromHex(binding), keys, 'client');
  const frames = toBinary(FramesSchema, create(FramesSchema, { frames: [{ kind: { case: 'ping', value: { nonce: 7 } } }] }));
  const boxes = Array.from({ length: BOXES_BEFORE_REKEY + 1 }, () => channel.seal(frames));
  const secondKey = new Uint8Array(64);
  secondKey.set(keys.clientToServer);
  rekey(secondKey, 0);
  return inHex({ frames, box0: boxes[0]!, key4096: secondKey.subarray(0, 32), box4096: boxes[BOXES_BEFORE_REKEY]! });
}

function tokenVector() {
  const [deliveryKey, capability] = [bytesOf(0x21), bytesOf(0x22, 16)];
  return inHex({ deliveryKey, capability, token: deliveryToken(capability, deliveryKey) });
}

/** Random bytes one after the other from these. */
function dealing(...dealt: Uint8Array[]): (length: number) => Uint8Array {
  return (length) => {
    const next = dealt.shift();
    if (next?.length !== length) throw new Error(`no ${length} bytes to deal`);
    return next;
  };
}

/** One after the other of the same length count up from there. */
function countingProvider(first = 0x31): MlsProvider {
  let next = first;
  return { ...nodeProvider, randomBytes: (length) => bytesOf(next++, length) };
}

interface Person {
  readonly names: { readonly server: string; readonly account: string; readonly accountName: string; readonly device: string };
  readonly accountIdentity: Uint8Array;
  readonly mlsSignature: Uint8Array;
}

const ALICE: Person = { names: NAMES, ...SEEDS };
const BOB: Person = { names: BOBS_NAMES, accountIdentity: bytesOf(8), mlsSignature: bytesOf(9) };

function identityOf({ names, accountIdentity, mlsSignature }: Person): Uint8Array {
  const who = { ...names, accountKey: publicKeyOf(accountIdentity) };
  return makeDeviceIdentity(nodeProvider, who, accountIdentity, publicKeyOf(mlsSignature));
}

function engineOf(person: Person, provider: MlsProvider = nodeProvider): Promise<MlsEngine> {
  const signatureKeys = { secretKey: person.mlsSignature, publicKey: publicKeyOf(person.mlsSignature) };
  return MlsEngine.create({ provider, server: person.names.server, identity: identityOf(person), signatureKeys });
}

export const engineOfAlice = () => engineOf(ALICE);
export const engineOfBob = () => engineOf(BOB);

async function keyPackageVector(lastResort: boolean) {
  const { accountIdentity, mlsSignature } = SEEDS;
  const [engine, identity] = [await engineOf(ALICE, countingProvider()), identityOf(ALICE)];
  const token = deliveryToken(bytesOf(0x22, 16), bytesOf(0x21));
  const { publicBytes, privateBytes, reference } = await engine.generateKeyPackage({ token, lifetime: LIFETIME, lastResort });
  const secrets = { accountIdentitySeed: accountIdentity, mlsSignatureSeed: mlsSignature };
  // Behind a byte of our own: see encodePrivate.
  const keys = { initSecret: privateBytes.subarray(1, 33), leafSecret: privateBytes.subarray(33) };
  return { ...NAMES, ...LIFETIME, lastResort, ...inHex({ ...secrets, ...keys, identity, message: publicBytes, reference }) };
}

function contentVector() {
  const salt = bytesOf(0x41, 16);
  const content = encodeContent({ kind: 'text', text: 'Tea at five?' }, { sentAt: 1_000 * NOW, expiresAt: undefined }, salt);
  const ref = messageRef(NAMES.account, content);
  return {
    account: NAMES.account,
    text: 'Tea at five?',
    sentAt: 1_000 * NOW,
    content: toHex(content),
    id: ref,
    contentId: contentIdOf(ref),
  };
}

/** Sealed for whoever holds one state; signed as any device signs beside messages. */
function helloVector() {
  const [group, state, helloKey, key] = [bytesOf(0x51), bytesOf(0x52, 16), bytesOf(0x53), bytesOf(0x54)];
  const hello = create(HelloSchema, {
    ...{ group, sender: fromHex(NAMES.device), recipient: bytesOf(0x55, 16), nonce: bytesOf(0x56, 16), leaf: bytesOf(0x57, 16) },
    ...{ token: bytesOf(0x58), headEpoch: 1n, path: state.subarray(0, 8), heldFrom: 1n, hop: 1 },
    digests: [{ state: state.subarray(0, 8), count: 1, ids: bytesOf(0x59, 8) }],
  });
  const signed = (bytes: Uint8Array) =>
    nodeProvider.ed25519Sign(SEEDS.mlsSignature, new Uint8Array([...utf8('sotto v1 hello\0'), ...bytes]));
  const random = dealing(key, bytesOf(0x5a, 24), bytesOf(0x5b, 24));
  const envelope = sealHello(hello, [{ by: toHex(state), key: helloKey }], { sign: signed, random });
  return inHex({ mlsSignatureSeed: SEEDS.mlsSignature, group, state, helloKey, key, hello: toBinary(HelloSchema, hello), envelope });
}

function envelopeOf(kind: MessageInitShape<typeof EnvelopeSchema>['kind']): Uint8Array {
  return toBinary(EnvelopeSchema, create(EnvelopeSchema, { kind }));
}

/** Bob begins a conversation of two with alice's one-time package, and says what the vector `content` says, as his. */
async function conversationVector(keyPackage: string) {
  const [group, token] = [bytesOf(0x91), deliveryToken(bytesOf(0x92, 16), bytesOf(0x93))];
  const engine = await engineOf(BOB, countingProvider(0xa1));
  const own = await engine.generateKeyPackage({ token, lifetime: LIFETIME });
  const begun = await engine.createGroup(group, own, encodeGroupData(directData([NAMES.account, BOBS_NAMES.account])));
  const { state, commit, welcome } = await engine.addMembers(begun, [fromHex(keyPackage)], NOW);
  const [parent, head] = [fromHex(genesis(toHex(group), nodeProvider)), fromHex(commitId(commit, nodeProvider))];
  const content = fromHex(contentVector().content);
  const id = messageRef(BOBS_NAMES.account, content);
  const authenticatedData = toBinary(
    MessageAuthenticatedDataSchema,
    create(MessageAuthenticatedDataSchema, { contentId: fromHex(contentIdOf(id)) }),
  );
  const { message } = await engine.seal(state, content, authenticatedData);
  const exported = async (label: string) => engine.exporter(state, label, new Uint8Array(), 32);
  const [commitSlot, helloKey, typingKey] = [
    await exported('sotto commit slot'),
    await exported('sotto hello'),
    await exported('sotto typing'),
  ];
  return {
    id,
    ...inHex({
      ...{ group, parent, state: head, commitSlot, helloKey, typingKey },
      welcome: envelopeOf({ case: 'welcome', value: { welcome: welcome!, commit: { parent, message: commit } } }),
      application: envelopeOf({ case: 'application', value: { state: head, message } }),
      typing: typingOf({ group, state: head }, engine, typingKey),
      greeting: greetingOf(group, (greeting) => engine.sealToLeaf(state, 1, GREETING_LABEL, greeting)),
    }),
  };
}

function typingOf(named: { group: Uint8Array; state: Uint8Array }, engine: MlsEngine, key: Uint8Array): Uint8Array {
  const typing = toBinary(TypingSchema, create(TypingSchema, { ...named, sender: fromHex(BOBS_NAMES.device), at: BigInt(1_000 * NOW) }));
  const signed = toBinary(SignedTypingSchema, create(SignedTypingSchema, { typing, signature: engine.sign('typing', typing) }));
  const sealed = sealRecord(signed, `typing ${toHex(named.group)}`, key, dealing(bytesOf(0x94, 24)));
  return envelopeOf({ case: 'typing', value: { ...named, sealed } });
}

function greetingOf(group: Uint8Array, seal: (greeting: Uint8Array) => Uint8Array): Uint8Array {
  const names = { group, id: bytesOf(0x95, 16), key: bytesOf(0x96), sender: fromHex(BOBS_NAMES.device), token: bytesOf(0x97) };
  return envelopeOf({ case: 'greeting', value: { sealed: seal(toBinary(GreetingSchema, create(GreetingSchema, names))) } });
}

export const APPROVAL = {
  account: NAMES.account,
  device: 'd3'.repeat(16),
  deviceName: 'tablet',
  identityKey: publicKeyOf(SEEDS.accountIdentity),
};

/** The new device, with the keys that it made for this approval. */
export async function newcomer(): Promise<Newcomer> {
  const { pair, publicKey } = await kemPair(bytesOf(0x13));
  const opening = create(ApprovalOpeningSchema, { kemKey: publicKey, nonce: bytesOf(0x82) });
  return Reflect.construct(Newcomer, [APPROVAL, pair, opening]) as Newcomer;
}

async function approvalVector() {
  const [{ pair, secret, publicKey }, ephemeral, device] = [await kemPair(bytesOf(0x13)), await kemPair(bytesOf(0x14)), await newcomer()];
  const answer = toBinary(ApprovalAnswerSchema, create(ApprovalAnswerSchema, { nonce: bytesOf(0x83) }));
  const { opening, code } = device.answer(answer);
  const ids = [fromHex(APPROVAL.account), APPROVAL.identityKey, fromHex(APPROVAL.device), publicKey, bytesOf(0x82), bytesOf(0x83)];
  const transcript = nodeProvider.sha256(joined(utf8('sotto v1 approval code\0'), ...ids, utf8(APPROVAL.deviceName)));
  const sealing = new CipherSuite({ kem: hpke.kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() });
  const info = joined(utf8('sotto v1 approval secret\0'), transcript).buffer;
  const sender = { recipientPublicKey: pair.publicKey, info, ekm: ephemeral.pair };
  const { enc, ct } = await sealing.seal(sender, SEEDS.accountIdentity.buffer as ArrayBuffer);
  const sealed = toBinary(ApprovalSecretSchema, create(ApprovalSecretSchema, { enc: new Uint8Array(enc), ciphertext: new Uint8Array(ct) }));
  const { account, deviceName, identityKey } = APPROVAL;
  return {
    ...{ account, device: APPROVAL.device, deviceName, code },
    ...inHex({ identityKey, accountIdentitySeed: SEEDS.accountIdentity, kemSecret: secret, transcript }),
    messages: [device.commitment, answer, opening, sealed].map(toHex),
  };
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

async function recoveryVector() {
  const passphrase = 'a passphrase for the drawer';
  const salt = bytesOf(0x61, 16);
  const key = await nodeArgon2id(utf8(passphrase), salt, { memoryKib: 65_536, passes: 1 });
  const sealed = sealRecord(SEEDS.accountIdentity, 'recovery', key, dealing(bytesOf(0x62, 24)));
  const file = new Uint8Array([...utf8('sotto recovery 2\n'), ...salt, ...sealed]);
  return { passphrase, ...inHex({ accountIdentitySeed: SEEDS.accountIdentity, key, file }) };
}

function safetyVector() {
  const [one, other] = [publicKeyOf(SEEDS.accountIdentity), publicKeyOf(bytesOf(0x71))];
  return { ...inHex({ one, other }), number: safetyNumber(one, other) };
}

function inHex<Field extends string>(fields: Record<Field, Uint8Array>): Record<Field, string> {
  const hex = Object.entries<Uint8Array>(fields).map(([name, bytes]) => [name, toHex(bytes)]);
  return Object.fromEntries(hex) as Record<Field, string>;
}

/** What docs/vectors.json holds: made from fixed inputs by the code that speaks on the wire. */
export async function makeVectors() {
  const [handshake, oneTime, lastResort] = [await handshakeVector(), await keyPackageVector(false), await keyPackageVector(true)];
  return {
    handshake,
    boxes: boxVector(handshake),
    token: tokenVector(),
    keyPackages: [oneTime, lastResort],
    content: contentVector(),
    hello: helloVector(),
    conversation: await conversationVector(oneTime.message),
    approval: await approvalVector(),
    recoveryFile: await recoveryVector(),
    safetyNumber: safetyVector(),
  };
}

export type Vectors = Awaited<ReturnType<typeof makeVectors>>;
