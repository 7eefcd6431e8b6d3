/** How many of something each address has. */
export class AddressCounts {
  private readonly counts = new Map<string, number>();

  of(address: string): number {
    return this.counts.get(address) ?? 0;
  }

  enter(address: string): void {
    this.counts.set(address, this.of(address) + 1);
  }

  leave(address: string): void {
    const left = this.of(address) - 1;
    if (left > 0) this.counts.set(address, left);
    else this.counts.delete(address);
  }
}

/** What an address may do so often a second. Forgets everything at each full second, so that many addresses take no room. */
export class AddressRate {
  private counts = new AddressCounts();
  private second = 0;

  constructor(private readonly perSecond: number) {}

  /** False: too often. `now` in milliseconds. */
  take(address: string, now: number): boolean {
    const second = Math.floor(now / 1_000);
    if (second !== this.second) this.counts = new AddressCounts();
    this.second = second;
    if (this.counts.of(address) >= this.perSecond) return false;
    this.counts.enter(address);
    return true;
  }
}
