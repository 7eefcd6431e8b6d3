import { expect, it } from '@jest/globals';
import type { DeviceRouteStore } from '@sotto/platform/live-state';
import { LIMITS, toHex } from '@sotto/protocol';
import { type Claim, type KeyPackageStore, MOST_SPENT, type StockedKeyPackage } from './key-package.store.js';

const ALICE = 'a1'.repeat(16);
const ALICE_PHONE = 'a2'.repeat(16);
const ALICE_LAPTOP = 'a3'.repeat(16);
const BOB = 'b1'.repeat(16);
const CAROL = 'c1'.repeat(16);
/** Since when alice wants whoever claims. Unix milliseconds. */
const SINCE = 1_000;

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
const by = (claimer: string, more: Partial<Claim> = {}): Claim => ({
  claimer,
  cipherSuite: 1,
  except: '',
  revoke: false,
  since: SINCE,
  ...more,
});

async function attach(routes: DeviceRouteStore, device: string): Promise<void> {
  const deliveryKey = new Uint8Array(32);
  const revokedCapabilities = new Uint8Array();
  await routes.attach({ device, account: ALICE, gateway: 1, connection: 1, deliveryKey, revokedCapabilities, invisible: false });
}

async function revokedAt(routes: DeviceRouteStore, device: string): Promise<string[]> {
  const route = await routes.find(device);
  return toHex(route?.revokedCapabilities ?? new Uint8Array()).match(/.{32}/g) ?? [];
}

