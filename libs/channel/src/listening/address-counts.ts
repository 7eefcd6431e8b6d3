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

  /** The address that has most, were there one more of `more`. */
  largestWith(more: string): { address: string; count: number } {
    let largest = { address: more, count: this.of(more) + 1 };
    for (const [address, count] of this.counts) if (count > largest.count) largest = { address, count };
    return largest;
  }
}
