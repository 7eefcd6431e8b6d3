import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** POSIX.1-1988 (ustar): a header, then the file's bytes, each filled up to whole blocks. */
const BLOCK = 512;
const NAME = [0, 100] as const;
const SIZE = [124, 136] as const;
const TYPE = [156, 157] as const;
const DIRECTORY = '5';
/** More than a seed unpacks to, which is then not joined from pieces: that takes as long as to unpack it. What is not written to is no memory. */
const PIECE_BYTES = 64 * 2 ** 20;

/**
 * Writes a data folder that PGlite dumped. PGlite can do that itself, by way of a file system of its own, in ten times the time. Nobody is served
 * yet whom it would keep waiting.
 */
export function unpackSeed(seed: Uint8Array, folder: string): void {
  const archive = gunzipSync(seed, { chunkSize: PIECE_BYTES });
  const text = (at: number, [from, to]: readonly [number, number]) =>
    archive.toString('latin1', at + from, at + to).replace(/[\0 ].*/s, '');
  mkdirSync(folder, { mode: 0o700 });
  for (let at = 0; archive[at];) {
    const path = join(folder, text(at, NAME));
    const size = Number.parseInt(text(at, SIZE), 8);
    if (!Number.isSafeInteger(size)) throw new Error('the seed of the database is damaged: install or build anew');
    const start = at + BLOCK;
    if (text(at, TYPE) === DIRECTORY) mkdirSync(path, { mode: 0o700 });
    else writeFileSync(path, archive.subarray(start, start + size), { mode: 0o600 });
    at = start + BLOCK * Math.ceil(size / BLOCK);
  }
}
