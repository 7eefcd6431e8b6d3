import { setTimeout as sleep } from 'node:timers/promises';

const SET_UP_MS = 120_000;
const LOOK_MS = 50;

/** False: it did not come about in time. */
export async function within(ms: number, holds: () => boolean): Promise<boolean> {
  const end = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > end) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

/** Throws when what has to be so before anything goes wrong does not come about. */
export async function surely(what: string, holds: () => boolean): Promise<void> {
  if (!(await within(SET_UP_MS, holds))) throw new Error(`before anything went wrong, not within ${SET_UP_MS / 1_000} s: ${what}`);
}
