import argon2 from 'argon2';
import { KEY_BYTES } from '@sotto/protocol';
import type { Argon2id } from '../session/argon2id.js';

/** The reference implementation, in a thread of its own. */
export const nodeArgon2id: Argon2id = async (passphrase, salt, { memoryKib, passes }) => {
  const cost = { type: argon2.argon2id, memoryCost: memoryKib, timeCost: passes, parallelism: 1, hashLength: KEY_BYTES } as const;
  return new Uint8Array(await argon2.hash(Buffer.from(passphrase), { ...cost, salt: Buffer.from(salt), raw: true }));
};
