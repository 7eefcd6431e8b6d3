import { expect, it } from '@jest/globals';
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
    expect(await store.attach(route(phone, 9, 1))).toBeUndefined();
    expect(await store.find(phone)).toEqual(route(phone, 9, 1));
    expect(await store.find(laptop)).toBeUndefined();
  });

  it('returns the connection that a new one replaces', async () => {
    const store = open();
    await store.attach(route(phone, 9, 1));
    expect(await store.attach(route(phone, 10, 2))).toEqual({ gateway: 9, connection: 1 });
    expect(await store.takeDevicesOf(9, 5_000)).toEqual([]);
    expect(await store.detach(phone, 9, 1, 5_000)).toBe(false);
    expect(await store.find(phone)).toEqual(route(phone, 10, 2));
  });

  it('keeps the key of a device that left until the retention is over', async () => {
    const store = open();
    await store.attach(route(phone, 9, 1));
    expect(await store.detach(phone, 9, 1, 80)).toBe(true);
    expect(await store.find(phone)).toEqual({ ...route(phone, 9, 1), gateway: 0, connection: 0 });
    expect(await store.connectedDevices(alice)).toEqual([]);
    expect(await store.detach(phone, 9, 1, 80)).toBe(false);
    await pause(120);
    expect(await store.find(phone)).toBeUndefined();
  });

  it('does not end the route of a device that came back', async () => {
    const store = open();
    await store.attach(route(phone, 9, 1));
    await store.detach(phone, 9, 1, 60);
    expect(await store.attach(route(phone, 9, 2))).toBeUndefined();
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
}
