import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { GROUP_RULES, type GroupRules } from '@sotto/client/core';
import { itThoroughly } from '@sotto/testing/thoroughly';
import type { Check } from '../checks/ledger.js';
import { runSeed } from '../run/seed-run.js';
import type { StoryName } from '../stories/stories.js';
import { RULE_NAMES, withoutRule } from './rules.js';

/** A world that needs the rule, and what does not hold there without it. */
const WORLDS: Readonly<Record<string, readonly [number, Check]>> = {
  hold: [51, 'sealed-for-members'],
  helloBeforeSealing: [4, 'sealed-for-members'],
  removedFallSilent: [1, 'one-head'],
};

/** A story that needs the rule, and what does not hold there without it; what a story itself expects counts as what is left to do. */
const STORIES: readonly (readonly [string, StoryName, Check])[] = [
  ['fork.removedWeighNothing', 'branch-of-the-removed', 'nothing-undone'],
  ['fork.accountsFirst', 'branch-of-one', 'nothing-undone'],
  ['fork.removedWithReplacement', 'removal-beside-rejoin', 'nothing-left'],
  ['removalsAddUp', 'lost-removal', 'one-head'],
  ['slotsAreNoPermission', 'taken-slot', 'nothing-left'],
  ['rejoin', 'long-fork', 'one-head'],
  ['rejoin', 'late-joiner', 'one-head'],
  ['durableBeforeSent', 'crash-in-commit', 'nothing-left'],
  ['usedGenerationByHash', 'forgotten-message', 'each-message-once'],
  ['later', 'unreadable-flood', 'nothing-left'],
  ['onceOwedOwed', 'losing-invitation', 'each-message-once'],
  ['greet', 'orphaned-newcomer', 'one-head'],
  ['keepLosingBranches', 'losing-message', 'nothing-left'],
];

/** Stories that no rule alone decides, and in how many worlds each is tried. */
const WHOLE: Readonly<Partial<Record<StoryName, number>>> = {
  'minted-siblings': 3,
  'removal-in-vain': 8,
  'spoilt-branch': 8,
  'long-away': 1,
  'only-phone': 1,
};

/** Short ones, the last on real cryptography; `.ci/run` goes through hundreds. */
const FROM = 49;
const SEEDS = 2;
const SIMULATE = fileURLToPath(new URL('../../dist/simulate.js', import.meta.url));
const LONG = 900_000;

async function simulate(...args: string[]): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn(process.execPath, [SIMULATE, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text: Buffer) => void (output += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

/** What did not hold. */
async function wrongs(seed: number, rules: GroupRules, story?: StoryName): Promise<Check[]> {
  const { violations } = await runSeed({ seed, rules, story, real: false, trace: false });
  return violations.map(({ check }) => check);
}

describe('npm run simulate', () => {
  it(
    'finds nothing wrong in some worlds, every tenth on real cryptography',
    async () => {
      const { code, output } = await simulate('--from', String(FROM), '--seeds', String(SEEDS), '--minutes', '14');
      expect(output).toContain(`${SEEDS} of ${SEEDS} seeds, 0 failed`);
      expect(code).toBe(0);
    },
    LONG,
  );

  it(
    'tells what is wrong in one world, and that all is well',
    async () => {
      const lost = await simulate('--seed', '1', '--story', 'lost-removal', '--without', 'removalsAddUp');
      expect(lost.output).toMatch(/^seed 1: [a-z-]+: /m);
      expect(lost.code).toBe(1);
      expect(await simulate('--seed', '1', '--story', 'lost-removal')).toEqual({ code: 0, output: 'seed 1: all well\n' });
    },
    LONG,
  );

  itThoroughly.each(Object.entries(WORLDS).map(([rule, [seed, check]]) => [rule, seed, check] as const))(
    'finds without the rule %s, in world %i, that %s does not hold, and nothing with it',
    async (rule, seed, check) => {
      expect(await wrongs(seed, withoutRule(rule))).toContain(check);
      expect(await wrongs(seed, GROUP_RULES)).toEqual([]);
    },
    LONG,
  );

  itThoroughly.each(STORIES)(
    'finds without the rule %s, in the story %s, that %s does not hold, and nothing with it',
    async (rule, story, check) => {
      expect(await wrongs(1, withoutRule(rule), story)).toContain(check);
      expect(await wrongs(1, GROUP_RULES, story)).toEqual([]);
    },
    LONG,
  );

  itThoroughly.each(Object.entries(WHOLE))(
    'finds nothing wrong in the story %s, in %i worlds',
    async (story, worlds) => {
      const { code, output } = await simulate('--seeds', String(worlds), '--story', story);
      expect(output).toMatch(new RegExp(`^story-${story} +[1-9]`, 'm'));
      expect(output).toContain(`${worlds} of ${worlds} seeds, 0 failed`);
      expect(code).toBe(0);
    },
    LONG,
  );

  it('shows of every rule that it is needed', () => {
    const shown = new Set([...Object.keys(WORLDS), ...STORIES.map(([rule]) => rule)]);
    expect([...shown].sort()).toEqual([...RULE_NAMES].sort());
  });
});
