import { LIMITS } from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import { openStream, randomBytes, sealStream, STREAM_HEADER_BYTES, STREAM_OVERHEAD_BYTES } from '../sodium.js';
import type { Argon2id } from '../session/argon2id.js';
import { ByteReader } from './byte-reader.js';

/** The number is the version of all that follows. */
const MAGIC = new TextEncoder().encode('sotto archive 1\n');
const ANY_VERSION = new TextEncoder().encode('sotto archive ');
const SALT_BYTES = 16;
/** As for recovery files. */
const COST = { memoryKib: 65_536, passes: 1 } as const;
/** Of plaintext; all chunks but the last are as long. */
const CHUNK_BYTES = 64 * 1024;

/**
 * magic || salt || header || chunks, by libsodium's secretstream (XChaCha20-Poly1305), with magic and salt authenticated by each chunk: chunks
 * that are altered, missing, moved or doubled don't open, and the last one says that it is. Throws ClientError `weak-passphrase`.
 */
export async function* sealArchive(plain: AsyncIterable<Uint8Array>, passphrase: string, argon2id: Argon2id): AsyncGenerator<Uint8Array> {
  if (encoded(passphrase).length < LIMITS.passwordMinBytes)
    throw new ClientError('weak-passphrase', `the passphrase of an archive has at least ${LIMITS.passwordMinBytes} bytes`);
  const salt = randomBytes(SALT_BYTES);
  const opening = joined(MAGIC, salt);
  const { header, seal } = sealStream(await argon2id(encoded(passphrase), salt, COST), opening);
  yield joined(opening, header);
  const reader = new ByteReader(plain);
  try {
    for (let isLast = false; !isLast;) {
      const chunk = await reader.read(CHUNK_BYTES);
      isLast = await reader.atEnd();
      yield seal(chunk, isLast);
    }
  } finally {
    await reader.close();
  }
}

/** Throws ClientError `bad-archive` or `wrong-passphrase`. What it gave out before it throws is authentic, and not all. */
export async function* openArchive(sealed: AsyncIterable<Uint8Array>, passphrase: string, argon2id: Argon2id): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(sealed);
  try {
    const opening = await reader.read(MAGIC.length + SALT_BYTES);
    checkMagic(opening);
    const header = await reader.read(STREAM_HEADER_BYTES);
    if (header.length < STREAM_HEADER_BYTES) throw badArchive('was cut short');
    const key = await argon2id(encoded(passphrase), opening.slice(MAGIC.length), COST);
    yield* openChunks(reader, openStream(key, header, opening));
  } finally {
    await reader.close();
  }
}

export function badArchive(what: string): ClientError {
  return new ClientError('bad-archive', `the archive ${what}: nothing was taken from it`);
}

async function* openChunks(reader: ByteReader, open: ReturnType<typeof openStream>): AsyncGenerator<Uint8Array> {
  for (let number = 1, isLast = false; !isLast; number++) {
    const chunk = await reader.read(CHUNK_BYTES + STREAM_OVERHEAD_BYTES);
    if (chunk.length === 0) throw badArchive('was cut short');
    const opened = open(chunk);
    if (opened === undefined && number === 1)
      throw new ClientError('wrong-passphrase', 'the passphrase does not open this archive, or the archive was altered or cut short');
    if (opened === undefined) throw badArchive(`was altered or cut short (part ${number})`);
    ({ isLast } = opened);
    const isEnd = await reader.atEnd();
    if (isLast && !isEnd) throw badArchive('has something behind its end');
    if (!isLast && isEnd) throw badArchive('was cut short');
    yield opened.chunk;
  }
}

function checkMagic(opening: Uint8Array): void {
  if (!ANY_VERSION.every((byte, i) => opening[i] === byte)) throw badArchive('is no archive of Sotto');
  if (!MAGIC.every((byte, i) => opening[i] === byte)) throw badArchive('is of another version of Sotto');
  if (opening.length < MAGIC.length + SALT_BYTES) throw badArchive('was cut short');
}

/** Normalised: the same letters come in several forms from keyboard to keyboard (Unicode Standard Annex 15). */
function encoded(passphrase: string): Uint8Array {
  return new TextEncoder().encode(passphrase.normalize('NFKC'));
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
