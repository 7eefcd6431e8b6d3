// Runs Jest, and what failed in it once more: see docs/decisions/second-run-of-failed-suites.md.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nameOf } from './longest-first.mjs';
import { runNode } from './run.mjs';

/** So many suites do not fail because the machine is busy. */
const MOST_TO_REPEAT = 10;

const hasFailed = ({ status }) => status === 'failed';
/** See @sotto/testing/thoroughly. */
const isLeftOut = ({ status, fullName }) => status === 'pending' && fullName.includes('(only with --thorough)');
const testsOf = (suites, status) => suites.flatMap(({ assertionResults }) => assertionResults.filter((test) => test.status === status));
/** One that broke before or after its tests counts as a failed test. */
const failuresOf = (suites) =>
  suites.reduce((sum, suite) => sum + (hasFailed(suite) ? Math.max(1, testsOf([suite], 'failed').length) : 0), 0);

/**
 * `suites` as in Jest's report, each from its last run; `passed` and `failed` count tests in them; `repeated` are the suites that passed
 * only when they ran again: { name, failure }, where `failure` is what their first failure said; `leftOut` counts the tests that only a
 * thorough run has.
 */
export async function runSuites(args) {
  const first = await reportOf(args);
  const failed = first.suites.filter(hasFailed);
  if (failed.length === 0 || failed.length > MOST_TO_REPEAT) return { ...counted(first), repeated: [] };
  console.log(`\ntest: ${failed.length} failed suites run again, one after the other`);
  const second = await reportOf([...args.filter((argument) => !/^--maxWorkers=/.test(argument)), '--maxWorkers=1', '--onlyFailures']);
  const again = new Map(second.suites.map((suite) => [suite.name, suite]));
  const last = { ...first, code: second.code, suites: first.suites.map((suite) => again.get(suite.name) ?? suite) };
  const repeated = failed.filter(({ name }) => again.has(name) && !hasFailed(again.get(name)));
  return { ...counted(last), repeated: repeated.map(({ name, message }) => ({ name: nameOf(name), failure: message })) };
}

/** A run that fails without a failed test (none found, a crash after the last one) is still a failure. */
function counted({ code, suites }) {
  const failed = failuresOf(suites);
  const leftOut = suites.flatMap(({ assertionResults }) => assertionResults).filter(isLeftOut).length;
  return { suites, passed: testsOf(suites, 'passed').length, failed: code !== 0 && failed === 0 ? 1 : failed, leftOut };
}

async function reportOf(args) {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-jest-'));
  const life = await openFor(folder);
  try {
    const file = join(folder, 'report.json');
    // --forceExit: the schema engine's lock timer outlives a migration by ten seconds, and a test that hangs must not hang the run.
    // Workers inherit the flags. Most of what a suite makes is garbage soon, and the other cores are busy with other suites.
    const flags = [
      '--experimental-vm-modules',
      '--no-warnings',
      '--max-semi-space-size=64',
      '--single-threaded-gc',
      '--wasm-tiering-budget=180000000',
    ];
    const code = await runNode('node_modules/jest/bin/jest.js', ['--json', `--outputFile=${file}`, '--forceExit', ...args], flags, {
      SOTTO_TEST_RUN: folder,
    });
    return { code, suites: JSON.parse(readFileSync(file, 'utf8')).testResults };
  } catch (error) {
    console.error(`test: Jest left no report: ${error.message}`);
    return { code: 1, suites: [] };
  } finally {
    life.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The processes that suites share (test/harness/src/shared-app.ts) end when what is open here closes, in whatever way. */
async function openFor(folder) {
  const connections = new Set();
  const server = createServer((connection) => connections.add(connection.on('error', () => undefined)));
  await once(server.listen(join(folder, 'run')), 'listening');
  return {
    close: () => {
      server.close();
      for (const connection of connections) connection.destroy();
    },
  };
}
