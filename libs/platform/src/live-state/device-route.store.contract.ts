import { expect, it } from '@jest/globals';
import { fromHex, LIMITS, toHex } from '@sotto/protocol';
import type { DeviceRoute, DeviceRouteStore } from './device-route.store.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const alice = 'a'.repeat(32);
const bob = 'b'.repeat(32);
const phone = '1'.repeat(32);
const laptop = '2'.repeat(32);

function route(device: string, gateway: number, connection: number, account = alice): DeviceRoute {
  const deliveryKey = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
  return {
    device,
    account,
    gateway,
    connection,
    deliveryKey,
    revokedCapabilities: new Uint8Array(32).fill(200),
    invisible: device === laptop,
  };
}

export function deviceRouteStoreContract(open: () => DeviceRouteStore): void {
  it('finds a route as it was attached, bytes included', async () => {
    const store = open();
    expect(await store.attach(route(phone, 9, 1))).toEqual({ replaced: undefined, revoked: [] });
    expect(await store.find(phone)).toEqual(route(phone, 9, 1));
    expect(await store.find(laptop)).toBeUndefined();
  });

  it('returns the connection that a new one replaces', async () => {
    const store = open();
    await store.attach(route(phone, 9, 1));
    expect((await store.attach(route(phone, 10, 2))).replaced).toEqual({ gateway: 9, connection: 1 });
    expect(await store.takeDevicesOf(9, 5_000)).toEqual([]);
    expect(await store.detach(phone, 9, 1, 5_000)).toBe(false);
    expect(await store.find(phone)).toEqual(route(phone, 10, 2));
  });

  it('puts a route back that was lost, and none of a device that is elsewhere by now', async () => {
    const store = open();
    expect(await store.putBack(route(phone, 9, 1))).toBe('put-back');
    expect(await store.putBack(route(phone, 9, 1))).toBe('was-there');
    await store.takeDevicesOf(9, 5_000);
    expect(await store.putBack(route(phone, 9, 1))).toBe('put-back');
    expect(await store.find(phone)).toEqual(route(phone, 9, 1));
    await store.attach(route(phone, 10, 1));
    for (const connection of [1, 2]) expect(await store.putBack(route(phone, 9, connection))).toBe('elsewhere');
    expect(await store.find(phone)).toEqual(route(phone, 10, 1));
    expect(await store.takeDevicesOf(9, 5_000)).toEqual([]);
  });

  it('keeps the key of a device that left until the retention is over', async () => {
    const store = open();
    await store.attach(route(phone, 9, 1));
    expect(await store.detach(phone, 9, 1, 1_500)).toBe(true);
    expect(await store.find(phone)).toEqual({ ...route(phone, 9, 1), gateway: 0, connection: 0 });
    expect(await store.connectedDevices(alice)).toEqual([]);
    expect(await store.detach(phone, 9, 1, 1_500)).toBe(false);
    while ((await store.find(phone)) !== undefined) await pause(10);
  });

  it('does not end the route of a device that came back', async () => {
    const store = open();
    await store.attach(route(phone, 9, 1));
    await store.detach(phone, 9, 1, 60);
    expect((await store.attach(route(phone, 9, 2))).replaced).toBeUndefined();
    await pause(90);
    expect(await store.find(phone)).toEqual(route(phone, 9, 2));
  });

  it('lists the connected devices of accounts', async () => {
    const store = open();
    await store.attach(route(phone, 9, 1));
    await store.attach(route(laptop, 10, 2));
    const devices = [
      { device: phone, gateway: 9, connection: 1, invisible: false },
      { device: laptop, gateway: 10, connection: 2, invisible: true },
    ];
    expect(await store.connectedDevices(alice)).toEqual(devices);
    expect(await store.connectedDevicesOf([alice, bob])).toEqual(new Map([[alice, devices]]));
  });

  it('gives each device of a dead gateway to one taker', async () => {
    const store = open();
    await store.attach(route(phone, 9, 1));
    await store.attach(route(laptop, 9, 2, bob));
    const takers = await Promise.all([store.takeDevicesOf(9, 5_000), store.takeDevicesOf(9, 5_000)]);
    expect(takers.flat()).toEqual([
      { device: phone, account: alice },
      { device: laptop, account: bob },
    ]);
    expect((await store.find(phone))?.gateway).toBe(0);
  });

  it('forgets a revoked device wholly', async () => {
    const store = open();
    await store.attach(route(phone, 9, 1));
    await store.forget(phone);
    expect(await store.find(phone)).toBeUndefined();
    expect(await store.connectedDevices(alice)).toEqual([]);
    expect(await store.takeDevicesOf(9, 5_000)).toEqual([]);
  });

  const inAnHour = (): number => Math.floor(Date.now() / 1_000) + 3_600;
  const idsOf = async (store: DeviceRouteStore, device: string): Promise<string[]> =>
    toHex((await store.find(device))?.revokedCapabilities ?? new Uint8Array()).match(/.{32}/g) ?? [];

  it('revokes in the route there is and in those that follow, until the device names it itself', async () => {
    const store = open();
    await store.attach(route(phone, 9, 1));
    const before = await idsOf(store, phone);
    const capability = '0d0a00ff'.repeat(4);
    await store.revoke(phone, [{ capability, expires: inAnHour() }]);
    await store.revoke(phone, [{ capability, expires: inAnHour() }]);
    expect(await idsOf(store, phone)).toEqual([...before, capability]);
    expect(await store.attach(route(phone, 9, 2))).toEqual({ replaced: { gateway: 9, connection: 1 }, revoked: [capability] });
    expect(await idsOf(store, phone)).toEqual([...before, capability]);
    const knowing = { ...route(phone, 9, 3), revokedCapabilities: fromHex(capability) };
    expect((await store.attach(knowing)).revoked).toEqual([]);
    expect(await idsOf(store, phone)).toEqual([capability]);
    // From here on the device's own list counts.
    expect((await store.attach(route(phone, 9, 4))).revoked).toEqual([]);
  });

  it('revokes for a device that is away, or was never seen', async () => {
    const store = open();
    await store.attach(route(phone, 9, 1));
    await store.detach(phone, 9, 1, 60_000);
    const capability = 'cd'.repeat(16);
    for (const device of [phone, laptop]) await store.revoke(device, [{ capability, expires: inAnHour() }]);
    expect(await idsOf(store, phone)).toContain(capability);
    for (const device of [phone, laptop]) expect((await store.attach(route(device, 9, 2))).revoked).toEqual([capability]);
  });

  it('forgets a revocation when the capability has expired, or with its device', async () => {
    const store = open();
    await store.revoke(phone, [{ capability: 'cd'.repeat(16), expires: Math.floor(Date.now() / 1_000) }]);
    await store.revoke(laptop, [{ capability: 'cd'.repeat(16), expires: inAnHour() }]);
    await store.forget(laptop);
    for (const device of [phone, laptop]) expect((await store.attach(route(device, 9, 1))).revoked).toEqual([]);
  });

  it('loses none of many revocations at once, and keeps a bounded number', async () => {
    const store = open();
    await store.attach(route(phone, 9, 1));
    const each = (i: number) => ({ capability: i.toString(16).padStart(32, '0'), expires: inAnHour() + i });
    await Promise.all(Array.from({ length: 50 }, (_, i) => store.revoke(phone, [each(i)])));
    expect((await idsOf(store, phone)).filter((id) => id.startsWith('0'.repeat(20)))).toHaveLength(50);
    const many = Array.from({ length: LIMITS.revokedCapabilities }, (_, i) => each(50 + i));
    for (let from = 0; from < many.length; from += 1_000) await store.revoke(phone, many.slice(from, from + 1_000));
    const { revoked } = await store.attach(route(phone, 9, 2));
    expect(revoked).toHaveLength(LIMITS.revokedCapabilities);
    expect(revoked).not.toContain(each(0).capability);
    expect(revoked).toContain(each(50).capability);
  });
}
