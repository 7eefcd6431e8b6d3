/** Milliseconds since this process began: no change of the machine's clock makes a connection look silent, or its allowance used up. */
export function steadyNow(): number {
  return performance.now();
}
