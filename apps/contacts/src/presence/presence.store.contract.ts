import { expect, it } from '@jest/globals';
import type { PresenceStore } from './presence.store.js';

const ALICE = 'a'.repeat(32);
const BOB = 'b'.repeat(32);
const CAROL = 'c'.repeat(32);

/** What every PresenceStore keeps. `open` gives two views of one new, empty store, as two replicas have it. */
export function presenceStoreContract(open: () => Promise<[PresenceStore, PresenceStore]>): void {
  it('lets one of many replicas tell that an account has come, and one that it has gone', async () => {
    const [one, two] = await open();
    const all = (ask: (store: PresenceStore) => Promise<boolean>) =>
      Promise.all(Array.from({ length: 10 }, (_, i) => ask(i % 2 ? one : two)));
    expect((await all((store) => store.online(ALICE))).filter((told) => told)).toHaveLength(1);
    expect((await all((store) => store.offline(ALICE))).filter((told) => told)).toHaveLength(1);
    expect(await two.online(ALICE)).toBe(true);
  });

  it('has nothing to tell of one whose coming was never told', async () => {
    const [one, two] = await open();
    await one.online(ALICE);
    expect(await two.offline(BOB)).toBe(false);
    expect(await two.offline(ALICE)).toBe(true);
  });

  it('says of whom it was told that they are online, from then until it is told that they are gone', async () => {
    const [one, two] = await open();
    expect([...(await two.shown([ALICE]))]).toEqual([]);
    await one.online(ALICE);
    expect([...(await two.shown([BOB, ALICE]))]).toEqual([ALICE]);
    await one.offline(ALICE);
    expect([...(await two.shown([ALICE]))]).toEqual([]);
    expect([...(await two.shown([]))]).toEqual([]);
  });

  it('keeps an account for those who lost it, for as long as was said', async () => {
    const [one, two] = await open();
    const asked = [
      { account: ALICE, to: BOB },
      { account: BOB, to: ALICE },
      { account: ALICE, to: CAROL },
    ];
    await one.keep(ALICE, [BOB, CAROL], 60_000);
    await one.keep(BOB, [ALICE], 0);
    expect(await two.kept(asked)).toEqual([true, false, true]);
    expect(await two.kept([])).toEqual([]);
    await one.keep(ALICE, [BOB], 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await two.kept(asked)).toEqual([false, false, true]);
  });
}
