import { KEY_BYTES } from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import { openRecord, randomBytes, sealRecord } from '../sodium.js';

const MAGIC = new TextEncoder().encode('sotto recovery 1\n');
const SALT_BYTES = 16;
/** OWASP's figure for PBKDF2-HMAC-SHA-512; the one password hash that every platform's WebCrypto has. */
const ITERATIONS = 210_000;

/** The account's identity key under a passphrase: magic || salt || nonce || XChaCha20-Poly1305. */
export async function exportRecoveryFile(identitySeed: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const salt = randomBytes(SALT_BYTES);
  const sealed = sealRecord(identitySeed, 'recovery', await keyOf(passphrase, salt));
  const file = new Uint8Array(MAGIC.length + SALT_BYTES + sealed.length);
  file.set(MAGIC);
  file.set(salt, MAGIC.length);
  file.set(sealed, MAGIC.length + SALT_BYTES);
  return file;
}

/** Throws ClientError `bad-recovery-file` or `wrong-passphrase`. */
export async function importRecoveryFile(file: Uint8Array, passphrase: string): Promise<Uint8Array> {
  if (file.length < MAGIC.length + SALT_BYTES || !MAGIC.every((byte, i) => file[i] === byte)) {
    throw new ClientError('bad-recovery-file', 'this is not a recovery file');
  }
  const salt = file.slice(MAGIC.length, MAGIC.length + SALT_BYTES);
  const seed = openRecord(file.subarray(MAGIC.length + SALT_BYTES), 'recovery', await keyOf(passphrase, salt));
  if (seed?.length !== KEY_BYTES) throw new ClientError('wrong-passphrase', 'the passphrase does not open this recovery file');
  return seed;
}

async function keyOf(passphrase: string, salt: Uint8Array): Promise<Uint8Array> {
  const { subtle } = globalThis.crypto;
  const base = await subtle.importKey('raw', new TextEncoder().encode(passphrase), 'PBKDF2', false, ['deriveBits']);
  const parameters = { name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(salt), iterations: ITERATIONS };
  return new Uint8Array(await subtle.deriveBits(parameters, base, 256));
}
