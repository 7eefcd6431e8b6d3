import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hash,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { MlsError } from '../mls-error.js';
import { sameBytes } from './bytes.js';
import type { MlsProvider } from './provider.js';

const TAG_BYTES = 16;
const KEY_BYTES = 32;
type Curve = 'X25519' | 'Ed25519';

interface Imported {
  readonly curve: Curve;
  readonly raw: Uint8Array;
  readonly key: KeyObject;
}

/** By the very bytes they were imported from, so that a secret lives no longer than its owner keeps it. */
const privateKeys = new WeakMap<Uint8Array, Imported>();
/** The same: a member's key verifies many messages. */
const publicKeys = new WeakMap<Uint8Array, Imported>();

/** The alphabet of a JWK (RFC 8037). Importing one takes a tenth of the time that DER does: OpenSSL tries its decoders in turn. */
function base64url(raw: Uint8Array, curve: Curve): string {
  if (raw.length !== KEY_BYTES) throw new MlsError('invalid', `not a key of ${curve}`);
  return Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString('base64url');
}

/** `keys` keeps it. */
function imported(
  keys: WeakMap<Uint8Array, Imported>,
  curve: Curve,
  raw: Uint8Array,
  importKey: (encoded: string) => KeyObject,
): KeyObject {
  const known = keys.get(raw);
  // Compared, because the owner may have overwritten the bytes since.
  if (known?.curve === curve && sameBytes(known.raw, raw)) return known.key;
  const key = importKey(base64url(raw, curve));
  keys.set(raw, { curve, raw: new Uint8Array(raw), key });
  return key;
}

function privateKey(curve: Curve, raw: Uint8Array): KeyObject {
  // The public half is demanded and not read: Node derives it.
  return imported(privateKeys, curve, raw, (d) => createPrivateKey({ key: { kty: 'OKP', crv: curve, d, x: '' }, format: 'jwk' }));
}

function publicKey(curve: Curve, raw: Uint8Array): KeyObject {
  return imported(publicKeys, curve, raw, (x) => createPublicKey({ key: { kty: 'OKP', crv: curve, x }, format: 'jwk' }));
}

function publicBytes(secret: KeyObject): Uint8Array {
  return bytes(Buffer.from(secret.export({ format: 'jwk' }).x ?? '', 'base64url'));
}

/** A plain Uint8Array: Buffer.slice shares memory where Uint8Array.slice copies, and the library relies on the copy. */
function bytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer);
}

/** Synchronous node:crypto. */
export const nodeProvider: MlsProvider = {
  randomBytes: (length) => bytes(randomBytes(length)),
  sha256: (data) => bytes(hash('sha256', data, 'buffer')),
  hmacSha256: (key, data) => bytes(createHmac('sha256', key).update(data).digest()),
  aeadSeal(key, nonce, aad, plaintext) {
    const cipher = createCipheriv('aes-128-gcm', key, nonce);
    cipher.setAAD(aad);
    return bytes(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
  },
  aeadOpen(key, nonce, aad, ciphertext) {
    try {
      const decipher = createDecipheriv('aes-128-gcm', key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(aad);
      decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES));
      return bytes(Buffer.concat([decipher.update(ciphertext.subarray(0, -TAG_BYTES)), decipher.final()]));
    } catch {
      throw new MlsError('undecryptable');
    }
  },
  x25519(secret, peer) {
    try {
      return bytes(diffieHellman({ privateKey: privateKey('X25519', secret), publicKey: publicKey('X25519', peer) }));
    } catch {
      throw new MlsError('invalid', 'not a usable X25519 key');
    }
  },
  x25519PublicKey: (secret) => publicBytes(privateKey('X25519', secret)),
  ed25519PublicKey: (secret) => publicBytes(privateKey('Ed25519', secret)),
  ed25519Sign: (secret, message) => bytes(sign(null, message, privateKey('Ed25519', secret))),
  ed25519Verify(key, message, signature) {
    try {
      return verify(null, message, publicKey('Ed25519', key), signature);
    } catch {
      return false;
    }
  },
};
