import { FAULTS } from '../counters.js';
import type { SeedResult } from '../run/seed-run.js';
import { STORIES } from '../stories/stories.js';
import { RUNGS } from './rungs.js';

/** So many seeds see everything that can happen at least once. */
const ENOUGH_SEEDS = 300;

const TOLD = Object.keys(STORIES).map((name) => `story-${name}`);

/** What came of many seeds. */
export class Summary {
  readonly failed: number[] = [];
  #seeds = 0;
  #slowest = { seed: 0, healedAfter: 0 };
  readonly #counts = new Map<string, number>();

  add({ seed, violations, counts, healedAfter }: SeedResult): void {
    this.#seeds++;
    if (healedAfter > this.#slowest.healedAfter) this.#slowest = { seed, healedAfter };
    if (violations.length > 0) this.failed.push(seed);
    for (const [name, count] of counts) this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  /** Faults and rungs that never happened, though there were enough seeds. */
  get missing(): string[] {
    if (this.#seeds < ENOUGH_SEEDS) return [];
    return [...FAULTS, ...RUNGS].filter((name) => !this.#counts.has(name));
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
      `${this.#seeds} of ${wanted} seeds, ${this.failed.length} failed${this.failed.length === 0 ? '' : `: ${this.failed.slice(0, 50).join(', ')}`}`,
      `healed ${(this.#slowest.healedAfter / 60_000).toFixed(0)} minutes after the last fault, at the latest (seed ${this.#slowest.seed})`,
      ...this.missing.map((name) => `never happened: ${name}`),
    ].join('\n');
  }
}
