import type { describe, it } from '@jest/globals';

/** Long and repeated tests run, not one of each kind alone. */
export const THOROUGH = process.env['THOROUGH'] === '1';
/** `npm test` counts by it (scripts/test.mjs). */
const LEFT_OUT = '(only with --thorough)';

type Test = (name: string, ...story: unknown[]) => void;
type Tests = Test & { each(...table: unknown[]): Test };
/** As Jest defines them for a suite. */
const jest = globalThis as unknown as { readonly describe: typeof describe; readonly it: typeof it };

/** For a test that repeats what another one shows, which `npm test` leaves out and says so: as `it`. */
export const itThoroughly: typeof it = THOROUGH ? jest.it : leavingOut(jest.it);
/** As `describe`. */
export const describeThoroughly: typeof describe = THOROUGH ? jest.describe : leavingOut(jest.describe);

function leavingOut<T extends { readonly skip: unknown }>({ skip }: T): T {
  const tests = skip as Tests;
  const saying =
    (test: Test): Test =>
    (name, ...story) =>
      test(`${name} ${LEFT_OUT}`, ...story);
  return Object.assign(saying(tests), { each: (...table: unknown[]) => saying(tests.each(...table)) }) as unknown as T;
}
