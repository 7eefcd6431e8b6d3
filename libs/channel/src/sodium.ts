import sodium from 'libsodium-wrappers';

/**
 * libsodium's WebAssembly module beneath its wrappers. Every argument is an address in its memory or a length; a 64-bit length is two arguments, low half first.
 * The wrappers allocate, copy and free for each argument of each call, which costs more than the cipher does on a small box.
 */
export interface RawSodium {
  /** Replaced when the memory grows, so never kept. */
  readonly HEAPU8: Uint8Array;
  _malloc(length: number): number;
  _crypto_aead_chacha20poly1305_ietf_encrypt(
    box: number,
    boxLength: 0,
    plain: number,
    plainLength: number,
    high: 0,
    data: 0,
    dataLength: 0,
    dataHigh: 0,
    secretNonce: 0,
    nonce: number,
    key: number,
  ): number;
  _crypto_aead_chacha20poly1305_ietf_decrypt(
    plain: number,
    plainLength: 0,
    secretNonce: 0,
    box: number,
    boxLength: number,
    high: 0,
    data: 0,
    dataLength: 0,
    dataHigh: 0,
    nonce: number,
    key: number,
  ): number;
  _crypto_kdf_hkdf_sha256_extract(prk: number, salt: number, saltLength: number, ikm: number, ikmLength: number): number;
  _crypto_kdf_hkdf_sha256_expand(out: number, outLength: number, info: number, infoLength: number, prk: number): number;
}

/** Undefined until `ready()` has resolved. */
export function rawSodium(): RawSodium {
  return (sodium as unknown as { libsodium: RawSodium }).libsodium;
}

/** Resolves when the WebAssembly module can be called. Everything of this package that is synchronous needs it first. */
export async function ready(): Promise<void> {
  await sodium.ready;
}

export { sodium };
