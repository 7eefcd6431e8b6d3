/** Durations of one measurement, in milliseconds. */
export class Latencies {
  private samples = new Float64Array(1 << 16);
  private length = 0;

  get count(): number {
    return this.length;
  }

  add(ms: number): void {
    if (this.length === this.samples.length) {
      const larger = new Float64Array(2 * this.length);
      larger.set(this.samples);
      this.samples = larger;
    }
    this.samples[this.length++] = ms;
  }

  clear(): void {
    this.length = 0;
  }

  percentile(share: number): number {
    if (this.length === 0) return 0;
    const sorted = this.samples.slice(0, this.length).sort();
    return sorted[Math.min(this.length - 1, Math.floor(share * this.length))]!;
  }
}
