import { spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Runs a program in the checkout's root with this terminal; resolves with its exit code (1 when a signal ended it). */
export function run(program, args, environment = {}) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment } });
    child.once('error', fail);
    child.once('exit', (code) => done(code ?? 1));
  });
}

/** Runs a dependency's JavaScript entry with this Node. */
export function runNode(script, args, nodeArgs = [], environment = {}) {
  return run(process.execPath, [...nodeArgs, resolve(root, script), ...args], environment);
}

/** The checks beside the tests, in the order of `npm run verify`. */
export const CHECKS = {
  typecheck: () => runNode('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.spec.json']),
  lint: () => runNode('node_modules/eslint/bin/eslint.js', ['.', '--max-warnings', '0']),
  boundaries: () =>
    runNode('node_modules/dependency-cruiser/bin/dependency-cruise.mjs', [
      '--config',
      '.dependency-cruiser.cjs',
      'apps',
      'examples',
      'libs',
      'test',
    ]),
  format: () => runNode('node_modules/prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']),
};
