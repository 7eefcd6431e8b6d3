import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { KEY_BYTES } from '@sotto/protocol';
import { type SigningKey, signingKeyOf } from './ed25519.js';
import { readSeed, SeedFileError } from './seed-file.js';

const FILE_NAME = 'server-identity';

/** What the server signs and authenticates with. Everything but the token key is derived from one seed, so that one file is all there is to keep. */
export interface ServerIdentity {
  /** The long-term identity that clients pin: signs gateway certificates. */
  identity: SigningKey;
  /** SHA-256 of the identity's public key. */
  pin: Uint8Array;
  /** Signs device credentials. */
  credentialKey: SigningKey;
  /** Signs access tokens; gateways hold its public half. */
  tokenKey: SigningKey;
  /** Authenticates invite codes. 32 bytes. */
  inviteKey: Uint8Array;
  /** Keys the names under which log-in attempts are counted, so that live state holds no names. 32 bytes. */
  limitKey: Uint8Array;
}

function derive(seed: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', seed, new Uint8Array(0), `sotto v1 ${purpose}`, KEY_BYTES));
}

/** @param tokenSeed a seed of its own for access tokens, when the operator gave one. 32 bytes. */
export function serverIdentityOf(seed: Uint8Array, tokenSeed?: Uint8Array): ServerIdentity {
  const identity = signingKeyOf(seed);
  return {
    identity,
    pin: new Uint8Array(createHash('sha256').update(identity.publicKey).digest()),
    credentialKey: signingKeyOf(derive(seed, 'device credential key')),
    tokenKey: signingKeyOf(tokenSeed ?? derive(seed, 'access token key')),
    inviteKey: derive(seed, 'invite key'),
    limitKey: derive(seed, 'limit key'),
  };
}

/** Throws SeedFileError. */
export function loadServerIdentity(file: string): ServerIdentity {
  return serverIdentityOf(readSeed(file));
}

/**
 * The identity in this folder, made on the first call. Two callers at once get the same one: a new seed is written aside and
 * linked into place, which fails when another was faster. Durable before it returns. Throws SeedFileError.
 */
export async function loadOrCreateServerIdentity(folder: string): Promise<ServerIdentity> {
  const file = join(folder, FILE_NAME);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    return loadServerIdentity(file);
  } catch (error) {
    if (!(error instanceof SeedFileError && hasCode(error.cause, 'ENOENT'))) throw error;
  }
  await createSeedFile(file);
  return loadServerIdentity(file);
}

async function createSeedFile(file: string): Promise<void> {
  const aside = `${file}.${randomBytes(8).toString('hex')}`;
  const handle = await open(aside, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(KEY_BYTES).toString('hex')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(aside, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await unlink(aside);
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
