// Runs every test (further arguments go to Jest) and ends with a line `N passed, N failed`.
// --checks also runs type check, lint, boundaries and format, and counts each as a test; --seeds=N then runs the simulation with so many
// seeds, and counts each as a test; --record writes down how long the suites take, for their order.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordSeconds } from './longest-first.mjs';
import { CHECKS, root, runNode } from './run.mjs';

/** No further seed is begun after so long; those that were not begun have failed. */
const SEEDS_MINUTES = 12;

const total = { passed: 0, failed: 0 };

async function runChecks() {
  for (const [name, check] of Object.entries(CHECKS)) {
    const code = await check();
    console.log(`${code === 0 ? 'PASS' : 'FAIL'} ${name}`);
    total[code === 0 ? 'passed' : 'failed'] += 1;
  }
}

async function runJest(args, record) {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-jest-'));
  try {
    const report = join(folder, 'report.json');
    // --forceExit: the schema engine's lock timer outlives a migration by ten seconds, and a test that hangs must not hang the run.
    const flags = ['--experimental-vm-modules', '--no-warnings'];
    const code = await runNode('node_modules/jest/bin/jest.js', ['--json', `--outputFile=${report}`, '--forceExit', ...args], flags);
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    if (record) recordSeconds(testResults);
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    total.passed += numPassedTests;
    // A run that fails without a failed test (none found, a crash after the last one) is still a failure.
    total.failed += code !== 0 && failed === 0 ? 1 : failed;
  } catch (error) {
    console.error(`test: Jest left no report: ${error.message}`);
    total.failed += 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a program prints, which is also printed here. */
async function printed(script, args) {
  const child = spawn(process.execPath, [join(root, script), ...args], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    process.stdout.write(chunk);
    output += chunk;
  }
  return output;
}

/** A world is a test. */
async function runSeeds(count) {
  const output = await printed('test/simulation/dist/simulate.js', ['--seeds', String(count), '--minutes', String(SEEDS_MINUTES)]);
  const [, judged = '0', failed = '0'] = /^(\d+) of \d+ seeds, (\d+) failed/m.exec(output) ?? [];
  const passed = Number(judged) - Number(failed);
  total.passed += passed;
  total.failed += count - passed;
}

const OURS = /^--(checks|record|seeds=(\d+))$/;
const args = process.argv.slice(2);
const seeds = args.map((argument) => OURS.exec(argument)?.[2]).find((each) => each !== undefined);

if (args.includes('--checks')) await runChecks();
await runJest(
  args.filter((argument) => !OURS.test(argument)),
  args.includes('--record'),
);
if (seeds !== undefined) await runSeeds(Number(seeds));
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
console.log(`${total.passed} passed, ${total.failed} failed`);
