import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { SeedResult } from '../run/seed-run.js';
import type { StoryName } from '../stories/stories.js';
import type { Job } from './worker.js';

export interface CampaignOptions {
  readonly seeds: Iterable<number>;
  readonly real: boolean;
  readonly without?: string | undefined;
  readonly story?: StoryName | undefined;
  /** No further seed is begun after so long. Milliseconds of real time. */
  readonly limitMs: number;
  /** A seed that takes longer has failed. Milliseconds of real time. */
  readonly seedLimitMs: number;
  readonly onResult: (result: SeedResult) => void;
}

/** Runs seeds on all cores, each process one at a time. Returns when all are judged, or the time is up. */
export async function runCampaign(options: CampaignOptions): Promise<void> {
  const seeds = options.seeds[Symbol.iterator]();
  const end = Date.now() + options.limitMs;
  const next = () => (Date.now() < end ? seeds.next() : { done: true as const, value: undefined });
  const workers = Array.from({ length: availableParallelism() }, () => new Worker(options));
  await Promise.all(
    workers.map(async (worker) => {
      for (let seed = next(); seed.done !== true; seed = next()) options.onResult(await worker.run(seed.value));
      worker.stop();
    }),
  );
}

const PROGRAM = fileURLToPath(new URL('./worker.js', import.meta.url));
/**
 * Most of what a step makes is garbage after it: room for many steps (in MiB) spares half of the collector's work. As there is a process for
 * each core, threads of a collector would only take turns with the others.
 */
const NODE_ARGUMENTS = [...process.execArgv, '--max-semi-space-size=32', '--single-threaded-gc'];

class Worker {
  #process: ChildProcess | undefined;

  constructor(private readonly options: CampaignOptions) {}

  run(seed: number): Promise<SeedResult> {
    const process = (this.#process ??= fork(PROGRAM, { execArgv: NODE_ARGUMENTS }));
    const { real, without, story, seedLimitMs } = this.options;
    return new Promise((resolve) => {
      const done = (result: SeedResult) => {
        clearTimeout(timer);
        process.removeAllListeners();
        resolve(result);
      };
      const lost = (text: string) => {
        this.stop();
        done({ seed, counts: [], trace: [], healedAfter: 0, violations: [{ check: 'sound-steps', text }] });
      };
      const timer = setTimeout(() => lost(`took longer than ${seedLimitMs / 1_000} s`), seedLimitMs);
      process.once('message', (result) => done(result as SeedResult));
      process.once('exit', (code, signal) => lost(`the process that ran it ended (${signal ?? code})`));
      process.send({ seed, real, without, story } satisfies Job);
    });
  }

  stop(): void {
    this.#process?.removeAllListeners();
    this.#process?.kill();
    this.#process = undefined;
  }
}
