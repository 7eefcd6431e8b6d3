/**
 * The primitives of suite 0x0001 (MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519), all synchronous: awaiting WebCrypto for every hash
 * costs more than the hash. Everything above them (HKDF, HPKE) is shared, so two providers can only differ here.
 */
export interface MlsProvider {
  randomBytes(length: number): Uint8Array;
  sha256(data: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** AES-128-GCM; the 16-byte tag follows the ciphertext. */
  aeadSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** Throws MlsError `undecryptable` if the tag does not hold. */
  aeadOpen(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array;
  /** The Diffie-Hellman value; throws if it is all zero (RFC 9180 §7.1.4). */
  x25519(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
  x25519PublicKey(secretKey: Uint8Array): Uint8Array;
  /** Secret keys are the 32-byte seeds of RFC 8032. */
  ed25519PublicKey(secretKey: Uint8Array): Uint8Array;
  ed25519Sign(secretKey: Uint8Array, message: Uint8Array): Uint8Array;
  /** False for whatever does not verify, a malformed key included. */
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}
