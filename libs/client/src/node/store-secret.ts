import { hkdfSync } from 'node:crypto';
import { ClientError } from '../client-error.js';
import { openRecord, randomBytes, sealRecord } from '../sodium.js';
import { nodeArgon2id } from './argon2id.js';
import { badStore } from './store-file.js';

/** What opens a store: a passphrase, or the bytes of a key file. Those are random already: nobody has to be slowed down who guesses. */
export type StoreSecret = string | Uint8Array;

/** Of a key file. */
export const LEAST_KEY_FILE_BYTES = 32;

/** OWASP's parameters for argon2id. */
const ARGON2_COST = { memoryKib: 19_456, passes: 2 } as const;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

type Lock = 'passphrase' | 'key file';

/** The store key under a secret, as it stands in the file. */
export async function wrapped(storeKey: Uint8Array, secret: StoreSecret): Promise<Map<string, Uint8Array>> {
  const salt = randomBytes(SALT_BYTES);
  return new Map([
    ['lock', new TextEncoder().encode(lockOf(secret))],
    ['salt', salt],
    ['key', sealRecord(storeKey, 'store key', await secretKey(secret, salt))],
  ]);
}

/** Throws ClientError `wrong-passphrase`, `wrong-secret-kind`, or `bad-store`. @param meta what stands in the file */
export async function unwrapped(meta: (key: string) => Uint8Array | undefined, secret: StoreSecret): Promise<Uint8Array> {
  const [salt, sealed] = [meta('salt'), meta('key')];
  if (salt?.length !== SALT_BYTES || sealed === undefined) throw badStore('is damaged: its key is missing');
  // Stores from before there were key files don't say it.
  const lock = new TextDecoder().decode(meta('lock') ?? new TextEncoder().encode('passphrase'));
  if (lock !== 'passphrase' && lock !== 'key file') throw badStore('is damaged: it does not say what opens it');
  if (lock !== lockOf(secret)) throw new ClientError('wrong-secret-kind', `this store opens by a ${lock}, not by a ${lockOf(secret)}`);
  const storeKey = openRecord(sealed, 'store key', await secretKey(secret, salt));
  if (storeKey?.length !== KEY_BYTES) throw new ClientError('wrong-passphrase', `the ${lock} does not open this store`);
  return storeKey;
}

function lockOf(secret: StoreSecret): Lock {
  return typeof secret === 'string' ? 'passphrase' : 'key file';
}

async function secretKey(secret: StoreSecret, salt: Uint8Array): Promise<Uint8Array> {
  if (typeof secret === 'string') return nodeArgon2id(new TextEncoder().encode(secret), salt, ARGON2_COST);
  if (secret.length < LEAST_KEY_FILE_BYTES)
    throw new ClientError('weak-passphrase', `a key file has ${LEAST_KEY_FILE_BYTES} bytes or more`);
  return new Uint8Array(hkdfSync('sha256', secret, salt, 'sotto store key file', KEY_BYTES));
}
