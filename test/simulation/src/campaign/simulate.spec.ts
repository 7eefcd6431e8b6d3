import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { GROUP_RULES, type GroupRules } from '@sotto/client/core';
import { runSeed } from '../run/seed-run.js';
import type { StoryName } from '../stories/stories.js';
import { RULE_NAMES, withoutRule } from './rules.js';

/** A world that needs the rule. */
const WORLDS: Readonly<Record<string, number>> = {
  hold: 51,
  helloBeforeSealing: 4,
  removedFallSilent: 1,
};

/** A story that needs the rule. */
const STORIES: Readonly<Record<string, StoryName>> = {
  'fork.removedWeighNothing': 'branch-of-the-removed',
  'fork.accountsFirst': 'branch-of-one',
  'fork.removedWithReplacement': 'removal-beside-rejoin',
  removalsAddUp: 'lost-removal',
  slotsAreNoPermission: 'taken-slot',
  rejoin: 'long-fork',
  durableBeforeSent: 'crash-in-commit',
  usedGenerationByHash: 'forgotten-message',
  later: 'unreadable-flood',
  onceOwedOwed: 'losing-invitation',
  greet: 'orphaned-newcomer',
};

/** A story that ends well without the rule, too, but not before the author seals again what nobody could read for an hour. */
const LATE: Readonly<Record<string, StoryName>> = { keepLosingBranches: 'losing-message' };
const HOUR_MS = 3_600_000;

const THOROUGH = process.env['THOROUGH'] === '1';

/** Stories that no rule alone decides, and in how many worlds each is tried. */
const WHOLE: Readonly<Partial<Record<StoryName, number>>> = { 'minted-siblings': THOROUGH ? 3 : 1, 'spoilt-branch': THOROUGH ? 8 : 1 };

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

/** How often it was wrong. */
async function wrongs(seed: number, rules: GroupRules, story?: StoryName): Promise<number> {
  const { violations } = await runSeed({ seed, rules, story, real: false, trace: false });
  return violations.length;
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

  it.each(Object.entries(WORLDS))(
    `finds what is wrong without the rule %s, in world %i${THOROUGH ? ', and nothing with it' : ''}`,
    async (rule, seed) => {
      expect(await wrongs(seed, withoutRule(rule))).toBeGreaterThan(0);
      // Whole worlds, of which some are simulated above.
      if (THOROUGH) expect(await wrongs(seed, GROUP_RULES)).toBe(0);
    },
    LONG,
  );

  it.each(Object.entries(STORIES))(
    'finds what is wrong without the rule %s, in the story %s, and nothing with it',
    async (rule, story) => {
      expect(await wrongs(1, withoutRule(rule), story)).toBeGreaterThan(0);
      expect(await wrongs(1, GROUP_RULES, story)).toBe(0);
    },
    LONG,
  );

  it.each(Object.entries(LATE))(
    'finds that without the rule %s the story %s takes an hour, and minutes with it',
    async (rule, story) => {
      const healedAfter = async (rules: GroupRules) => (await runSeed({ seed: 1, rules, story, real: false, trace: false })).healedAfter;
      expect(await healedAfter(withoutRule(rule))).toBeGreaterThan(HOUR_MS);
      expect(await healedAfter(GROUP_RULES)).toBeLessThan(HOUR_MS / 10);
    },
    LONG,
  );

  it.each(Object.entries(WHOLE))(
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
    expect(Object.keys({ ...WORLDS, ...STORIES, ...LATE }).sort()).toEqual([...RULE_NAMES].sort());
  });
});
