// Runs the tests (further arguments go to Jest), those of failed suites once more, and ends with a line `N passed, N failed`.
// --checks also runs type check, lint, boundaries and format, and counts each as a test; --thorough runs also what repeats a promise in
// further worlds, and exhaustive and random tests for as long as they can, not for seconds; --seeds=N then runs the simulation with so many
// seeds, and counts each as a test; --record writes down how long the suites take, for their order.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runSuites } from './jest-runs.mjs';
import config from '../jest.config.mjs';
import { recordSeconds } from './longest-first.mjs';
import { CHECKS, root } from './run.mjs';
import { THOROUGH_SUITES } from './thorough-suites.mjs';

/** No further seed is begun after so long; those that were not begun have failed. */
const SEEDS_MINUTES = 12;

const total = { passed: 0, failed: 0 };

/** All at once: each computes on one core. */
async function runChecks() {
  const runCheck = async ([name, check]) => {
    const code = await check();
    console.log(`${code === 0 ? 'PASS' : 'FAIL'} ${name}`);
    total[code === 0 ? 'passed' : 'failed'] += 1;
  };
  await Promise.all(Object.entries(CHECKS).map(runCheck));
}

async function runJest(args, record) {
  const { suites, passed, failed, repeated, leftOut } = await runSuites(args);
  if (record) recordSeconds(suites);
  total.passed += passed;
  total.failed += failed;
  return { repeated, leftOut };
}

/** What a program prints, which is also printed here, and how it ends. */
async function printed(script, args) {
  const child = spawn(process.execPath, [join(root, script), ...args], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let output = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    process.stdout.write(chunk);
    output += chunk;
  }
  const [code] = await closed;
  return { output, code };
}

/** A world is a test, and that all came about that has to is one more if it did not. */
async function runSeeds(count) {
  const { output, code } = await printed('test/simulation/dist/simulate.js', [
    '--seeds',
    String(count),
    '--minutes',
    String(SEEDS_MINUTES),
  ]);
  const [, judged = '0', failed = '0'] = /^(\d+) of \d+ seeds, (\d+) failed/m.exec(output) ?? [];
  const passed = Number(judged) - Number(failed);
  total.passed += passed;
  total.failed += count - passed + Number(passed === count && code !== 0);
}

/** For Jest, on top of what its configuration leaves out. */
function leavingOut(suites) {
  const patterns = suites.map((name) => `/${name.replaceAll('.', '\\.')}$`);
  return [...config.testPathIgnorePatterns, ...patterns].map((pattern) => `--testPathIgnorePatterns=${pattern}`);
}

/** Of Jest's options, those whose value may be an argument of its own. */
const VALUED = new Set([
  '-t',
  '--testNamePattern',
  '-w',
  '--maxWorkers',
  '-c',
  '--config',
  '--testTimeout',
  '--seed',
  '--shard',
  '--reporters',
]);
const isSuite = (argument, index, all) => !argument.startsWith('-') && !VALUED.has(all[index - 1]);

const OURS = /^--(checks|thorough|record|seeds=(\d+))$/;
const args = process.argv.slice(2);
const seeds = args.map((argument) => OURS.exec(argument)?.[2]).find((each) => each !== undefined);

if (args.includes('--thorough')) process.env.THOROUGH = '1';
if (args.includes('--checks')) await runChecks();
const forJest = args.filter((argument) => !OURS.test(argument));
const isThorough = process.env.THOROUGH === '1';
const unknown = Object.keys(THOROUGH_SUITES).filter((name) => !existsSync(join(root, name)));
if (unknown.length > 0) throw new Error(`scripts/thorough-suites.mjs names what is not there: ${unknown.join(', ')}`);
/** Whoever names suites means those. */
const suitesLeftOut = isThorough || forJest.some(isSuite) ? [] : Object.keys(THOROUGH_SUITES);
const { repeated, leftOut } = await runJest([...forJest, ...leavingOut(suitesLeftOut)], args.includes('--record'));
if (seeds !== undefined) await runSeeds(Number(seeds));
for (const { name, failure } of repeated) console.log(`\nfailed under load, passed alone: ${name}\n${failure}`);
if (suitesLeftOut.length + leftOut > 0)
  console.log(
    `\nleft for npm test -- --thorough: ${suitesLeftOut.length} suites (scripts/thorough-suites.mjs tells why), and ${leftOut} tests of others`,
  );
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
console.log(`${total.passed} passed, ${total.failed} failed`);
