import { FAULTS } from '../counters.js';
import type { SeedResult } from '../run/seed-run.js';
import { STORIES } from '../stories/stories.js';
import { RUNGS } from './rungs.js';

/** So many seeds see everything that can happen at least once. */
const ENOUGH_SEEDS = 300;
/** But for these, which specs of libs/client bring about, and the two stories that need a commit which happens to be spoilt for the right ones: simulate.spec.ts. */
const SELDOM: ReadonlySet<string> = new Set(['commit-let-go', 'removal-unjudged', 'story-removal-in-vain', 'story-spoilt-branch']);

const TOLD = Object.keys(STORIES).map((name) => `story-${name}`);

/** What came of many seeds. */
export class Summary {
  readonly failed: number[] = [];
  #seeds = 0;
  #slowest = { seed: 0, healedAfter: 0 };
  readonly #counts = new Map<string, number>();

  /** @param isOfOneKind one story in each world, or a rule less: not everything is to happen */
  constructor(private readonly isOfOneKind = false) {}

  add({ seed, violations, counts, healedAfter }: SeedResult): void {
    this.#seeds++;
    if (healedAfter > this.#slowest.healedAfter) this.#slowest = { seed, healedAfter };
    if (violations.length > 0) this.failed.push(seed);
    for (const [name, count] of counts) this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  /** Faults, rungs and stories that never happened, though there were enough seeds: a run without them has not tested them. */
  get missing(): string[] {
    if (this.#seeds < ENOUGH_SEEDS || this.isOfOneKind) return [];
    return [...FAULTS, ...RUNGS, ...TOLD].filter((name) => !this.#counts.has(name));
  }

  /** All that were wanted have been run, none went wrong, and what has to happen did. */
  isWell(wanted: number): boolean {
    return this.failed.length === 0 && this.#seeds === wanted && this.missing.every((name) => SELDOM.has(name));
  }

  soFar(wanted: number): string {
    return `${this.#seeds} of ${wanted} seeds so far, ${this.failed.length} failed`;
  }

  text(wanted: number): string {
    const line = (name: string) => `${name.padEnd(30)} ${String(this.#counts.get(name) ?? 0).padStart(9)}`;
    return [
      'Faults',
      ...FAULTS.map(line),
      'Rungs',
      ...RUNGS.map(line),
      'Stories',
      ...TOLD.map(line),
      'Excused',
      line('parted-for-good'),
      ...(this.#seeds < wanted ? [`${wanted - this.#seeds} seeds were not begun in time: --minutes gives more`] : []),
      `${this.#seeds} of ${wanted} seeds, ${this.failed.length} failed${this.failed.length === 0 ? '' : `: ${this.failed.slice(0, 50).join(', ')}`}`,
      `healed ${(this.#slowest.healedAfter / 60_000).toFixed(0)} minutes after the last fault, at the latest (seed ${this.#slowest.seed})`,
      ...this.missing.map((name) => `never happened: ${name}${SELDOM.has(name) ? ' (which is seldom)' : ''}`),
    ].join('\n');
  }
}
