import { create, toBinary } from '@bufbuild/protobuf';
import { CipherSuite, DhkemX25519HkdfSha256, ExportOnly, HkdfSha256 } from '@hpke/core';
import { SealedChannel, signCertificate } from '@sotto/channel';
import { makeDeviceIdentity, MlsEngine, type MlsProvider, safetyNumber } from '@sotto/mls';
import { nodeProvider } from '@sotto/mls/node';
import { ClientHelloSchema, fromHex, FramesSchema, HelloSchema, ServerHelloSchema, signedBytes, Suite, toHex } from '@sotto/protocol';
import { sign } from '../../libs/channel/dist/certificate.js';
import { directionKeys, HPKE_EXPORT_CONTEXT, HPKE_INFO, rekey, transcriptHash } from '../../libs/channel/dist/key-schedule.js';
import { encodeContent } from '../../libs/client/dist/content/content.js';
import { contentIdOf, messageRef } from '../../libs/client/dist/content/message-ref.js';
import { sealHello } from '../../libs/client/dist/groups/hello.js';
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

/** One after the other of the same length count up from 0x31. */
function countingProvider(): MlsProvider {
  let next = 0x31;
  return { ...nodeProvider, randomBytes: (length) => bytesOf(next++, length) };
}

async function keyPackageVector(lastResort: boolean) {
  const { accountIdentity, mlsSignature } = SEEDS;
  const signatureKeys = { secretKey: mlsSignature, publicKey: publicKeyOf(mlsSignature) };
  const who = { ...NAMES, accountKey: publicKeyOf(accountIdentity) };
  const identity = makeDeviceIdentity(nodeProvider, who, accountIdentity, signatureKeys.publicKey);
  const engine = await MlsEngine.create({ provider: countingProvider(), server: NAMES.server, identity, signatureKeys });
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
  const handshake = await handshakeVector();
  return {
    handshake,
    boxes: boxVector(handshake),
    token: tokenVector(),
    keyPackages: [await keyPackageVector(false), await keyPackageVector(true)],
    content: contentVector(),
    hello: helloVector(),
    recoveryFile: await recoveryVector(),
    safetyNumber: safetyVector(),
  };
}

export type Vectors = Awaited<ReturnType<typeof makeVectors>>;
