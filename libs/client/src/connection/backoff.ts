const FIRST_MS = 500;
const MOST_MS = 30_000;

/** Full jitter: anything from 0 to a bound that doubles with each failure, so that a crowd does not come back at once. */
export function backoffMs(failures: number, random = Math.random()): number {
  return Math.floor(random * Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures, 16)));
}
