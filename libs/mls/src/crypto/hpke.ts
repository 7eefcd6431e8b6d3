import { bytesOfLabel, concat } from './bytes.js';
import { expand, extract, HASH_BYTES } from './hkdf.js';
import { MlsError } from '../mls-error.js';
import type { MlsProvider } from './provider.js';

// RFC 9180, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM.
const text = new TextEncoder();
const EMPTY = new Uint8Array();
const KEM_SUITE = concat(text.encode('KEM'), Uint8Array.of(0, 0x20));
const HPKE_SUITE = concat(text.encode('HPKE'), Uint8Array.of(0, 0x20, 0, 1, 0, 1));
const VERSION = text.encode('HPKE-v1');
const MODE_BASE = Uint8Array.of(0);

export const AEAD_KEY_BYTES = 16;
export const AEAD_NONCE_BYTES = 12;
const ENC_BYTES = 32;
const TAG_BYTES = 16;

export interface HpkeKeyPair {
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

export interface HpkeContext {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly exporterSecret: Uint8Array;
}

type Suite = typeof KEM_SUITE;

function labeledExtract(provider: MlsProvider, suite: Suite, salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array {
  return extract(provider, salt, concat(VERSION, suite, bytesOfLabel(label), ikm));
}

function labeledExpand(provider: MlsProvider, suite: Suite, prk: Uint8Array, label: string, info: Uint8Array, length: number): Uint8Array {
  const lengthBytes = Uint8Array.of(length >> 8, length & 0xff);
  return expand(provider, prk, concat(lengthBytes, VERSION, suite, bytesOfLabel(label), info), length);
}

function sharedSecret(provider: MlsProvider, dh: Uint8Array, enc: Uint8Array, recipient: Uint8Array): Uint8Array {
  const prk = labeledExtract(provider, KEM_SUITE, EMPTY, 'eae_prk', dh);
  return labeledExpand(provider, KEM_SUITE, prk, 'shared_secret', concat(enc, recipient), HASH_BYTES);
}

function schedule(provider: MlsProvider, shared: Uint8Array, info: Uint8Array): HpkeContext {
  const pskIdHash = labeledExtract(provider, HPKE_SUITE, EMPTY, 'psk_id_hash', EMPTY);
  const infoHash = labeledExtract(provider, HPKE_SUITE, EMPTY, 'info_hash', info);
  const context = concat(MODE_BASE, pskIdHash, infoHash);
  const secret = labeledExtract(provider, HPKE_SUITE, shared, 'secret', EMPTY);
  return {
    key: labeledExpand(provider, HPKE_SUITE, secret, 'key', context, AEAD_KEY_BYTES),
    nonce: labeledExpand(provider, HPKE_SUITE, secret, 'base_nonce', context, AEAD_NONCE_BYTES),
    exporterSecret: labeledExpand(provider, HPKE_SUITE, secret, 'exp', context, HASH_BYTES),
  };
}

export function generateKeyPair(provider: MlsProvider): HpkeKeyPair {
  return keyPairOf(provider, provider.randomBytes(32));
}

export function keyPairOf(provider: MlsProvider, secretKey: Uint8Array): HpkeKeyPair {
  return { secretKey, publicKey: provider.x25519PublicKey(secretKey) };
}

/** RFC 9180 §7.1.3. */
export function deriveKeyPair(provider: MlsProvider, ikm: Uint8Array): HpkeKeyPair {
  const prk = labeledExtract(provider, KEM_SUITE, EMPTY, 'dkp_prk', ikm);
  return keyPairOf(provider, labeledExpand(provider, KEM_SUITE, prk, 'sk', EMPTY, 32));
}

export function setUpSender(provider: MlsProvider, recipient: Uint8Array, info: Uint8Array): HpkeContext & { enc: Uint8Array } {
  const ephemeral = generateKeyPair(provider);
  const dh = provider.x25519(ephemeral.secretKey, recipient);
  const shared = sharedSecret(provider, dh, ephemeral.publicKey, recipient);
  return { ...schedule(provider, shared, info), enc: ephemeral.publicKey };
}

export function setUpReceiver(provider: MlsProvider, own: HpkeKeyPair, enc: Uint8Array, info: Uint8Array): HpkeContext {
  const dh = provider.x25519(own.secretKey, enc);
  return schedule(provider, sharedSecret(provider, dh, enc, own.publicKey), info);
}

/** enc || ciphertext. */
export function seal(provider: MlsProvider, recipient: Uint8Array, info: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const { enc, key, nonce } = setUpSender(provider, recipient, info);
  return concat(enc, provider.aeadSeal(key, nonce, EMPTY, plaintext));
}

/** Throws MlsError `malformed` or `undecryptable`. */
export function open(provider: MlsProvider, own: HpkeKeyPair, info: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (sealed.length < ENC_BYTES + TAG_BYTES) throw new MlsError('malformed');
  const { key, nonce } = setUpReceiver(provider, own, sealed.slice(0, ENC_BYTES), info);
  return provider.aeadOpen(key, nonce, EMPTY, sealed.slice(ENC_BYTES));
}

export function exportFrom(provider: MlsProvider, context: HpkeContext, exporterContext: Uint8Array, length: number): Uint8Array {
  return labeledExpand(provider, HPKE_SUITE, context.exporterSecret, 'sec', exporterContext, length);
}
