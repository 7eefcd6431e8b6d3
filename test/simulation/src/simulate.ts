// npm run simulate: one world, or many, and what came of them.
import { GROUP_RULES } from '@sotto/client/core';
import { runCampaign } from './campaign/campaign.js';
import { withoutRule } from './campaign/rules.js';
import { Summary } from './campaign/summary.js';
import { HELP, type SimulateOptions, simulateOptions } from './options.js';
import { runSeed, type SeedResult } from './run/seed-run.js';

const SEED_LIMIT_MS = 600_000;
const TOLD_EVERY_MS = 30_000;
/** Violations shown of each seed, of many. */
const SHOWN = 4;

/** Whether all was well. */
async function runOne(seed: number, { without, real, trace, story }: SimulateOptions): Promise<boolean> {
  const rules = without === undefined ? GROUP_RULES : withoutRule(without);
  const result = await runSeed({ seed, rules, real, trace, story });
  for (const line of result.trace) console.log(line);
  tell(result, result.violations.length);
  if (result.violations.length === 0) console.log(`seed ${seed}: all well`);
  return result.violations.length === 0;
}

/** Whether all of them were run, and all was well in each. */
async function runMany({ from, seeds, real, without, story, minutes }: SimulateOptions): Promise<boolean> {
  const summary = new Summary(story !== undefined || without !== undefined);
  const telling = setInterval(() => console.error(summary.soFar(seeds)), TOLD_EVERY_MS);
  await runCampaign({
    seeds: Array.from({ length: seeds }, (_, i) => from + i),
    ...{ real, without, story },
    limitMs: minutes * 60_000,
    seedLimitMs: SEED_LIMIT_MS,
    onResult: (result) => {
      summary.add(result);
      tell(result, SHOWN);
    },
  });
  clearInterval(telling);
  console.log(summary.text(seeds));
  return summary.isWell(seeds);
}

function tell({ seed, violations }: SeedResult, most: number): void {
  for (const { check, text } of violations.slice(0, most)) console.log(`seed ${seed}: ${check}: ${text}`);
  if (violations.length > most) console.log(`seed ${seed}: and ${violations.length - most} more`);
}

function readOptions(): SimulateOptions | undefined {
  try {
    const options = simulateOptions();
    if (options === undefined) console.log(HELP);
    return options;
  } catch (error) {
    console.error(`${(error as Error).message}\nnpm run simulate -- --help lists the options`);
    process.exitCode = 2;
    return undefined;
  }
}

const options = readOptions();
if (options !== undefined) {
  const well = options.seed === undefined ? await runMany(options) : await runOne(options.seed, options);
  process.exitCode = well ? 0 : 1;
}
