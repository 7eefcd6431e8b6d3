import { parseArgs } from 'node:util';
import { RULE_NAMES } from './campaign/rules.js';
import { STORIES, type StoryName, storyNamed } from './stories/stories.js';

export interface SimulateOptions {
  /** One world alone. */
  readonly seed: number | undefined;
  readonly trace: boolean;
  readonly from: number;
  readonly seeds: number;
  /** Real cryptography in all worlds. */
  readonly real: boolean;
  readonly without: string | undefined;
  readonly story: StoryName | undefined;
  readonly minutes: number;
}

export const HELP = `npm run simulate -- [options]: worlds in which everything fails that can, on the code of groups, and whether the invariants held

  --seeds N           worlds (300)
  --from N            the first of them (1)
  --minutes N         worlds that are not begun by then are left out (20)
  --seed N            this world alone; the same each time
  --trace             with --seed: all that happens in it
  --real              real cryptography in each world, not in one of ten
  --without RULE      as if the code had not this rule: ${RULE_NAMES.join(', ')}
  --story NAME        this story in each world: ${Object.keys(STORIES).join(', ')}
  --help              this text`;

/** Undefined: help was asked for. Throws an error that says what is wrong. */
export function simulateOptions(): SimulateOptions | undefined {
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
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { trace, real, without } = values;
  if (without !== undefined && !RULE_NAMES.includes(without)) throw new Error(`--without takes one of ${RULE_NAMES.join(', ')}`);
  return {
    ...{ trace, real, without },
    seed: values.seed === undefined ? undefined : whole('seed', values.seed),
    from: whole('from', values.from),
    seeds: whole('seeds', values.seeds),
    story: values.story === undefined ? undefined : storyNamed(values.story),
    minutes: whole('minutes', values.minutes),
  };
}

function whole(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} is a whole number`);
  return Number(text);
}
