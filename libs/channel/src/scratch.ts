import { LIMITS } from '@sotto/protocol';
import { type RawSodium, rawSodium } from './sodium.js';

// One piece of WebAssembly memory for all connections of the process: every operation is synchronous and leaves nothing there that the next one reads.
export const KEYS_AT = 0;
export const NONCE_AT = 64;
export const INFO_AT = 128;
export const OUT_AT = 256;
export const BOX_AT = 320;
const SCRATCH_BYTES = BOX_AT + LIMITS.boxBytes;

export interface Scratch {
  readonly raw: RawSodium;
  /** Address of the scratch in `raw.HEAPU8`. */
  readonly base: number;
}

let scratch: Scratch | undefined;

/** Allocated at first use and never freed. Needs `ready()`. */
export function sharedScratch(): Scratch {
  if (scratch === undefined) {
    const raw = rawSodium();
    scratch = { raw, base: raw._malloc(SCRATCH_BYTES) };
  }
  return scratch;
}