/** What every KeyPackageStore keeps. `open` gives two views of one new, empty stock, as two replicas have it, and the routes beside it. */
export function keyPackageStoreContract(open: () => Promise<[KeyPackageStore, KeyPackageStore, DeviceRouteStore]>): void {
  it('hands out each one-time package at most once to many claimers on two replicas at once', async () => {
    const [one, two] = await open();
    await one.publish(ALICE, ALICE_PHONE, some(20, now() + 60), undefined, now());
    const claims = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? one : two).take(ALICE, by(BOB), now())));
    const capabilities = claims.flat().map(({ capability }) => capability);
    expect(capabilities).toHaveLength(20);
    expect(new Set(capabilities).size).toBe(20);
  });

  it('never hands out again what its device publishes again after it was taken', async () => {
    const [store] = await open();
    const packages = some(1, now() + 60);
    await store.publish(ALICE, ALICE_PHONE, packages, undefined, now());
    expect(await store.take(ALICE, by(BOB), now())).toMatchObject([{ keyPackage: packages[0]!.keyPackage, lastResort: false }]);
    expect(await store.publish(ALICE, ALICE_PHONE, packages, undefined, now())).toBe(0);
    expect(await store.take(ALICE, by(BOB), now())).toEqual([]);
  });

  it('forgets of what was taken all but the thousand that end last', async () => {
    const [store] = await open();
    const publish = (packages: StockedKeyPackage[]) => store.publish(ALICE, ALICE_PHONE, packages, undefined, now());
    const first = stocked(now() + 60);
    const others = some(MOST_SPENT, now() + 61);
    const last = others.at(-1)!;
    await publish([first]);
    await store.take(ALICE, by(BOB), now());
    for (let at = 0; at < others.length; at += LIMITS.oneTimeKeyPackages) {
      await publish(others.slice(at, at + LIMITS.oneTimeKeyPackages));
      for (let i = 0; i < LIMITS.oneTimeKeyPackages; i++) await store.take(ALICE, by(BOB), now());
    }
    expect(await publish([last])).toBe(0);
    expect(await publish([first])).toBe(1);
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
    expect(await store.publish(ALICE, ALICE_PHONE, some(2, now() + 60), undefined, now())).toBe('count');
    expect(await store.count(ALICE, ALICE_PHONE, now())).toEqual({ left: 99, hasLastResort: false });
  });

  it('stores of a device what fits into its bytes to the last, the last-resort package with it, and no byte more', async () => {
    const [store] = await open();
    const sized = (bytes: number): StockedKeyPackage => ({ ...stocked(now() + 60), keyPackage: new Uint8Array(bytes) });
    const share = LIMITS.stockedKeyPackageBytes / 16;
    const publish = (oneTime: StockedKeyPackage[], last?: StockedKeyPackage) => store.publish(ALICE, ALICE_PHONE, oneTime, last, now());
    expect(await publish(Array.from({ length: 14 }, () => sized(share)))).toBe(14);
    expect(await publish([sized(share)], sized(share + 1))).toBe('bytes');
    expect(await publish([sized(share - 1), sized(2)], sized(share))).toBe('bytes');
    expect(await publish([sized(share - 1), sized(1)], sized(share))).toBe(16);
    expect(await publish([sized(1)])).toBe('bytes');
    // Another last-resort package takes the place of the one before; another device has its own bytes.
    expect(await publish([sized(1)], sized(share - 1))).toBe(17);
    expect(await store.publish(ALICE, ALICE_LAPTOP, [sized(share)], undefined, now())).toBe(1);
    await store.take(ALICE, by(BOB), now());
    expect(await publish([sized(share)])).toBe(17);
  });

  it('skips packages that are expired and suites that were not asked for', async () => {
    const [store] = await open();
    const later = stocked(now() + 600);
    await store.publish(ALICE, ALICE_PHONE, [stocked(now() + 30), later, stocked(now() + 600, 2)], stocked(now() + 30), now());
    const taken = await store.take(ALICE, by(BOB), now() + 60);
    expect(taken.map(({ capability }) => capability)).toEqual([later.capability]);
    expect(await store.take(ALICE, by(BOB), now() + 60)).toEqual([]);
  });

  it('gives one package of each device but the one that claims, and the last resort where no other is left, again and again', async () => {
    const [store] = await open();
    await store.publish(ALICE, ALICE_PHONE, some(1, now() + 60), undefined, now());
    const last = stocked(now() + 60);
    await store.publish(ALICE, ALICE_LAPTOP, [], last, now());
    const taken = await store.take(ALICE, by(BOB), now());
    expect(taken.map(({ device }) => device).sort()).toEqual([ALICE_PHONE, ALICE_LAPTOP]);
    expect(await store.take(ALICE, by(BOB), now())).toMatchObject([
      { device: ALICE_LAPTOP, lastResort: true, capability: last.capability },
    ]);
    expect(await store.take(ALICE, by(ALICE, { except: ALICE_LAPTOP }), now())).toEqual([]);
  });

  it('reports low water once per crossing, and again after the stock was filled up', async () => {
    const [store] = await open();
    await store.publish(ALICE, ALICE_PHONE, some(27, now() + 60), undefined, now());
    const takeThree = async (): Promise<boolean[]> => {
      const ran: boolean[] = [];
      for (let i = 0; i < 3; i++) ran.push((await store.take(ALICE, by(BOB), now()))[0]!.ranLow);
      return ran;
    };
    expect(await takeThree()).toEqual([false, true, false]);
    await store.publish(ALICE, ALICE_PHONE, some(3, now() + 60), undefined, now());
    expect(await takeThree()).toEqual([false, true, false]);
  });

  it('revokes at its devices what a claimer took, but what is to be kept, and says so each time it is asked', async () => {
    const [store, other, routes] = await open();
    for (const device of [ALICE_PHONE, ALICE_LAPTOP]) {
      await attach(routes, device);
      await store.publish(ALICE, device, some(3, now() + 60), undefined, now());
    }
    const taken = [...(await store.take(ALICE, by(BOB), now())), ...(await store.take(ALICE, by(BOB), now()))];
    const carols = await store.take(ALICE, by(CAROL), now());
    const kept = taken[0]!.capability;
    for (const replica of [store, other]) {
      const revoked = await replica.revokeTaken(ALICE, BOB, { ended: SINCE + 1, keep: [kept] }, now());
      const expected = taken.filter(({ capability }) => capability !== kept).map(({ device, capability }) => ({ device, capability }));
      expect(new Set(revoked)).toEqual(new Set(expected));
    }
    const revoked = [...(await revokedAt(routes, ALICE_PHONE)), ...(await revokedAt(routes, ALICE_LAPTOP))];
    expect(revoked).toHaveLength(3);
    for (const { capability } of [...carols, taken[0]!]) expect(revoked).not.toContain(capability);
  });

  it('leaves no capability working, however claims and the end of their right fall together', async () => {
    const [one, two, routes] = await open();
    await attach(routes, ALICE_PHONE);
    await one.publish(ALICE, ALICE_PHONE, some(60, now() + 60), stocked(now() + 60), now());
    const claim = (i: number) => (i % 2 ? one : two).take(ALICE, by(BOB), now());
    const end = () => two.revokeTaken(ALICE, BOB, { ended: SINCE, keep: [] }, now());
    const claims = [
      ...Array.from({ length: 40 }, (_, i) => claim(i)),
      end().then(() => []),
      ...Array.from({ length: 40 }, (_, i) => claim(i)),
    ];
    const taken = (await Promise.all(claims)).flat().map(({ capability }) => capability);
    expect(taken).toHaveLength(80);
    const revoked = new Set(await revokedAt(routes, ALICE_PHONE));
    expect(taken.filter((capability) => !revoked.has(capability))).toEqual([]);
  });

  it('revokes what is handed out to one who is not wanted any more, and nothing of one who is wanted again', async () => {
    const [store, , routes] = await open();
    await attach(routes, ALICE_PHONE);
    await store.publish(ALICE, ALICE_PHONE, some(3, now() + 60), undefined, now());
    const [unwanted] = await store.take(ALICE, by(BOB, { revoke: true }), now());
    expect(unwanted).toMatchObject({ revoked: true });
    await store.revokeTaken(ALICE, BOB, { ended: SINCE + 10, keep: [] }, now());
    const [late] = await store.take(ALICE, by(BOB, { since: SINCE + 10 }), now());
    const [again] = await store.take(ALICE, by(BOB, { since: SINCE + 11 }), now());
    expect([late!.revoked, again!.revoked]).toEqual([true, false]);
    expect(await revokedAt(routes, ALICE_PHONE)).toEqual([unwanted!.capability, late!.capability]);
  });

  it('gives a last-resort package that is revoked to nobody who is wanted', async () => {
    const [store] = await open();
    const last = stocked(now() + 60);
    await store.publish(ALICE, ALICE_PHONE, [], last, now());
    expect(await store.take(ALICE, by(BOB, { revoke: true }), now())).toMatchObject([{ lastResort: true }]);
    expect(await store.take(ALICE, by(CAROL), now())).toEqual([]);
    expect(await store.take(ALICE, by(BOB, { revoke: true }), now())).toMatchObject([{ lastResort: true }]);
    await store.publish(ALICE, ALICE_PHONE, [], stocked(now() + 60), now());
    expect(await store.take(ALICE, by(CAROL), now())).toMatchObject([{ lastResort: true }]);
  });

  it('forgets what a claimer took when the package would have expired', async () => {
    const [store] = await open();
    await store.publish(ALICE, ALICE_PHONE, some(2, now() + 60), undefined, now());
    await store.take(ALICE, by(BOB), now());
    expect(await store.revokeTaken(ALICE, BOB, { ended: SINCE, keep: [] }, now() + 120)).toEqual([]);
  });

  it('forgets the stock of a device or of the whole account', async () => {
    const [store] = await open();
    await store.publish(ALICE, ALICE_PHONE, some(2, now() + 60), stocked(now() + 60), now());
    await store.publish(ALICE, ALICE_LAPTOP, some(2, now() + 60), undefined, now());
    await store.clear(ALICE, ALICE_PHONE);
    expect(await store.count(ALICE, ALICE_PHONE, now())).toEqual({ left: 0, hasLastResort: false });
    expect((await store.count(ALICE, ALICE_LAPTOP, now())).left).toBe(2);
    await store.clearAll(ALICE);
    expect(await store.take(ALICE, by(BOB), now())).toEqual([]);
  });
}
