import { readFileSync } from 'node:fs';
import { fromHex } from '@sotto/protocol';

/** A file that should hold a seed and can't be read (then that is the cause), or holds something else. What it holds is not in the message. */
export class SeedFileError extends Error {
  constructor(
    readonly file: string,
    options?: ErrorOptions,
  ) {
    super(`${file} does not give 64 hexadecimal digits`, options);
    this.name = 'SeedFileError';
  }
}

/** A seed is 64 hexadecimal digits. Throws SeedFileError. */
export function readSeed(file: string): Uint8Array {
  const text = textOf(file);
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new SeedFileError(file);
  return fromHex(text.toLowerCase());
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new SeedFileError(file, { cause });
  }
}
