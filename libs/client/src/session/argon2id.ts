import { argon2idAsync } from '@noble/hashes/argon2.js';
import { KEY_BYTES } from '@sotto/protocol';

/** Argon2id (RFC 9106), version 1.3, one lane: 32 bytes of key from a passphrase. */
export type Argon2id = (passphrase: Uint8Array, salt: Uint8Array, cost: { memoryKib: number; passes: number }) => Promise<Uint8Array>;

/** In plain JavaScript: runs everywhere, some 2 s for 64 MiB. @sotto/client/node brings a faster one. */
export const portableArgon2id: Argon2id = (passphrase, salt, { memoryKib, passes }) =>
  argon2idAsync(passphrase, salt, { m: memoryKib, t: passes, p: 1, dkLen: KEY_BYTES });
