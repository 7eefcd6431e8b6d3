import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type CertificateBody,
  CertificateBodySchema,
  type GatewayCertificate,
  GatewayCertificateSchema,
  type IdentitySuccession,
  IdentitySuccessionSchema,
  KEY_BYTES,
  signedBytes,
  TIMES,
} from '@sotto/protocol';
import { ChannelError } from './error.js';
import { sha256 } from './key-schedule.js';
import { sodium } from './sodium.js';

export const SIGNATURE_BYTES = 64;

export interface SigningKeyPair {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Seed and public key, 64 bytes. */
  readonly secretKey: Uint8Array;
}

/** What a client trusts: its pin (undefined: whichever identity answers, on first use), and the time in Unix seconds. */
export interface Trust {
  readonly pin: Uint8Array | undefined;
  readonly now: number;
  /** A succession that the client learnt elsewhere; the one in the certificate goes first. */
  readonly succession?: IdentitySuccession | undefined;
}

export interface VerifiedCertificate {
  readonly gatewayKey: Uint8Array;
  readonly identityKey: Uint8Array;
  /** SHA-256 of the identity key; differs from the trusted one after a succession. */
  readonly pin: Uint8Array;
  /** Unix seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A new Ed25519 pair: a gateway's own, or in tests a server's identity. Needs `ready()`. */
export function makeGatewayKey(): SigningKeyPair {
  const pair = sodium.crypto_sign_keypair();
  return { publicKey: pair.publicKey, secretKey: pair.privateKey };
}

/** SHA-256 of the server's identity key, 32 bytes. */
export function pinOf(identityKey: Uint8Array): Promise<Uint8Array> {
  return sha256(identityKey);
}

/** @param secretKey Ed25519: the 32 bytes of seed or the 64 of libsodium. */
export function sign(message: Uint8Array, secretKey: Uint8Array): Uint8Array {
  const whole = secretKey.length === KEY_BYTES ? sodium.crypto_sign_seed_keypair(secretKey).privateKey : secretKey;
  return sodium.crypto_sign_detached(message, whole);
}

export function signCertificate(body: MessageInitShape<typeof CertificateBodySchema>, identitySecretKey: Uint8Array): GatewayCertificate {
  const bytes = toBinary(CertificateBodySchema, create(CertificateBodySchema, body));
  const signature = sign(signedBytes('gatewayCertificate', bytes), identitySecretKey);
  return create(GatewayCertificateSchema, { body: bytes, signature });
}

/** The old identity vouches for the new one. */
export function signSuccession(newIdentityKey: Uint8Array, old: SigningKeyPair): IdentitySuccession {
  const signature = sign(signedBytes('identitySuccession', newIdentityKey), old.secretKey);
  return create(IdentitySuccessionSchema, { oldIdentityKey: old.publicKey, signature });
}

/** True if the identity behind `pin` signed `newIdentityKey`. */
export async function isSuccession(succession: IdentitySuccession, pin: Uint8Array, newIdentityKey: Uint8Array): Promise<boolean> {
  if (!sameBytes(await pinOf(succession.oldIdentityKey), pin)) return false;
  return verify(succession.signature, signedBytes('identitySuccession', newIdentityKey), succession.oldIdentityKey);
}

/** The pin goes first, so that a stranger's certificate is `wrong-pin` whatever else is wrong with it. */
export async function verifyCertificate(certificate: GatewayCertificate, trust: Trust): Promise<VerifiedCertificate> {
  const verified = await unsafeVerifyWithoutTime(certificate, trust);
  checkNow(verified, trust.now);
  return verified;
}

/** Whoever learnt a gateway's key after its time passes: enough to tell whose clock is wrong, not to open a channel. */
export async function unsafeVerifyWithoutTime(certificate: GatewayCertificate, trust: Omit<Trust, 'now'>): Promise<VerifiedCertificate> {
  const body = decodeBody(certificate.body);
  const { gatewayKey, identityKey } = body;
  if (gatewayKey.length !== KEY_BYTES || identityKey.length !== KEY_BYTES) throw new ChannelError('malformed');
  const pin = await pinOf(identityKey);
  if (trust.pin !== undefined && !(await isTrusted(body, pin, trust.pin, trust))) throw new ChannelError('wrong-pin');
  if (!verify(certificate.signature, signedBytes('gatewayCertificate', certificate.body), identityKey)) {
    throw new ChannelError('bad-signature');
  }
  return { gatewayKey, identityKey, pin, ...lifetimeOf(body) };
}

/** Never throws: a signature or key of the wrong length is no signature. */
export function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || publicKey.length !== KEY_BYTES) return false;
  return sodium.crypto_sign_verify_detached(signature, message, publicKey);
}

async function isTrusted(body: CertificateBody, pin: Uint8Array, trusted: Uint8Array, trust: Omit<Trust, 'now'>): Promise<boolean> {
  if (sameBytes(pin, trusted)) return true;
  const succession = body.succession ?? trust.succession;
  return succession !== undefined && (await isSuccession(succession, trusted, body.identityKey));
}

function lifetimeOf({ notBefore, notAfter }: CertificateBody): Pick<VerifiedCertificate, 'notBefore' | 'notAfter'> {
  if (notAfter < notBefore) throw new ChannelError('malformed');
  if (notAfter - notBefore > BigInt(TIMES.certificateSeconds)) throw new ChannelError('certificate-too-long');
  return { notBefore: Number(notBefore), notAfter: Number(notAfter) };
}

function checkNow({ notBefore, notAfter }: VerifiedCertificate, now: number): void {
  const seconds = Math.floor(now);
  if (seconds < notBefore) throw new ChannelError('certificate-not-yet-valid');
  if (seconds >= notAfter) throw new ChannelError('certificate-expired');
}

function decodeBody(bytes: Uint8Array): CertificateBody {
  try {
    return fromBinary(CertificateBodySchema, bytes);
  } catch {
    throw new ChannelError('malformed');
  }
}

/** Of public values only. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
