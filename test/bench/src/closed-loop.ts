import { performance } from 'node:perf_hooks';
import type { LoadSettings } from './load-settings.js';
import { Measurement } from './measurement.js';
import type { ConnectPairs, Pairs } from './pairs.js';

/** Every sender keeps its window of messages on their way: the next goes when one is answered. */
export class ClosedLoop {
  readonly measurement = new Measurement(() => this.pairs.traffic());
  private pairs!: Pairs;
  /** By pair and slot of its window: when the message was sent. */
  private readonly since: Float64Array;

  constructor(
    private readonly settings: LoadSettings,
    private readonly connectPairs: ConnectPairs,
  ) {
    this.since = new Float64Array(settings.pairs * settings.window);
  }

  async connect(): Promise<void> {
    this.pairs = await this.connectPairs(this.settings, (pair, slot, isDelivered) => {
      if (isDelivered) this.measurement.answered(this.since[this.placeOf(pair, slot)]!);
      else this.measurement.failures++;
      this.send(pair, slot);
    });
  }

  /** Throws when the server has let a connection go: the load would not be the one that was asked for. */
  go(): void {
    if (!this.pairs.isOpen) throw new Error('the server closed connections before the load began');
    for (let pair = 0; pair < this.settings.pairs; pair++) {
      for (let slot = 0; slot < this.settings.window; slot++) this.send(pair, slot);
    }
  }

  private send(pair: number, slot: number): void {
    this.since[this.placeOf(pair, slot)] = performance.now();
    this.pairs.senders[pair]!(slot);
  }

  private placeOf(pair: number, slot: number): number {
    return pair * this.settings.window + slot;
  }
}
