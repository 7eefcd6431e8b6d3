import { AddressCounts } from './address-counts.js';
import { blockOf } from '@sotto/protocol';

/** One of those who have not come far enough to stay for good. */
export interface Guest {
  /** As `networkOf` gives it. */
  readonly address: string;
  /** Since when it is for the guest to go on, in milliseconds; Infinity: it waits for us. */
  readonly awaitedSince: number;
}

/** How many may be on a list. */
export interface Bounds {
  readonly together: number;
  readonly ofAddress: number;
}

/** With more than so many guests at a full house, a block is not spared for being quick. */
const CROWD = 16;

/**
 * Those who have begun to come in, oldest first, and who of them goes when another wants to: one that has been waited for, of the block of addresses with
 * the most. Whoever only holds places can so shut nobody out; who is quick, or waits for us, stays, so that a crowd of honest ones all get in.
 */
export class GuestList<G extends Guest> implements Iterable<G> {
  private readonly blocks = new Map<G, string>();
  private readonly byBlock = new AddressCounts();
  readonly byAddress = new AddressCounts();

  /** @param patienceMs how long a guest may be waited for before it can lose its place to another. */
  constructor(private readonly patienceMs: number) {}

  get size(): number {
    return this.blocks.size;
  }

  [Symbol.iterator](): Iterator<G> {
    return this.blocks.keys();
  }

  enter(guest: G): void {
    const block = blockOf(guest.address);
    this.blocks.set(guest, block);
    this.byBlock.enter(block);
    this.byAddress.enter(guest.address);
  }

  /** Once is enough. */
  leave(guest: G): void {
    const block = this.blocks.get(guest);
    if (block === undefined) return;
    this.blocks.delete(guest);
    this.byBlock.leave(block);
    this.byAddress.leave(guest.address);
  }

  /** Whether somebody from `address` may enter. Who goes for it has left the list, and is handed to `end`. */
  makeRoom(address: string, now: number, { together, ofAddress }: Bounds, end: (guest: G) => void): boolean {
    const isFull = this.byAddress.of(address) >= ofAddress;
    if (!isFull && this.size < together) return true;
    const goes = isFull ? this.whoGoesAt(address, now) : this.whoGoesFor(address, now);
    if (goes === undefined) return false;
    this.leave(goes);
    end(goes);
    return true;
  }

  /** Whose place somebody from `address` gets when all are taken; undefined: nobody's. */
  whoGoesFor(address: string, now: number): G | undefined {
    const { address: largest, count } = this.byBlock.largestWith(blockOf(address));
    const ofLargest = this.oldest((guest, block) => block === largest && (count > CROWD || this.isLate(guest, now)));
    return ofLargest ?? this.oldest((guest) => this.isLate(guest, now));
  }

  /** As `whoGoesFor`, when all places of this very address are taken. */
  whoGoesAt(address: string, now: number): G | undefined {
    return this.oldest((guest) => guest.address === address && this.isLate(guest, now));
  }

  private oldest(may: (guest: G, block: string) => boolean): G | undefined {
    for (const [guest, block] of this.blocks) if (may(guest, block)) return guest;
    return undefined;
  }

  private isLate({ awaitedSince }: G, now: number): boolean {
    return now - awaitedSince >= this.patienceMs;
  }
}
