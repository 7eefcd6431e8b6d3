import { expect, it } from '@jest/globals';
import type { LeaseStore } from './lease.store.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function leaseStoreContract(open: () => LeaseStore): void {
  it('gives an incarnation to one of two that claim it at once', async () => {
    const store = open();
    const claims = await Promise.all([store.claim('gateway', 7, 5_000), store.claim('gateway', 7, 5_000)]);
    expect(claims.sort()).toEqual([false, true]);
  });

  it('keeps gateways and relays apart, and carries all 32 bits', async () => {
    const store = open();
    await store.claim('gateway', 0xffffffff, 5_000);
    expect(await store.alive('gateway')).toEqual([0xffffffff]);
    expect(await store.alive('relay')).toEqual([]);
  });

  it('ends a lease that is not renewed, and says so at the late renewal', async () => {
    const store = open();
    await store.claim('relay', 1, 60_000);
    expect(await store.renew('relay', 1, 60)).toBe(true);
    while ((await store.alive('relay')).length > 0) await pause(10);
    expect(await store.renew('relay', 1, 5_000)).toBe(false);
    expect(await store.alive('relay')).toEqual([1]);
  });

  it('forgets a released lease at once', async () => {
    const store = open();
    await store.claim('relay', 2, 5_000);
    await store.release('relay', 2);
    expect(await store.alive('relay')).toEqual([]);
  });
}
