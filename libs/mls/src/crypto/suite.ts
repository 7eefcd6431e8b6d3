import type { CiphersuiteImpl } from '#ts-mls/crypto/ciphersuite.js';
import type { Hpke, PrivateKey, PublicKey } from '#ts-mls/crypto/hpke.js';
import { sameBytes } from './bytes.js';
import { expand, extract, HASH_BYTES } from './hkdf.js';
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  deriveKeyPair,
  exportFrom,
  generateKeyPair,
  keyPairOf,
  setUpReceiver,
  setUpSender,
  type HpkeKeyPair,
} from './hpke.js';
import type { MlsProvider } from './provider.js';

export const SUITE_NAME = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519';
const EMPTY = new Uint8Array();

// Keys are opaque to the library, which names them after WebCrypto's: ours are bytes.
const asPublic = (key: Uint8Array): PublicKey => key as unknown as PublicKey;
const asPrivate = (key: HpkeKeyPair): PrivateKey => key as unknown as PrivateKey;
const publicOf = (key: PublicKey): Uint8Array => key as unknown as Uint8Array;
const privateOf = (key: PrivateKey): HpkeKeyPair => key as unknown as HpkeKeyPair;
const opaque = (pair: HpkeKeyPair) => ({ privateKey: asPrivate(pair), publicKey: asPublic(pair.publicKey) });

function hpkeOf(provider: MlsProvider): Hpke {
  return {
    keyLength: AEAD_KEY_BYTES,
    nonceLength: AEAD_NONCE_BYTES,
    async seal(publicKey, plaintext, info, aad = EMPTY) {
      const { key, nonce, enc } = setUpSender(provider, publicOf(publicKey), info);
      return { enc, ct: provider.aeadSeal(key, nonce, aad, plaintext) };
    },
    async open(privateKey, kemOutput, ciphertext, info, aad = EMPTY) {
      const { key, nonce } = setUpReceiver(provider, privateOf(privateKey), kemOutput, info);
      return provider.aeadOpen(key, nonce, aad, ciphertext);
    },
    async exportSecret(publicKey, exporterContext, length, info) {
      const context = setUpSender(provider, publicOf(publicKey), info);
      return { enc: context.enc, secret: exportFrom(provider, context, exporterContext, length) };
    },
    async importSecret(privateKey, exporterContext, kemOutput, length, info) {
      const context = setUpReceiver(provider, privateOf(privateKey), kemOutput, info);
      return exportFrom(provider, context, exporterContext, length);
    },
    importPrivateKey: async (key) => asPrivate(keyPairOf(provider, key)),
    importPublicKey: async (key) => asPublic(key),
    exportPublicKey: async (key) => publicOf(key),
    exportPrivateKey: async (key) => privateOf(key).secretKey,
    encryptAead: async (key, nonce, aad, plaintext) => provider.aeadSeal(key, nonce, aad ?? EMPTY, plaintext),
    decryptAead: async (key, nonce, aad, ciphertext) => provider.aeadOpen(key, nonce, aad ?? EMPTY, ciphertext),
    deriveKeyPair: async (ikm) => opaque(deriveKeyPair(provider, ikm)),
    generateKeyPair: async () => opaque(generateKeyPair(provider)),
  };
}

/** Suite 0x0001 of RFC 9420 §17.1 over a provider's primitives. */
export function suiteOf(provider: MlsProvider): CiphersuiteImpl {
  return {
    name: SUITE_NAME,
    rng: { randomBytes: (length) => provider.randomBytes(length) },
    hash: {
      digest: async (data) => provider.sha256(data),
      mac: async (key, data) => provider.hmacSha256(key, data),
      // Both sides are hashed once more, so that the time of the comparison says nothing about the tag.
      verifyMac: async (key, mac, data) => sameBytes(provider.sha256(provider.hmacSha256(key, data)), provider.sha256(mac)),
    },
    kdf: {
      size: HASH_BYTES,
      extract: async (salt, ikm) => extract(provider, salt, ikm),
      expand: async (prk, info, length) => expand(provider, prk, info, length),
    },
    signature: {
      sign: async (key, message) => provider.ed25519Sign(key, message),
      verify: async (key, message, signature) => provider.ed25519Verify(key, message, signature),
      async keygen() {
        const signKey = provider.randomBytes(32);
        return { signKey, publicKey: provider.ed25519PublicKey(signKey) };
      },
    },
    hpke: hpkeOf(provider),
  };
}
