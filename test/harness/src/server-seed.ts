import { createHash, createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createInviteCode, type ServerIdentity } from '@sotto/auth/invites';

const INVITE_SECONDS = 3_600;

// RFC 8410: what stands before a raw Ed25519 key in DER.
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX_LENGTH = 12;

/** Writes a new identity as auth reads it (64 hex digits); returns its pin: SHA-256 of the public key. */
export async function writeIdentity(file: string): Promise<Uint8Array> {
  const seed = randomBytes(32);
  await writeSeed(file, seed);
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return new Uint8Array(createHash('sha256').update(spki.subarray(SPKI_PREFIX_LENGTH)).digest());
}

export async function writeSeed(file: string, seed: Uint8Array = randomBytes(32)): Promise<void> {
  await writeFile(file, `${Buffer.from(seed).toString('hex')}\n`, { mode: 0o600 });
}

/** As auth would make it. Here, because to ask auth takes the code of a bus, which every suite would load. */
export function inviteOf(identity: ServerIdentity, name: string): string {
  return createInviteCode(identity, { inviteLifetimeSeconds: INVITE_SECONDS }, name).code;
}
