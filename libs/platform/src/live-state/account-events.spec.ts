import { fromBinary } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { toHex } from '@sotto/protocol';
import { GatewayEventSchema } from '@sotto/protocol/internal';
import { InProcessBus } from '../bus/index.js';
import { AccountEvents } from './account-events.js';
import { MemoryLeaseStore } from './memory-lease.store.js';
import { MemoryDeviceRouteStore } from './memory-device-route.store.js';

const ALICE = 'a'.repeat(32);
const BOB = 'b'.repeat(32);
const [PHONE, LAPTOP, TABLET, BOBS] = ['1', '2', '3', '4'].map((digit) => digit.repeat(32)) as [string, string, string, string];
const HINT = { kind: { case: 'keyPackagesLow' as const, value: { left: 3 } } };

describe('events for an account', () => {
  let routes: MemoryDeviceRouteStore;
  let events: AccountEvents;
  let heard: string[];

  beforeEach(async () => {
    const bus = new InProcessBus();
    routes = new MemoryDeviceRouteStore();
    const leases = new MemoryLeaseStore();
    for (const gateway of [10, 11, 13]) await leases.claim('gateway', gateway, 60_000);
    events = new AccountEvents(bus, routes, leases);
    heard = [];
    bus.subscribe('gateway.*.event', (payload, subject) => {
      const { account, device, event } = fromBinary(GatewayEventSchema, payload);
      expect(event?.kind.case).toBe('keyPackagesLow');
      heard.push(`${subject} ${toHex(account).slice(0, 1)} ${toHex(device).slice(0, 1)}`);
    });
    await attach(ALICE, PHONE, 10);
    await attach(ALICE, LAPTOP, 10);
    await attach(ALICE, TABLET, 11);
    await attach(BOB, BOBS, 12);
  });

  const settle = () => new Promise((resolve) => setImmediate(resolve));

  async function attach(account: string, device: string, gateway: number): Promise<void> {
    const keys = { deliveryKey: new Uint8Array(32), revokedCapabilities: new Uint8Array() };
    await routes.attach({ account, device, gateway, connection: 1, ...keys, invisible: false });
  }

  it('go once to each gateway that has devices of it, and to no other', async () => {
    await events.toAccount(ALICE, HINT);
    await events.toAccount('c'.repeat(32), HINT);
    await settle();
    expect(heard.sort()).toEqual(['gateway.0000000a.event a ', 'gateway.0000000b.event a ']);
  });

  it('go to every gateway that is alive when pending devices are meant too, because those have no route', async () => {
    await events.toPendingToo(ALICE, HINT);
    await settle();
    expect(heard.sort()).toEqual(['gateway.0000000a.event a ', 'gateway.0000000b.event a ', 'gateway.0000000d.event a ']);
  });

  it('go to the one device that they name, if it is there and of the account', async () => {
    await events.toDevice(ALICE, TABLET, HINT);
    // The id of somebody else's device is no secret to its contacts.
    await events.toDevice(ALICE, BOBS, HINT);
    await events.toDevice(ALICE, '9'.repeat(32), HINT);
    await routes.detach(PHONE, 10, 1, 60_000);
    await events.toDevice(ALICE, PHONE, HINT);
    await settle();
    expect(heard).toEqual(['gateway.0000000b.event a 3']);
  });

  it('look a device up alike when there is nothing to tell it', async () => {
    const tell = await events.reach(ALICE, PHONE);
    await settle();
    expect(heard).toEqual([]);
    tell(HINT);
    await settle();
    expect(heard).toEqual(['gateway.0000000a.event a 1']);
  });
});
