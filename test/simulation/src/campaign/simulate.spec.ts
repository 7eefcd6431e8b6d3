import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { RULE_NAMES } from './rules.js';

/** A world that needs the rule. */
const NEEDS: Readonly<Record<string, number>> = {
  hold: 14,
  slotsAreNoPermission: 3,
  rejoin: 1,
  durableBeforeSent: 7,
  helloBeforeSealing: 4,
  keepLosingBranches: 1,
  removedFallSilent: 1,
};

/** Some, as with every other test; `.ci/run` goes through many. */
const FIRST_SEEDS = 25;
const SIMULATE = fileURLToPath(new URL('../../dist/simulate.js', import.meta.url));
const LONG = 900_000;

async function simulate(...args: string[]): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn(process.execPath, [SIMULATE, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text: Buffer) => void (output += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

describe('npm run simulate', () => {
  it(
    'finds nothing wrong in the first worlds, every tenth on real cryptography',
    async () => {
      const { code, output } = await simulate('--seeds', String(FIRST_SEEDS), '--minutes', '14');
      expect(output).toContain(`${FIRST_SEEDS} of ${FIRST_SEEDS} seeds, 0 failed`);
      expect(code).toBe(0);
    },
    LONG,
  );

  it.each(Object.entries(NEEDS))(
    'finds what is wrong without the rule %s, in world %i',
    async (rule, seed) => {
      const { code, output } = await simulate('--seed', String(seed), '--without', rule);
      expect(output).toMatch(/^seed \d+: [a-z-]+: /m);
      expect(code).toBe(1);
    },
    LONG,
  );

  it('knows no other rules than those', () => {
    expect(Object.keys(NEEDS).every((rule) => RULE_NAMES.includes(rule))).toBe(true);
  });
});
