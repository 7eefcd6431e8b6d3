// A process of the campaign: runs the seeds that it is given, one after the other, and sends back what came of each.
import { GROUP_RULES } from '@sotto/client/core';
import { runSeed } from '../run/seed-run.js';
import type { StoryName } from '../stories/stories.js';
import { withoutRule } from './rules.js';

export interface Job {
  readonly seed: number;
  readonly real: boolean;
  readonly without?: string | undefined;
  readonly story?: StoryName | undefined;
}

process.on('message', ({ seed, real, without, story }: Job) => {
  const rules = without === undefined ? GROUP_RULES : withoutRule(without);
  void runSeed({ seed, rules, real, trace: false, story }).then((result) => process.send?.(result));
});
