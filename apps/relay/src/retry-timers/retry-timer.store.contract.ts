import { expect, it } from '@jest/globals';
import { LEFT_BEHIND_MS, type RetryTimer, type RetryTimerStore } from './retry-timer.store.js';

const hex = (byte: number) => byte.toString(16).padStart(2, '0').repeat(16);
const timer = (device: number, deadline: number, id = 1): RetryTimer => ({
  id: hex(id),
  sender: hex(0xa1),
  device: hex(device),
  deadline,
  owner: 0xffffffff,
});

export function retryTimerStoreContract(open: () => RetryTimerStore): void {
  it('returns each timer whose deadline is over, as it was added, and keeps the others', async () => {
    const store = open();
    await store.add([timer(1, 1_000), timer(2, 2_000), timer(3, 3_000)]);
    expect(await store.takeDue(3_000, 10, [])).toEqual([timer(1, 1_000), timer(2, 2_000)]);
    expect(await store.takeDue(3_000, 10, [])).toEqual([]);
    expect(await store.takeDue(3_001, 10, [])).toEqual([timer(3, 3_000)]);
  });

  it('returns no timer that was removed', async () => {
    const store = open();
    await store.add([timer(1, 1_000), timer(1, 1_000, 2)]);
    await store.remove([timer(1, 1_000)]);
    expect(await store.takeDue(5_000, 10, [])).toEqual([timer(1, 1_000, 2)]);
  });

  it('returns each of a thousand recipients to one of several that take, no more at once than asked for', async () => {
    const store = open();
    const all = Array.from({ length: 2_500 }, (_, i) => timer(i & 0xff, 1_000, i >>> 8));
    await store.add(all);
    const taken = await Promise.all(Array.from({ length: 6 }, () => store.takeDue(5_000, 500, [])));
    expect(taken.map((some) => some.length)).toEqual([500, 500, 500, 500, 500, 0]);
    const keys = taken.flat().map(({ id, device }) => id + device);
    expect(new Set(keys)).toEqual(new Set(all.map(({ id, device }) => id + device)));
  });

  it('leaves those of owners who are alive, however many, and returns what stands behind them', async () => {
    const store = open();
    const owned = (owner: number, id: number): RetryTimer => ({ ...timer(1, 1_000 + id, id), owner });
    await store.add([
      ...Array.from({ length: 25 }, (_, i) => owned(7, i)),
      owned(8, 30),
      ...Array.from({ length: 3 }, (_, i) => owned(17, 40 + i)),
    ]);
    expect(await store.takeDue(5_000, 3, [7, 8])).toEqual([owned(17, 40), owned(17, 41), owned(17, 42)]);
    expect(await store.takeDue(5_000, 3, [7])).toEqual([owned(8, 30)]);
    expect(await store.takeDue(5_000, 100, [])).toHaveLength(25);
  });

  it('returns to nobody what an owner who is alive has long ended, and keeps it no longer', async () => {
    const store = open();
    const now = 10 * LEFT_BEHIND_MS;
    const late = (by: number, id: number): RetryTimer => ({ ...timer(1, now - by, id), owner: 7 });
    const all = Array.from({ length: 50 }, (_, i) => late(LEFT_BEHIND_MS + 1 + i, i));
    await store.add([...all, late(LEFT_BEHIND_MS, 60), { ...late(2 * LEFT_BEHIND_MS, 61), owner: 8 }]);
    expect(await store.takeDue(now, 3, [7])).toEqual([{ ...late(2 * LEFT_BEHIND_MS, 61), owner: 8 }]);
    await store.takeDue(now, 100, [7]);
    expect(await store.takeDue(now, 100, [])).toEqual([late(LEFT_BEHIND_MS, 60)]);
  });

  it('removes any number at once', async () => {
    const store = open();
    await store.add([timer(1, 1_000)]);
    await store.remove(Array.from({ length: 200_000 }, () => timer(1, 1_000)));
    expect(await store.takeDue(5_000, 10, [])).toEqual([]);
  });
}
