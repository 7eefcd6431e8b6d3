import { beforeEach, describe, expect, it } from '@jest/globals';
import { FAULTS } from '../counters.js';
import { STORIES } from '../stories/stories.js';
import { RUNGS } from './rungs.js';
import { Summary } from './summary.js';

const ENOUGH = 300;
const ALL = [...FAULTS, ...RUNGS, ...Object.keys(STORIES).map((name) => `story-${name}`)];

let summary: Summary;

beforeEach(() => {
  summary = new Summary();
});

function run(seeds: number, happened: readonly string[], into = summary): void {
  const counts = happened.map((name) => [name, 1] as const);
  for (let seed = 1; seed <= seeds; seed++) into.add({ seed, violations: [], counts, trace: [], healedAfter: 90_000 });
}

describe('a run of the simulation', () => {
  it('is well when all worlds were run, and all that can happen did', () => {
    run(ENOUGH, ALL);
    expect(summary.isWell(ENOUGH)).toBe(true);
  });

  it('is not when some were not begun in time, and says so', () => {
    run(ENOUGH, ALL);
    expect(summary.isWell(ENOUGH + 2)).toBe(false);
    expect(summary.text(ENOUGH + 2)).toContain('2 seeds were not begun in time: --minutes gives more');
  });

  it('is not when one went wrong', () => {
    run(ENOUGH, ALL);
    summary.add({ seed: 7, violations: [{ check: 'one-head', text: 'two' }], counts: [], trace: [], healedAfter: 0 });
    expect(summary.isWell(ENOUGH + 1)).toBe(false);
  });

  it.each([FAULTS[0]!, RUNGS[0]!, `story-${Object.keys(STORIES)[0]}`])('is not when %s never happened in many worlds', (name) => {
    run(
      ENOUGH,
      ALL.filter((each) => each !== name),
    );
    expect(summary.isWell(ENOUGH)).toBe(false);
    expect(summary.text(ENOUGH)).toContain(`never happened: ${name}`);
  });

  it('asks that of few worlds, or of such as are all of one kind, no more than of those that are seldom', () => {
    run(ENOUGH - 1, []);
    expect(summary.isWell(ENOUGH - 1)).toBe(true);
    const ofOneKind = new Summary(true);
    run(ENOUGH, [], ofOneKind);
    expect(ofOneKind.isWell(ENOUGH)).toBe(true);
    const common = new Summary();
    run(
      ENOUGH,
      ALL.filter((name) => name !== 'removal-unjudged'),
      common,
    );
    expect(common.isWell(ENOUGH)).toBe(true);
  });
});
