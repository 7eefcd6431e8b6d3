import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { MlsError } from '../mls-error.js';
import type { MlsProvider } from './provider.js';

const TAG_BYTES = 16;
const KEY_BYTES = 32;
// RFC 8410: the DER that precedes a raw 32-byte key.
const PRIVATE_DER = { x25519: '302e020100300506032b656e04220420', ed25519: '302e020100300506032b657004220420' };
const PUBLIC_DER = { x25519: '302a300506032b656e032100', ed25519: '302a300506032b6570032100' };
type Curve = keyof typeof PRIVATE_DER;

function privateKey(curve: Curve, raw: Uint8Array): KeyObject {
  if (raw.length !== KEY_BYTES) throw new MlsError('invalid', `not a ${curve} key`);
  const key = Buffer.concat([Buffer.from(PRIVATE_DER[curve], 'hex'), raw]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

function publicKey(curve: Curve, raw: Uint8Array): KeyObject {
  if (raw.length !== KEY_BYTES) throw new MlsError('invalid', `not a ${curve} key`);
  const key = Buffer.concat([Buffer.from(PUBLIC_DER[curve], 'hex'), raw]);
  return createPublicKey({ key, format: 'der', type: 'spki' });
}

function publicBytes(secret: KeyObject): Uint8Array {
  return bytes(createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES));
}

/** A plain Uint8Array: Buffer.slice shares memory where Uint8Array.slice copies, and the library relies on the copy. */
function bytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer);
}

/** Synchronous node:crypto. */
export const nodeProvider: MlsProvider = {
  randomBytes: (length) => bytes(randomBytes(length)),
  sha256: (data) => bytes(createHash('sha256').update(data).digest()),
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
      return bytes(diffieHellman({ privateKey: privateKey('x25519', secret), publicKey: publicKey('x25519', peer) }));
    } catch {
      throw new MlsError('invalid', 'not a usable X25519 key');
    }
  },
  x25519PublicKey: (secret) => publicBytes(privateKey('x25519', secret)),
  ed25519PublicKey: (secret) => publicBytes(privateKey('ed25519', secret)),
  ed25519Sign: (secret, message) => bytes(sign(null, message, privateKey('ed25519', secret))),
  ed25519Verify(key, message, signature) {
    try {
      return verify(null, message, publicKey('ed25519', key), signature);
    } catch {
      return false;
    }
  },
};
