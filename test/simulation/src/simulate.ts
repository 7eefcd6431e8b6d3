// npm run simulate -- [--seeds 300] [--from 1] [--seed N [--trace]] [--real] [--without RULE] [--story NAME] [--minutes 20]
import { parseArgs } from 'node:util';
import { GROUP_RULES } from '@sotto/client/core';
import { runCampaign } from './campaign/campaign.js';
import { withoutRule } from './campaign/rules.js';
import { Summary } from './campaign/summary.js';
import { runSeed, type SeedResult } from './run/seed-run.js';
import { storyNamed } from './stories/stories.js';

const SEED_LIMIT_MS = 600_000;
const TOLD_EVERY_MS = 30_000;
/** Violations shown of each seed, of many. */
const SHOWN = 4;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '300' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    real: { type: 'boolean', default: false },
    without: { type: 'string' },
    story: { type: 'string' },
    minutes: { type: 'string', default: '20' },
  },
});

const story = values.story === undefined ? undefined : storyNamed(values.story);
const summary = new Summary();
if (values.seed === undefined) await runMany();
else await runOne(whole('seed', values.seed));
process.exitCode = summary.failed.length === 0 ? 0 : 1;

async function runOne(seed: number): Promise<void> {
  const rules = values.without === undefined ? GROUP_RULES : withoutRule(values.without);
  const result = await runSeed({ seed, rules, real: values.real, trace: values.trace, story });
  for (const line of result.trace) console.log(line);
  tell(result);
  if (result.violations.length === 0) console.log(`seed ${seed}: all well`);
}

async function runMany(): Promise<void> {
  const [from, count] = [whole('from', values.from), whole('seeds', values.seeds)];
  const telling = setInterval(() => console.error(summary.soFar(count)), TOLD_EVERY_MS);
  await runCampaign({
    seeds: Array.from({ length: count }, (_, i) => from + i),
    real: values.real,
    without: values.without,
    story,
    limitMs: whole('minutes', values.minutes) * 60_000,
    seedLimitMs: SEED_LIMIT_MS,
    onResult: tell,
  });
  clearInterval(telling);
  console.log(summary.text(count));
}

function tell(result: SeedResult): void {
  summary.add(result);
  const shown = values.seed === undefined ? result.violations.slice(0, SHOWN) : result.violations;
  for (const { check, text } of shown) console.log(`seed ${result.seed}: ${check}: ${text}`);
  if (shown.length < result.violations.length) console.log(`seed ${result.seed}: and ${result.violations.length - shown.length} more`);
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} is a whole number`);
  return value;
}
