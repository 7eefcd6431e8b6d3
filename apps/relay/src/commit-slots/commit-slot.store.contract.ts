import { expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { CommitSlotStore } from './commit-slot.store.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const slot = () => new Uint8Array(randomBytes(32));
const commitId = () => new Uint8Array(randomBytes(16));

const LIFETIME_MS = 600;

/** A slot that was claimed again after half of its lifetime. Where that came too late, on a busy machine, the claim was a new one: another slot is taken. */
async function claimedTwice(store: CommitSlotStore, by: Uint8Array): Promise<Uint8Array> {
  for (;;) {
    const [one, since] = [slot(), performance.now()];
    await store.claim(one, by);
    await pause(LIFETIME_MS / 2 + 50);
    expect(await store.claim(one, by)).toEqual(by);
    if (performance.now() - since < LIFETIME_MS) return one;
  }
}

/** @param open a store whose claims stand for `lifetimeMs`, on the same live state at each call where there is one. */
export function commitSlotStoreContract(open: (lifetimeMs: number) => CommitSlotStore): void {
  it('gives a free slot to the commit that claims it', async () => {
    const mine = commitId();
    expect(await open(5_000).claim(slot(), mine)).toEqual(mine);
  });

  it('names the holder to everybody else, and goes on to name it', async () => {
    const store = open(5_000);
    const [one, first] = [slot(), commitId()];
    await store.claim(one, first);
    expect(await store.claim(one, commitId())).toEqual(first);
    expect(await store.claim(one, commitId())).toEqual(first);
  });

  it('is won again by the commit that has it', async () => {
    const store = open(5_000);
    const [one, first] = [slot(), commitId()];
    await store.claim(one, first);
    await store.claim(one, commitId());
    expect(await store.claim(one, first)).toEqual(first);
  });

  it('names one and the same winner to all that claim at once', async () => {
    const store = open(5_000);
    const one = slot();
    const claimers = Array.from({ length: 20 }, commitId);
    const winners = await Promise.all(claimers.map((mine) => store.claim(one, mine)));
    expect(new Set(winners.map((id) => Buffer.from(id).toString('hex'))).size).toBe(1);
    expect(claimers).toContainEqual(winners[0]);
  });

  it('keeps slots apart', async () => {
    const store = open(5_000);
    const [first, second] = [commitId(), commitId()];
    await store.claim(slot(), first);
    expect(await store.claim(slot(), second)).toEqual(second);
  });

  it('frees a slot when its claim is over, however often it was claimed again', async () => {
    const store = open(LIFETIME_MS);
    const [first, second] = [commitId(), commitId()];
    const one = await claimedTwice(store, first);
    await pause(LIFETIME_MS / 2 + 50);
    expect(await store.claim(one, second)).toEqual(second);
  });
}
