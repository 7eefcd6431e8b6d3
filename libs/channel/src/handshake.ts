import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { CipherSuite, DhkemX25519HkdfSha256, ExportOnly, HkdfSha256 } from '@hpke/core';
import {
  type ClientHello,
  ClientHelloSchema,
  type GatewayCertificate,
  KEY_BYTES,
  type ServerHello,
  ServerHelloSchema,
  signedBytes,
  Suite,
} from '@sotto/protocol';
import { sign, type Trust, unsafeVerifyWithoutTime, type VerifiedCertificate, verify, verifyCertificate } from './certificate.js';
import { ChannelError } from './error.js';
import { directionKeys, HPKE_EXPORT_CONTEXT, HPKE_INFO, transcriptHash } from './key-schedule.js';
import { SealedChannel } from './sealed-channel.js';
import { ready } from './sodium.js';

const VERSION = 1;
/** A hello is some 400 bytes; the rest is room for a post-quantum KEM key. */
const MAX_HELLO_BYTES = 8 * 1024;
const NO_SIGNATURE = new Uint8Array(0);

const hpke = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new ExportOnly() });

type KemKeyPair = Awaited<ReturnType<typeof hpke.kem.generateKeyPair>>;

export interface GatewayIdentity {
  readonly certificate: GatewayCertificate;
  /** Ed25519 of the key in the certificate: 32 bytes of seed or libsodium's 64. */
  readonly gatewaySigningKey: Uint8Array;
}

export interface Answer {
  /** To send at once; boxes may follow it. */
  readonly clientHello: Uint8Array;
  readonly channel: SealedChannel;
  readonly identityKey: Uint8Array;
  /** What to trust from now on: SHA-256 of `identityKey`. On first use, show it and ask before anything secret is sent. */
  readonly pin: Uint8Array;
}

/** The gateway's side of one connection's handshake: send `hello`, give the answer to `accept`, drop this object. */
export class ServerHandshake {
  #kem: KemKeyPair | undefined;

  private constructor(
    /** Serialised ServerHello. */
    readonly hello: Uint8Array,
    kem: KemKeyPair,
  ) {
    this.#kem = kem;
  }

  static async start({ certificate, gatewaySigningKey }: GatewayIdentity): Promise<ServerHandshake> {
    await ready();
    const kem = await hpke.kem.generateKeyPair();
    const message = create(ServerHelloSchema, {
      version: VERSION,
      suites: [Suite.X25519_CHACHA20POLY1305],
      certificate,
      kemKey: new Uint8Array(await hpke.kem.serializePublicKey(kem.publicKey)),
      random: globalThis.crypto.getRandomValues(new Uint8Array(KEY_BYTES)),
    });
    message.signature = sign(toBeSigned(message), gatewaySigningKey);
    return new ServerHandshake(toBinary(ServerHelloSchema, message), kem);
  }

  /** Once only: a second hello on the same connection is `closed`. */
  async accept(clientHello: Uint8Array): Promise<SealedChannel> {
    const kem = this.#kem;
    this.#kem = undefined;
    if (kem === undefined) throw new ChannelError('closed');
    const { suite, enc } = decodeClientHello(clientHello);
    if (suite !== Suite.X25519_CHACHA20POLY1305) throw new ChannelError('no-common-suite');
    if (enc.length !== KEY_BYTES) throw new ChannelError('malformed');
    const exported = await malformedIfThrown(async () => {
      const recipient = await hpke.createRecipientContext({ recipientKey: kem, enc: new Uint8Array(enc).buffer, info: HPKE_INFO });
      return recipient.export(HPKE_EXPORT_CONTEXT, KEY_BYTES);
    });
    return openChannel(exported, this.hello, clientHello, 'server');
  }
}

/** The client's side: one step from the server's hello to an open channel. */
export class ClientHandshake {
  private constructor() {}

  /** Throws ChannelError; nothing may be sent then. */
  static async answer(serverHello: Uint8Array, trust: Trust): Promise<Answer> {
    await ready();
    const message = decodeServerHello(serverHello);
    const { gatewayKey, identityKey, pin } = await verifyCertificate(certificateOf(message), trust);
    if (!verify(message.signature, toBeSigned(message), gatewayKey)) throw new ChannelError('bad-signature');
    const { enc, exported } = await encapsulate(message.kemKey);
    const clientHello = toBinary(ClientHelloSchema, create(ClientHelloSchema, { suite: Suite.X25519_CHACHA20POLY1305, enc }));
    const channel = await openChannel(exported, serverHello, clientHello, 'client');
    return { clientHello, channel, identityKey, pin };
  }
}

/** Who a server is by its hello, whatever the clocks say: for a look at it, never for a channel. Throws ChannelError. */
export async function inspectServerHello(serverHello: Uint8Array, pin?: Uint8Array): Promise<VerifiedCertificate> {
  await ready();
  const message = decodeServerHello(serverHello);
  const shown = await unsafeVerifyWithoutTime(certificateOf(message), { pin });
  if (!verify(message.signature, toBeSigned(message), shown.gatewayKey)) throw new ChannelError('bad-signature');
  return shown;
}

function certificateOf(message: ServerHello): GatewayCertificate {
  if (message.version !== VERSION) throw new ChannelError('unsupported-version');
  if (message.certificate === undefined) throw new ChannelError('malformed');
  if (message.kemKey.length !== KEY_BYTES || message.random.length !== KEY_BYTES) throw new ChannelError('malformed');
  if (!message.suites.includes(Suite.X25519_CHACHA20POLY1305)) throw new ChannelError('no-common-suite');
  return message.certificate;
}

async function encapsulate(kemKey: Uint8Array): Promise<{ enc: Uint8Array; exported: ArrayBuffer }> {
  return malformedIfThrown(async () => {
    const recipientPublicKey = await hpke.kem.deserializePublicKey(new Uint8Array(kemKey).buffer);
    const sender = await hpke.createSenderContext({ recipientPublicKey, info: HPKE_INFO });
    return { enc: new Uint8Array(sender.enc), exported: await sender.export(HPKE_EXPORT_CONTEXT, KEY_BYTES) };
  });
}

async function openChannel(
  exported: ArrayBuffer,
  serverHello: Uint8Array,
  clientHello: Uint8Array,
  side: 'client' | 'server',
): Promise<SealedChannel> {
  const binding = await transcriptHash(serverHello, clientHello);
  return new SealedChannel(binding, directionKeys(new Uint8Array(exported), binding), side);
}

/** Of the server hello: itself, serialised with an empty signature. Fields unknown to us are kept, and so are signed. */
function toBeSigned(message: ServerHello): Uint8Array {
  return signedBytes('serverHello', toBinary(ServerHelloSchema, { ...message, signature: NO_SIGNATURE }));
}

function decodeServerHello(bytes: Uint8Array): ServerHello {
  if (bytes.length > MAX_HELLO_BYTES) throw new ChannelError('malformed');
  try {
    return fromBinary(ServerHelloSchema, bytes);
  } catch {
    throw new ChannelError('malformed');
  }
}

function decodeClientHello(bytes: Uint8Array): ClientHello {
  if (bytes.length > MAX_HELLO_BYTES) throw new ChannelError('malformed');
  try {
    return fromBinary(ClientHelloSchema, bytes);
  } catch {
    throw new ChannelError('malformed');
  }
}

/** A key of small order, or bytes that are no key, make the KEM throw errors of its own. */
async function malformedIfThrown<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch {
    throw new ChannelError('malformed');
  }
}
