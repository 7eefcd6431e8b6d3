// Runs every test (further arguments go to Jest) and ends with a line `N passed, N failed`.
// --checks also runs type check, lint, boundaries and format, and counts each as a test.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKS, runNode } from './run.mjs';

const total = { passed: 0, failed: 0 };

async function runChecks() {
  for (const [name, check] of Object.entries(CHECKS)) {
    const code = await check();
    console.log(`${code === 0 ? 'PASS' : 'FAIL'} ${name}`);
    total[code === 0 ? 'passed' : 'failed'] += 1;
  }
}

async function runJest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-jest-'));
  try {
    const report = join(folder, 'report.json');
    // --forceExit: the schema engine's lock timer outlives a migration by ten seconds, and a test that hangs must not hang the run.
    const flags = ['--experimental-vm-modules', '--no-warnings'];
    const code = await runNode('node_modules/jest/bin/jest.js', ['--json', `--outputFile=${report}`, '--forceExit', ...args], flags);
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
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

const args = process.argv.slice(2);
if (args.includes('--checks')) await runChecks();
await runJest(args.filter((argument) => argument !== '--checks'));
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
console.log(`${total.passed} passed, ${total.failed} failed`);
