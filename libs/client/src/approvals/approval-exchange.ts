import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  type ApprovalOpening,
  ApprovalAnswerSchema,
  ApprovalCommitmentSchema,
  ApprovalOpeningSchema,
  ApprovalSecretSchema,
  fromHex,
  KEY_BYTES,
  toHex,
} from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import { keyPairOf, randomBytes } from '../sodium.js';

// Two devices of an account compare a short code (a SAS with a commitment; Vaudenay, CRYPTO 2005). The new device commits to its key and nonce before
// it sees the old one's nonce, and the old one picks its nonce before it sees what was committed to: so whoever sits between has one blind guess in 10^8.

const CODE_DIGITS = 8;
const SECRET_INFO = 'sotto v1 approval secret\0';
const COMMITMENT = 'sotto v1 approval commitment\0';
const CODE = 'sotto v1 approval code\0';

const hpke = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
type KemKeyPair = Awaited<ReturnType<typeof hpke.kem.generateKeyPair>>;

/** What both ends must agree on. Each takes it from where it knows it, so that a difference makes another code. */
export interface ApprovalContext {
  /** Lower-case hex. */
  readonly account: string;
  /** The device that waits, lower-case hex. */
  readonly device: string;
  readonly deviceName: string;
  /** The account's, public half. */
  readonly identityKey: Uint8Array;
}

/** The new device's side. */
export class Newcomer {
  /** Message 0. */
  readonly commitment: Uint8Array;
  #transcript: Uint8Array | undefined;

  private constructor(
    private readonly context: ApprovalContext,
    private readonly kem: KemKeyPair,
    private readonly opening: ApprovalOpening,
  ) {
    const commitment = commitmentOf(context, opening);
    this.commitment = toBinary(ApprovalCommitmentSchema, create(ApprovalCommitmentSchema, { commitment }));
  }

  static async start(context: ApprovalContext): Promise<Newcomer> {
    const kem = await hpke.kem.generateKeyPair();
    const kemKey = new Uint8Array(await hpke.kem.serializePublicKey(kem.publicKey));
    return new Newcomer(context, kem, create(ApprovalOpeningSchema, { kemKey, nonce: randomBytes(KEY_BYTES) }));
  }

  /** Takes message 1; message 2 and the code come back. Once only: a second answer could be chosen to fit what was opened for the first. */
  answer(message: Uint8Array): { opening: Uint8Array; code: string } {
    if (this.#transcript !== undefined) throw broken('a second answer');
    const { nonce } = parsed(() => fromBinary(ApprovalAnswerSchema, message));
    this.#transcript = transcriptOf(this.context, this.opening, nonce);
    return { opening: toBinary(ApprovalOpeningSchema, this.opening), code: codeOf(this.#transcript) };
  }

  /** Takes message 3: the seed of the account's identity key. Throws ClientError `approval-broken` when it is not sealed for us or not of this account. */
  async open(message: Uint8Array): Promise<Uint8Array> {
    if (this.#transcript === undefined) throw broken('a key before the answer');
    const { enc, ciphertext } = parsed(() => fromBinary(ApprovalSecretSchema, message));
    const seed = await this.#opened(enc, ciphertext, infoOf(this.#transcript));
    if (seed.length !== KEY_BYTES || toHex(keyPairOf(seed).publicKey) !== toHex(this.context.identityKey))
      throw broken('a key of another account');
    return seed;
  }

  async #opened(enc: Uint8Array, ciphertext: Uint8Array, info: ArrayBuffer): Promise<Uint8Array> {
    try {
      const recipient = { recipientKey: this.kem.privateKey, enc: new Uint8Array(enc).buffer, info };
      return new Uint8Array(await hpke.open(recipient, new Uint8Array(ciphertext).buffer));
    } catch {
      throw broken('a key that is not sealed for this device');
    }
  }
}

/** The old device's side. */
export class Approver {
  readonly #nonce = randomBytes(KEY_BYTES);
  #opened: { opening: ApprovalOpening; transcript: Uint8Array } | undefined;

  /** @param commitment message 0. */
  constructor(
    private readonly context: ApprovalContext,
    readonly commitment: Uint8Array,
  ) {}

  /** Message 1. */
  get answer(): Uint8Array {
    return toBinary(ApprovalAnswerSchema, create(ApprovalAnswerSchema, { nonce: this.#nonce }));
  }

  /** Takes message 2; the code comes back. Throws ClientError `approval-broken` when it is not what was committed to. */
  open(message: Uint8Array): string {
    const opening = parsed(() => fromBinary(ApprovalOpeningSchema, message));
    const { commitment } = parsed(() => fromBinary(ApprovalCommitmentSchema, this.commitment));
    if (toHex(commitment) !== toHex(commitmentOf(this.context, opening))) throw broken('another key than was committed to');
    this.#opened = { opening, transcript: transcriptOf(this.context, opening, this.#nonce) };
    return codeOf(this.#opened.transcript);
  }

  /** Message 3. To be called only when the user has seen the same code on both devices. */
  async seal(identitySeed: Uint8Array): Promise<Uint8Array> {
    if (this.#opened === undefined) throw broken('no code yet');
    const { opening, transcript } = this.#opened;
    const recipientPublicKey = await hpke.kem.deserializePublicKey(new Uint8Array(opening.kemKey).buffer);
    const { enc, ct } = await hpke.seal({ recipientPublicKey, info: infoOf(transcript) }, new Uint8Array(identitySeed).buffer);
    const secret = create(ApprovalSecretSchema, { enc: new Uint8Array(enc), ciphertext: new Uint8Array(ct) });
    return toBinary(ApprovalSecretSchema, secret);
  }
}

/** As people write a code: spaces and hyphens are theirs. */
export function isSameCode(code: string, typed: string): boolean {
  return typed.replaceAll(/[\s-]/g, '') === code;
}

function commitmentOf({ device, deviceName }: ApprovalContext, { kemKey, nonce }: ApprovalOpening): Uint8Array {
  return hashOf(COMMITMENT, fromHex(device), fixed(kemKey), fixed(nonce), new TextEncoder().encode(deviceName));
}

function transcriptOf(context: ApprovalContext, { kemKey, nonce }: ApprovalOpening, answerNonce: Uint8Array): Uint8Array {
  const ids = [fromHex(context.account), fixed(context.identityKey), fromHex(context.device)];
  return hashOf(CODE, ...ids, fixed(kemKey), fixed(nonce), fixed(answerNonce), new TextEncoder().encode(context.deviceName));
}

function codeOf(transcript: Uint8Array): string {
  const number = new DataView(transcript.buffer, transcript.byteOffset).getBigUint64(0) % 10n ** BigInt(CODE_DIGITS);
  return number.toString().padStart(CODE_DIGITS, '0');
}

function infoOf(transcript: Uint8Array): ArrayBuffer {
  return joined([new TextEncoder().encode(SECRET_INFO), transcript]).buffer;
}

/** Each part of fixed length, or the last. */
function hashOf(context: string, ...parts: Uint8Array[]): Uint8Array {
  return sha256(joined([new TextEncoder().encode(context), ...parts]));
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function fixed(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== KEY_BYTES) throw broken('a value of the wrong length');
  return bytes;
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch {
    throw broken('a message that cannot be read');
  }
}

function broken(what: string): ClientError {
  return new ClientError(
    'approval-broken',
    `the approval failed: there was ${what}. Ask again; if it happens again, do not trust this server`,
  );
}
