import { performance } from 'node:perf_hooks';
import type { LoadSettings } from './load-settings.js';
import { Measurement } from './measurement.js';
import type { ConnectPairs, Pairs } from './pairs.js';

const PUMP_MS = 1;
/** Messages of a pair that may be open before the times of the oldest are lost: many seconds' worth. */
const RING = 4_096;

/** The senders send at a rate, in turn, a burst each, whatever comes back: a message that is late does not hold up the next. */
export class OpenLoop {
  readonly measurement = new Measurement(() => this.pairs.traffic());
  private pairs!: Pairs;
  /** By pair and tag: when the message was due, not when this process came to send it. */
  private readonly dueAt: Float64Array;
  private startedAt = 0;
  private bursts = 0;
  private readonly sent: Uint32Array;

  /** @param settings `rate` is that of all pairs together, a second. */
  constructor(
    private readonly settings: LoadSettings & { rate: number },
    private readonly connectPairs: ConnectPairs,
  ) {
    this.dueAt = new Float64Array(settings.pairs * RING);
    this.sent = new Uint32Array(settings.pairs);
  }

  async connect(): Promise<void> {
    this.pairs = await this.connectPairs(this.settings, (pair, tag, isDelivered) => {
      if (isDelivered) this.measurement.answered(this.dueAt[pair * RING + tag]!);
      else this.measurement.failures++;
    });
  }

  go(): void {
    if (!this.pairs.isOpen) throw new Error('the server closed connections before the load began');
    this.startedAt = performance.now();
    setInterval(() => this.pump(), PUMP_MS);
  }

  private pump(): void {
    const { rate, burst = 1, pairs } = this.settings;
    const interval = (1_000 * burst) / rate;
    const dueNow = (performance.now() - this.startedAt) / interval;
    for (; this.bursts < dueNow; this.bursts++) {
      const due = this.startedAt + this.bursts * interval;
      for (let i = 0; i < burst; i++) this.send(this.bursts % pairs, due);
    }
  }

  private send(pair: number, due: number): void {
    const tag = this.sent[pair]!++ % RING;
    this.dueAt[pair * RING + tag] = due;
    this.pairs.senders[pair]!(tag);
  }
}
