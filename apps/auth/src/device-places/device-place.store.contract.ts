import { expect, it } from '@jest/globals';
import type { DevicePlace, DevicePlaceStore, PlaceTerms } from './device-place.store.js';

const ALICE = 'a'.repeat(32);
const BOB = 'b'.repeat(32);

/** What every DevicePlaceStore keeps. `open` gives two views of new, empty places, as two replicas have them. */
export function devicePlaceStoreContract(open: () => Promise<[DevicePlaceStore, DevicePlaceStore]>): void {
  const now = Math.floor(Date.now() / 1_000);
  const place = (device: string, more: Partial<DevicePlace> = {}): DevicePlace => ({
    device,
    pending: false,
    seen: now,
    expires: now + 600,
    ...more,
  });
  const of = (places: number, more: Partial<PlaceTerms> = {}): PlaceTerms => ({ places, since: 0, revoked: [], ...more });
  const devices = (store: DevicePlaceStore) => store.list(ALICE).then((places) => places.map(({ device }) => device).sort());

  it('gives away as many places as there are, however many ask two replicas at once', async () => {
    const [one, two] = await open();
    const asks = Array.from({ length: 30 }, (_, i) => (i % 2 ? one : two).take(ALICE, place(`device ${i}`), of(10)));
    expect((await Promise.all(asks)).filter((got) => got)).toHaveLength(10);
    expect(await devices(one)).toHaveLength(10);
    expect(await two.take(BOB, place('phone'), of(10))).toBe(true);
  });

  it('gives one that holds a place no second one, and keeps what it last knew of it', async () => {
    const [store] = await open();
    await store.take(ALICE, place('phone', { pending: true }), of(1));
    const confirmed = place('phone', { seen: now + 5, expires: now + 900 });
    expect(await store.take(ALICE, confirmed, of(1))).toBe(true);
    expect(await store.list(ALICE)).toEqual([confirmed]);
    expect(await store.take(ALICE, place('laptop'), of(1))).toBe(false);
  });

  it.each([
    ['that has expired', place('laptop', { expires: now + 60 }), { seen: now + 60 }, {}],
    ['of a device that was revoked', place('laptop'), {}, { revoked: ['laptop'] }],
    ['from before all sessions were ended', place('laptop', { seen: now - 1 }), {}, { since: now }],
  ])('has a place again for one %s', async (_what, held, more, terms) => {
    const [store, other] = await open();
    await store.take(ALICE, place('phone'), of(2));
    await store.take(ALICE, held, of(2));
    expect(await other.take(ALICE, place('tablet'), of(2))).toBe(false);
    expect(await other.take(ALICE, place('tablet', more), of(2, terms))).toBe(true);
    expect(await devices(store)).toEqual(['phone', 'tablet']);
  });

  it('forgets an account', async () => {
    const [store] = await open();
    await store.take(ALICE, place('phone'), of(1));
    await store.forget(ALICE);
    expect(await store.list(ALICE)).toEqual([]);
    expect(await store.take(ALICE, place('laptop'), of(1))).toBe(true);
  });
}
