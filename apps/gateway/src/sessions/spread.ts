const LEAST_MS = 1_000;
const MOST_MS = 30_000;

/** Over how long clients spread what all of them are told to do: 1 s, and 1 ms more for each, up to 30 s. Milliseconds. */
export function spreadOver(clients: number): number {
  return Math.min(MOST_MS, LEAST_MS + clients);
}
