import { INFO_AT, KEYS_AT, OUT_AT, type Scratch, sharedScratch } from './scratch.js';

export const CHANNEL_KEY_BYTES = 32;
const encoder = new TextEncoder();
export const HPKE_INFO = encoder.encode('sotto v1 channel');
export const HPKE_EXPORT_CONTEXT = encoder.encode('sotto v1 channel keys');
const TRANSCRIPT_CONTEXT = encoder.encode('sotto v1 transcript\0');
const CLIENT_TO_SERVER = encoder.encode('sotto v1 client to server');
const SERVER_TO_CLIENT = encoder.encode('sotto v1 server to client');
const REKEY = encoder.encode('sotto v1 rekey');

export interface DirectionKeys {
  readonly clientToServer: Uint8Array;
  readonly serverToClient: Uint8Array;
}

/** SHA-256 over both hellos as they were sent, each after its length (4 bytes, big endian). 32 bytes, the channel binding. */
export async function transcriptHash(serverHello: Uint8Array, clientHello: Uint8Array): Promise<Uint8Array> {
  const parts = [TRANSCRIPT_CONTEXT, lengthOf(serverHello), serverHello, lengthOf(clientHello), clientHello];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return sha256(bytes);
}

/** A copy, because V8 keeps the bytes of a small array made by length inside the object, and a digest's outside. */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  const copy = new Uint8Array(bytes);
  const hash = new Uint8Array(32);
  hash.set(new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', copy)));
  return hash;
}

/** HKDF-SHA256 (RFC 5869): salt = transcript hash, input = the 32 bytes that HPKE exported. */
export function directionKeys(exported: Uint8Array, binding: Uint8Array): DirectionKeys {
  const { raw, base } = sharedScratch();
  raw.HEAPU8.set(exported, base + OUT_AT);
  raw.HEAPU8.set(binding, base + INFO_AT);
  const prk = base + KEYS_AT;
  raw._crypto_kdf_hkdf_sha256_extract(prk, base + INFO_AT, binding.length, base + OUT_AT, exported.length);
  const clientToServer = expand(sharedScratch(), prk, CLIENT_TO_SERVER);
  const serverToClient = expand(sharedScratch(), prk, SERVER_TO_CLIENT);
  raw.HEAPU8.fill(0, prk, prk + CHANNEL_KEY_BYTES);
  return { clientToServer, serverToClient };
}

/** Replaces the key at `offset` of `keys` by HKDF-Expand of itself, so that the boxes before it stay closed to whoever takes it later. */
export function rekey(keys: Uint8Array, offset: number): void {
  const scratch = sharedScratch();
  scratch.raw.HEAPU8.set(keys, scratch.base + KEYS_AT);
  keys.set(expand(scratch, scratch.base + KEYS_AT + offset, REKEY), offset);
}

function expand({ raw, base }: Scratch, prk: number, info: Uint8Array): Uint8Array {
  raw.HEAPU8.set(info, base + INFO_AT);
  raw._crypto_kdf_hkdf_sha256_expand(base + OUT_AT, CHANNEL_KEY_BYTES, base + INFO_AT, info.length, prk);
  const key = raw.HEAPU8.slice(base + OUT_AT, base + OUT_AT + CHANNEL_KEY_BYTES);
  raw.HEAPU8.fill(0, base + OUT_AT, base + OUT_AT + CHANNEL_KEY_BYTES);
  return key;
}

function lengthOf(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return length;
}
