import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAMS = { bench: '../../bench/dist/bench.js', demo: '../dist/demo.js' };

describe.each(['bench', 'demo'] as const)('npm run %s', (name) => {
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL(PROGRAMS[name], import.meta.url)), ...args], {
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  const usage = expect.stringMatching(new RegExp(`^npm run ${name} -- \\[options\\]: .*\n\n +--`));

  it('tells its options', () => {
    expect(run('--help')).toEqual({ status: 0, stdout: usage, stderr: '' });
  });

  it('tells them when it does not know one, and nothing of its own code', () => {
    const { status, stderr } = run('--bogus');
    const [why, ...rest] = stderr.split('\n\n');
    expect([status, why, rest.join('\n\n')]).toEqual([2, expect.stringMatching(new RegExp(`^${name}: Unknown option '--bogus'`)), usage]);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
