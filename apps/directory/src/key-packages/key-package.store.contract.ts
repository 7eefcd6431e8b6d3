import { expect, it } from '@jest/globals';
import type { KeyPackageStore, StockedKeyPackage } from './key-package.store.js';

const ALICE = 'a1'.repeat(16);
const ALICE_PHONE = 'a2'.repeat(16);
const ALICE_LAPTOP = 'a3'.repeat(16);
const BOB = 'b1'.repeat(16);
const CAROL = 'c1'.repeat(16);
const NO_DEVICE = '';

let serial = 0;
function stocked(expires: number, cipherSuite = 1): StockedKeyPackage {
  serial += 1;
  return {
    keyPackage: Uint8Array.of(0, 255, serial >> 8, serial & 255),
    cipherSuite,
    expires,
    capability: serial.toString(16).padStart(32, '0'),
  };
}
const some = (count: number, expires: number): StockedKeyPackage[] => Array.from({ length: count }, () => stocked(expires));
const now = (): number => Math.floor(Date.now() / 1_000);

/** What every KeyPackageStore keeps. `open` gives two views of one new, empty stock, as two replicas have it. */
export function keyPackageStoreContract(open: () => Promise<[KeyPackageStore, KeyPackageStore]>): void {
  it('hands out each one-time package at most once to many claimers on two replicas at once', async () => {
    const [one, two] = await open();
    await one.publish(ALICE, ALICE_PHONE, some(20, now() + 60), undefined, now());
    const claims = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? one : two).take(ALICE, BOB, 1, NO_DEVICE, now())));
    const capabilities = claims.flat().map(({ capability }) => capability);
    expect(capabilities).toHaveLength(20);
    expect(new Set(capabilities).size).toBe(20);
  });

  it('never hands out again what its device publishes again after it was taken', async () => {
    const [store] = await open();
    const packages = some(1, now() + 60);
    await store.publish(ALICE, ALICE_PHONE, packages, undefined, now());
    expect(await store.take(ALICE, BOB, 1, NO_DEVICE, now())).toMatchObject([{ keyPackage: packages[0]!.keyPackage, lastResort: false }]);
    expect(await store.publish(ALICE, ALICE_PHONE, packages, undefined, now())).toBe(0);
    expect(await store.take(ALICE, BOB, 1, NO_DEVICE, now())).toEqual([]);
  });

  it('counts a publication that is repeated once', async () => {
    const [store] = await open();
    const packages = some(3, now() + 60);
    await store.publish(ALICE, ALICE_PHONE, packages, undefined, now());
    expect(await store.publish(ALICE, ALICE_PHONE, packages, undefined, now())).toBe(3);
  });

  it('stores nothing of a publication that goes over the bound', async () => {
    const [store] = await open();
    await store.publish(ALICE, ALICE_PHONE, some(99, now() + 60), undefined, now());
    expect(await store.publish(ALICE, ALICE_PHONE, some(2, now() + 60), undefined, now())).toBeUndefined();
    expect(await store.count(ALICE, ALICE_PHONE, now())).toEqual({ left: 99, hasLastResort: false });
  });

  it('skips packages that are expired and suites that were not asked for', async () => {
    const [store] = await open();
    const later = stocked(now() + 600);
    await store.publish(ALICE, ALICE_PHONE, [stocked(now() + 30), later, stocked(now() + 600, 2)], stocked(now() + 30), now());
    const taken = await store.take(ALICE, BOB, 1, NO_DEVICE, now() + 60);
    expect(taken.map(({ capability }) => capability)).toEqual([later.capability]);
    expect(await store.take(ALICE, BOB, 1, NO_DEVICE, now() + 60)).toEqual([]);
  });

  it('gives one package of each device but the one that claims, and the last resort where no other is left, again and again', async () => {
    const [store] = await open();
    await store.publish(ALICE, ALICE_PHONE, some(1, now() + 60), undefined, now());
    const last = stocked(now() + 60);
    await store.publish(ALICE, ALICE_LAPTOP, [], last, now());
    const taken = await store.take(ALICE, BOB, 1, NO_DEVICE, now());
    expect(taken.map(({ device }) => device).sort()).toEqual([ALICE_PHONE, ALICE_LAPTOP]);
    expect(await store.take(ALICE, BOB, 1, NO_DEVICE, now())).toMatchObject([
      { device: ALICE_LAPTOP, lastResort: true, capability: last.capability },
    ]);
    expect(await store.take(ALICE, ALICE, 1, ALICE_LAPTOP, now())).toEqual([]);
  });

  it('reports low water once per crossing, and again after the stock was filled up', async () => {
    const [store] = await open();
    await store.publish(ALICE, ALICE_PHONE, some(27, now() + 60), undefined, now());
    const takeThree = async (): Promise<boolean[]> => {
      const ran: boolean[] = [];
      for (let i = 0; i < 3; i++) ran.push((await store.take(ALICE, BOB, 1, NO_DEVICE, now()))[0]!.ranLow);
      return ran;
    };
    expect(await takeThree()).toEqual([false, true, false]);
    await store.publish(ALICE, ALICE_PHONE, some(3, now() + 60), undefined, now());
    expect(await takeThree()).toEqual([false, true, false]);
  });

  it('remembers who took which capability until the package would have expired', async () => {
    const [store] = await open();
    await store.publish(ALICE, ALICE_PHONE, some(2, now() + 60), undefined, now());
    const [taken] = await store.take(ALICE, BOB, 1, NO_DEVICE, now());
    expect(await store.takenBy(ALICE, BOB, now())).toEqual([taken!.capability]);
    expect(await store.takenBy(ALICE, CAROL, now())).toEqual([]);
    expect(await store.takenBy(ALICE, BOB, now() + 120)).toEqual([]);
  });

  it('forgets the stock of a device or of the whole account', async () => {
    const [store] = await open();
    await store.publish(ALICE, ALICE_PHONE, some(2, now() + 60), stocked(now() + 60), now());
    await store.publish(ALICE, ALICE_LAPTOP, some(2, now() + 60), undefined, now());
    await store.clear(ALICE, ALICE_PHONE);
    expect(await store.count(ALICE, ALICE_PHONE, now())).toEqual({ left: 0, hasLastResort: false });
    expect((await store.count(ALICE, ALICE_LAPTOP, now())).left).toBe(2);
    await store.clearAll(ALICE);
    expect(await store.take(ALICE, BOB, 1, NO_DEVICE, now())).toEqual([]);
  });
}
