import { KEY_BYTES, LIMITS } from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import { openRecord, randomBytes, sealRecord } from '../sodium.js';
import type { Argon2id } from './argon2id.js';

const MAGIC = new TextEncoder().encode('sotto recovery 2\n');
const SALT_BYTES = 16;
/** 64 MiB, one pass: above OWASP's figure for argon2id with one pass (46 MiB), and some 2 s where there is only JavaScript. */
const COST = { memoryKib: 65_536, passes: 1 } as const;

/** The account's identity key under a passphrase: magic || salt || nonce || XChaCha20-Poly1305. Throws ClientError `weak-passphrase`. */
export async function exportRecoveryFile(identitySeed: Uint8Array, passphrase: string, argon2id: Argon2id): Promise<Uint8Array> {
  if (encoded(passphrase).length < LIMITS.passwordMinBytes) {
    throw new ClientError('weak-passphrase', `the passphrase of a recovery file has at least ${LIMITS.passwordMinBytes} bytes`);
  }
  const salt = randomBytes(SALT_BYTES);
  const sealed = sealRecord(identitySeed, 'recovery', await argon2id(encoded(passphrase), salt, COST));
  const file = new Uint8Array(MAGIC.length + SALT_BYTES + sealed.length);
  file.set(MAGIC);
  file.set(salt, MAGIC.length);
  file.set(sealed, MAGIC.length + SALT_BYTES);
  return file;
}

/** Throws ClientError `bad-recovery-file` or `wrong-passphrase`. */
export async function importRecoveryFile(file: Uint8Array, passphrase: string, argon2id: Argon2id): Promise<Uint8Array> {
  if (file.length < MAGIC.length + SALT_BYTES || !MAGIC.every((byte, i) => file[i] === byte)) {
    throw new ClientError('bad-recovery-file', 'this is not a recovery file');
  }
  const salt = file.slice(MAGIC.length, MAGIC.length + SALT_BYTES);
  const seed = openRecord(file.subarray(MAGIC.length + SALT_BYTES), 'recovery', await argon2id(encoded(passphrase), salt, COST));
  if (seed?.length !== KEY_BYTES) {
    throw new ClientError('wrong-passphrase', 'the passphrase does not open this recovery file, or the file was altered');
  }
  return seed;
}

/** Normalised: the same letters come in several forms from keyboard to keyboard (Unicode Standard Annex 15). */
function encoded(passphrase: string): Uint8Array {
  return new TextEncoder().encode(passphrase.normalize('NFKC'));
}
