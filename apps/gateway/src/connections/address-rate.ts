import { AddressCounts } from '@sotto/channel/listening';

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
