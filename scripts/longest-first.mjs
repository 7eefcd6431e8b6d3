// Jest begins with the suites that take longest, so that none of them runs alone in the end. How long each takes is in test-seconds.json,
// which `npm test -- --record` writes anew: a fresh checkout has no times of its own, and the size of a file says nothing about them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import TestSequencer from '@jest/test-sequencer';
import { root } from './run.mjs';

const TABLE = join(root, 'scripts/test-seconds.json');
/** Shorter ones fill the gaps in any order. */
const LEAST_SECONDS = 5;

/** In the checkout. */
export const nameOf = (path) => relative(root, path).replaceAll('\\', '/');

/** `suites`: as in Jest's report. Of those that are left out, what was recorded stays. */
export function recordSeconds(suites) {
  const seconds = suites.map(({ name, startTime, endTime }) => [nameOf(name), Math.round((endTime - startTime) / 1_000)]);
  const all = Object.entries({ ...recorded(), ...Object.fromEntries(seconds) });
  const long = all
    .filter(([name, each]) => each >= LEAST_SECONDS && existsSync(join(root, name)))
    .sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1));
  writeFileSync(TABLE, `${JSON.stringify(Object.fromEntries(long), undefined, 2)}\n`);
}

const recorded = () => JSON.parse(readFileSync(TABLE, 'utf8'));

export default class LongestFirst extends TestSequencer {
  sort(tests) {
    const table = recorded();
    const secondsOf = ({ path }) => table[nameOf(path)] ?? 0;
    return [...tests].sort((a, b) => secondsOf(b) - secondsOf(a));
  }
}
