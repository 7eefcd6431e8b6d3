// One command that proves a change: build, type check of the specs, lint, boundaries, format, tests.
// `--skip=lint,tests` leaves steps out.
import { CHECKS, runNode } from './run.mjs';

const steps = { build: () => runNode('scripts/setup.mjs', ['--servers']), ...CHECKS, tests: () => runNode('scripts/test.mjs', []) };
const skip = process.argv.flatMap((argument) => (argument.startsWith('--skip=') ? argument.slice('--skip='.length).split(',') : []));
const failed = [];
for (const [name, step] of Object.entries(steps)) {
  if (skip.includes(name)) continue;
  console.log(`verify: ${name}`);
  if ((await step()) !== 0) failed.push(name);
  if (failed.includes('build')) break;
}
console.log(failed.length === 0 ? 'verify: all good' : `verify: failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
