import sodium from 'libsodium-wrappers';
import { TOKEN_BYTES } from '@sotto/protocol';

/** To be awaited once before anything else of this file. */
export async function sodiumReady(): Promise<void> {
  await sodium.ready;
}

export function randomBytes(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
}

export interface KeyPair {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The 32-byte seed. */
  readonly seed: Uint8Array;
}

export function newKeyPair(): KeyPair {
  return keyPairOf(randomBytes(32));
}

export function keyPairOf(seed: Uint8Array): KeyPair {
  return { publicKey: sodium.crypto_sign_seed_keypair(seed).publicKey, seed };
}

export function sign(message: Uint8Array, { seed }: KeyPair): Uint8Array {
  return sodium.crypto_sign_detached(message, sodium.crypto_sign_seed_keypair(seed).privateKey);
}

/** Never throws: a signature or key of the wrong length is no signature. */
export function isSignedBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== sodium.crypto_sign_BYTES || publicKey.length !== sodium.crypto_sign_PUBLICKEYBYTES) return false;
  return sodium.crypto_sign_verify_detached(signature, message, publicKey);
}

/** Capability id (16 bytes) || BLAKE2b-128 of it keyed by the delivery key (docs/protocol.md § Delivery tokens). */
export function deliveryToken(capability: Uint8Array, deliveryKey: Uint8Array): Uint8Array {
  const token = new Uint8Array(TOKEN_BYTES);
  token.set(capability);
  token.set(sodium.crypto_generichash(TOKEN_BYTES - capability.length, capability, deliveryKey), capability.length);
  return token;
}

const NONCE_BYTES = 24;

/** XChaCha20-Poly1305: random nonce || ciphertext. `name` is authenticated: a record moved to another place does not open. */
export function sealRecord(plain: Uint8Array, name: string | Uint8Array, key: Uint8Array, random = randomBytes): Uint8Array {
  const nonce = random(NONCE_BYTES);
  const box = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, name, null, nonce, key);
  const sealed = new Uint8Array(NONCE_BYTES + box.length);
  sealed.set(nonce);
  sealed.set(box, NONCE_BYTES);
  return sealed;
}

/** Undefined when the key or the name is another, or the bytes were altered. */
export function openRecord(sealed: Uint8Array, name: string | Uint8Array, key: Uint8Array): Uint8Array | undefined {
  if (sealed.length < NONCE_BYTES) return undefined;
  try {
    return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
      null,
      sealed.subarray(NONCE_BYTES),
      name,
      sealed.subarray(0, NONCE_BYTES),
      key,
    );
  } catch {
    return undefined;
  }
}

export const STREAM_HEADER_BYTES = 24;
/** Of each chunk: tag and authentication. */
export const STREAM_OVERHEAD_BYTES = 17;

/** libsodium's secretstream over XChaCha20-Poly1305. `bound` is authenticated with each chunk. */
export function sealStream(
  key: Uint8Array,
  bound: Uint8Array,
): { readonly header: Uint8Array; readonly seal: (chunk: Uint8Array, isLast: boolean) => Uint8Array } {
  const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key);
  const { crypto_secretstream_xchacha20poly1305_TAG_FINAL: last, crypto_secretstream_xchacha20poly1305_TAG_MESSAGE: more } = sodium;
  return {
    header,
    seal: (chunk, isLast) => sodium.crypto_secretstream_xchacha20poly1305_push(state, chunk, bound, isLast ? last : more),
  };
}

/** Undefined for a chunk that was altered, or is not the next one. */
export function openStream(
  key: Uint8Array,
  header: Uint8Array,
  bound: Uint8Array,
): (sealed: Uint8Array) => { readonly chunk: Uint8Array; readonly isLast: boolean } | undefined {
  const state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(header, key);
  return (sealed) => {
    if (sealed.length < STREAM_OVERHEAD_BYTES) return undefined;
    const opened = sodium.crypto_secretstream_xchacha20poly1305_pull(state, sealed, bound);
    if (opened === false) return undefined;
    return { chunk: opened.message, isLast: opened.tag === sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL };
  };
}
