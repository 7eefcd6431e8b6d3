import { performance } from 'node:perf_hooks';
import { Latencies } from './latencies.js';
import type { LoadResult } from './load-settings.js';
import type { Traffic } from './pairs.js';

/** Counts what a load does between `begin` and `end`. */
export class Measurement {
  private readonly latencies = new Latencies();
  private startedAt = 0;
  private framesBefore = 0;
  private boxesBefore = 0;
  private failuresBefore = 0;
  failures = 0;

  constructor(private readonly traffic: () => Traffic) {}

  answered(since: number): void {
    this.latencies.add(performance.now() - since);
  }

  begin(): void {
    const { frames, boxes } = this.traffic();
    this.framesBefore = frames;
    this.boxesBefore = boxes;
    this.failuresBefore = this.failures;
    this.latencies.clear();
    this.startedAt = performance.now();
  }

  end(): LoadResult {
    const { frames, boxes } = this.traffic();
    return {
      messages: this.latencies.count,
      seconds: (performance.now() - this.startedAt) / 1_000,
      p50Ms: this.latencies.percentile(0.5),
      p99Ms: this.latencies.percentile(0.99),
      frames: frames - this.framesBefore,
      boxes: boxes - this.boxesBefore,
      failures: this.failures - this.failuresBefore,
    };
  }
}
