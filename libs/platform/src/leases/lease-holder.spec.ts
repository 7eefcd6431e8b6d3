import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TIMES } from '@sotto/protocol';
import { MemoryLeaseStore } from '../live-state/memory-lease.store.js';
import { LeaseHolder } from './lease-holder.js';

/** Live state that carries a renewal out, and whose answer does not come back. */
class SilentLeaseStore extends MemoryLeaseStore {
  silent = false;

  override async renew(...lease: Parameters<MemoryLeaseStore['renew']>): Promise<boolean> {
    const stood = await super.renew(...lease);
    if (this.silent) throw new Error('Command timed out');
    return stood;
  }
}

describe('the holder of a lease', () => {
  let store: SilentLeaseStore;
  let holder: LeaseHolder;
  let wipes: number;
  let isUseful: boolean;
  const renewals = (count: number) => jest.advanceTimersByTimeAsync((count * TIMES.leaseMs) / 3);

  beforeEach(async () => {
    jest.useFakeTimers();
    wipes = 0;
    isUseful = true;
    store = new SilentLeaseStore();
    holder = await LeaseHolder.claim(store, 'gateway', { onWiped: () => wipes++, mayRenew: () => isUseful });
  });
  afterEach(async () => {
    await holder.release();
    jest.useRealTimers();
  });

  it('renews it, and has nothing to tell', async () => {
    await renewals(10);
    expect(await store.alive('gateway')).toEqual([holder.incarnation]);
    expect(wipes).toBe(0);
  });

  it('tells once that it was gone', async () => {
    await store.release('gateway', holder.incarnation);
    await renewals(3);
    expect(wipes).toBe(1);
  });

  it('lets it run out while its process can not do its work, and takes it up again', async () => {
    isUseful = false;
    await renewals(4);
    expect(await store.alive('gateway')).toEqual([]);
    isUseful = true;
    await renewals(2);
    expect(await store.alive('gateway')).toEqual([holder.incarnation]);
    expect(wipes).toBe(1);
  });

  it('tells of a wipe although the renewal that found it was not answered', async () => {
    await store.release('gateway', holder.incarnation);
    store.silent = true;
    await renewals(2);
    expect(wipes).toBe(0);
    store.silent = false;
    await renewals(3);
    expect(wipes).toBe(1);
  });
});
