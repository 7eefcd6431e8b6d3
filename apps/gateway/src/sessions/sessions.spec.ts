import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { gatewayEventSubject } from '@sotto/platform/leases';
import { type DeviceRoute, MemoryDeviceRouteStore } from '@sotto/platform/live-state';
import { AttachResponseSchema, ErrorCode, fromHex, type Reply, toHex } from '@sotto/protocol';
import { type DeviceChanged, DeviceChangedSchema, GatewayEventSchema } from '@sotto/protocol/internal';
import { CloseCode } from '../connections/close-codes.js';
import { type Client, GATEWAY, GatewayWorld } from '../gateway.contract.js';

const ALICE = 'a1'.repeat(16);
const PHONE = { account: ALICE, device: 'a2'.repeat(16) };
const LAPTOP = { account: ALICE, device: 'a3'.repeat(16) };
const CAPABILITIES = ['c1', 'c2', 'c3'].map((digits) => digits.repeat(16));
const now = () => Math.floor(Date.now() / 1_000);

/** Routes that can be held up in the middle of an attach, and that can fail. */
class SlowRoutes extends MemoryDeviceRouteStore {
  gate: Promise<unknown> = Promise.resolve();
  arrived: () => void = () => undefined;
  /** What is written while it fails may be there all the same. */
  failing = false;

  override async attach(route: DeviceRoute) {
    this.arrived();
    await this.gate;
    const attached = await super.attach(route);
    this.assertThere();
    return attached;
  }

  override async detach(...at: Parameters<MemoryDeviceRouteStore['detach']>) {
    this.assertThere();
    return super.detach(...at);
  }

  private assertThere(): void {
    if (this.failing) throw new Error('live state is away');
  }
}

describe('a session at the gateway', () => {
  let routes: SlowRoutes;
  let world: GatewayWorld;
  let changed: DeviceChanged[];
  beforeEach(async () => {
    routes = new SlowRoutes();
    world = await GatewayWorld.start({ routes });
    changed = [];
    world.bus.subscribe('device.changed', (payload) => changed.push(fromBinary(DeviceChangedSchema, payload)));
  });
  afterEach(() => world.stop());

  const until = async (check: () => Promise<boolean>) => {
    for (let i = 0; i < 500 && !(await check()); i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await check()).toBe(true);
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const codeOf = ({ error }: Reply) => error?.code;
  const isAttached = ({ connection }: Client) =>
    connection.session !== undefined && world.table.byDevice(connection.session.device) === connection;

  async function attached(identity: typeof PHONE & { pending?: boolean }): Promise<Client> {
    const client = world.connect();
    expect(codeOf(await world.attach(client, identity))).toBeUndefined();
    return client;
  }

  /** An attach that waits where its route is written, until what is returned is called. */
  async function attachHeldUp(client: Client, identity: typeof PHONE): Promise<() => Promise<Reply>> {
    let open: () => void = () => undefined;
    routes.gate = new Promise<void>((resolve) => (open = resolve));
    const arrived = new Promise<void>((resolve) => (routes.arrived = resolve));
    const reply = world.attach(client, identity);
    await arrived;
    return () => (open(), reply);
  }

  it('is in live state, and announced, once it is attached; that of a pending device is not', async () => {
    await attached(PHONE);
    await attached({ ...LAPTOP, pending: true });
    await settle();
    expect(await routes.find(PHONE.device)).toMatchObject({ account: ALICE, gateway: GATEWAY });
    expect(await routes.find(LAPTOP.device)).toBeUndefined();
    expect(changed.map(({ device, online }) => [toHex(device), online])).toEqual([[PHONE.device, true]]);
  });

  it('is announced when its answer has been sent, so that nothing that waited for it shares the box', async () => {
    const phone = world.connect();
    const order: string[] = [];
    jest.spyOn(world.table, 'flush').mockImplementation(() => void order.push('sent'));
    world.bus.subscribe('device.changed', () => void order.push('announced'));
    await world.attach(phone, PHONE);
    await settle();
    expect(order).toEqual(['sent', 'announced']);
  });

  it('is made once for a connection, and replaces the older one of the device', async () => {
    const older = await attached(PHONE);
    expect(codeOf(await world.attach(older, PHONE))).toBe(ErrorCode.FORBIDDEN);
    await attached(PHONE);
    expect(older.socket.closings).toEqual([CloseCode.REPLACED]);
  });

  it('is the only one of its device, whether that was pending or is', async () => {
    const asConfirmed = PHONE;
    const asPending = { ...PHONE, pending: true };
    const older: Client[] = [];
    for (const identity of [asPending, asPending, asConfirmed, asPending]) older.push(await attached(identity));
    const newest = await attached(asConfirmed);
    expect(older.map(({ socket }) => socket.closings)).toEqual(older.map(() => [CloseCode.REPLACED]));
    expect(newest.socket.closings).toEqual([]);
  });

  it('ends when live state has the device at another gateway, and not when one only says so', async () => {
    const phone = await attached(PHONE);
    const other = { device: PHONE.device, account: ALICE, gateway: GATEWAY + 1, connection: 7 };
    const announce = () => world.bus.publish('device.changed', toBinary(DeviceChangedSchema, create(DeviceChangedSchema, announced)));
    const announced = { ...other, device: fromHex(PHONE.device), account: fromHex(ALICE), online: true };
    announce();
    await settle();
    await settle();
    expect(phone.socket.closings).toEqual([]);
    await routes.attach({ ...other, deliveryKey: new Uint8Array(32), revokedCapabilities: new Uint8Array(0), invisible: false });
    announce();
    await settle();
    await settle();
    expect(phone.socket.closings).toEqual([CloseCode.REPLACED]);
  });

  it.each([
    ['its device', { device: PHONE.device }],
    ['all but another', { exceptDevice: LAPTOP.device }],
  ])('does not come about when %s is revoked while it attaches', async (_what, revoked) => {
    const phone = world.connect();
    const goOn = await attachHeldUp(phone, PHONE);
    world.revoke(ALICE, revoked);
    await settle();
    expect(codeOf(await goOn())).toBe(ErrorCode.UNAUTHENTICATED);
    expect(isAttached(phone)).toBe(false);
    expect((await routes.find(PHONE.device))?.gateway).toBe(0);
    expect(changed.some(({ online }) => online)).toBe(false);
    expect(codeOf(await world.call(phone, 'sotto.v1.Contacts/List'))).toBe(ErrorCode.UNAUTHENTICATED);
  });

  it('is not opened by a token from before a revocation, and is by one from after it', async () => {
    const phone = world.connect();
    const before = world.token(phone, PHONE, now() - 10);
    world.revoke(ALICE, { exceptDevice: LAPTOP.device, validAfter: now() });
    await settle();
    expect(codeOf(await world.attach(phone, PHONE, {}, before))).toBe(ErrorCode.UNAUTHENTICATED);
    expect(await routes.find(PHONE.device)).toBeUndefined();
    expect(codeOf(await world.attach(phone, PHONE, {}, world.token(phone, PHONE, now())))).toBeUndefined();
    const laptop = world.connect();
    expect(codeOf(await world.attach(laptop, LAPTOP, {}, world.token(laptop, LAPTOP, now() - 10)))).toBeUndefined();
  });

  it('goes on attaching when somebody else is revoked', async () => {
    const phone = world.connect();
    const goOn = await attachHeldUp(phone, PHONE);
    world.revoke(ALICE, { device: LAPTOP.device });
    world.revoke('b1'.repeat(16), {});
    await settle();
    expect(codeOf(await goOn())).toBeUndefined();
    expect(isAttached(phone)).toBe(true);
  });

  it('ends at once when it is revoked while it is open, and the others go on', async () => {
    const [phone, laptop] = [await attached(PHONE), await attached(LAPTOP)];
    world.revoke(ALICE, { device: PHONE.device });
    await settle();
    expect(phone.socket.closings).toEqual([CloseCode.REVOKED]);
    expect(phone.events).toMatchObject([{ case: 'sessionRevoked' }]);
    expect(phone.connection.deaf).toBe(true);
    expect(laptop.socket.closings).toEqual([]);
    // A password change on the laptop: its session counts from then, so that it is not found to be over.
    world.revoke(ALICE, { exceptDevice: LAPTOP.device, validAfter: now() + 1 });
    await settle();
    expect(laptop.socket.closings).toEqual([]);
    expect(laptop.connection.session!.since).toBe(now() + 1);
  });

  it('leaves nothing when the connection closes while it attaches', async () => {
    const phone = world.connect();
    const goOn = await attachHeldUp(phone, PHONE);
    phone.socket.close(1_001);
    await goOn();
    expect(isAttached(phone)).toBe(false);
    expect((await routes.find(PHONE.device))?.gateway).toBe(0);
  });

  it('is taken out of live state when that is back, if it was away as the connection closed or attached', async () => {
    const [phone, laptop] = [await attached(PHONE), world.connect()];
    routes.failing = true;
    expect(codeOf(await world.attach(laptop, LAPTOP))).toBe(ErrorCode.UNAVAILABLE);
    const close = async ({ connection }: Client) => (world.table.remove(connection), world.sessions.detach(connection));
    await close(phone);
    routes.failing = false;
    const at = async ({ device }: typeof PHONE) => (await routes.find(device))?.gateway;
    expect([await at(PHONE), await at(LAPTOP)]).toEqual([GATEWAY, GATEWAY]);
    changed.length = 0;
    await until(async () => (await at(PHONE)) === 0);
    expect(changed.map(({ device, online }) => [toHex(device), online])).toEqual([[PHONE.device, false]]);
    // The laptop's connection is open: it may try again, and has its route.
    expect(codeOf(await world.attach(laptop, LAPTOP))).toBeUndefined();
    expect(await at(LAPTOP)).toBe(GATEWAY);
    routes.failing = true;
    await close(laptop);
    routes.failing = false;
    await until(async () => (await at(LAPTOP)) === 0);
  });

  it('hears what is for its device or for all of the account, and nothing for another', async () => {
    const [phone, laptop] = [await attached(PHONE), await attached(LAPTOP)];
    const tell = (account: string, device: string, left: number) => {
      const event = {
        account: fromHex(account),
        device: fromHex(device),
        event: { kind: { case: 'keyPackagesLow' as const, value: { left } } },
      };
      world.bus.publish(gatewayEventSubject(GATEWAY), toBinary(GatewayEventSchema, create(GatewayEventSchema, event)));
    };
    tell(ALICE, PHONE.device, 1);
    tell(ALICE, '', 2);
    tell('b1'.repeat(16), '', 3);
    // An id of another account's device does not make it alice's.
    tell('b1'.repeat(16), PHONE.device, 4);
    await settle();
    const heardBy = ({ events }: Client) => events.map((event) => (event.case === 'keyPackagesLow' ? event.value.left : -1));
    expect([heardBy(phone), heardBy(laptop)]).toEqual([[1, 2], [2]]);
  });

  it('is told to read its contacts again when contacts was away, unless it has none', async () => {
    const phone = await attached(PHONE);
    const pending = await attached({ ...LAPTOP, pending: true });
    world.bus.publish('contacts.resumed', new Uint8Array());
    await settle();
    expect(phone.events).toMatchObject([{ case: 'contactsOutdated', value: { withinMs: 1_002 } }]);
    expect(pending.events).toEqual([]);
  });

  it('is put back after a wipe of live state and announced anew, but not if it ends meanwhile', async () => {
    await attached(PHONE);
    const laptop = await attached(LAPTOP);
    for (const { device } of [PHONE, LAPTOP]) await routes.forget(device);
    changed.length = 0;
    let open: () => void = () => undefined;
    routes.gate = new Promise<void>((resolve) => (open = resolve));
    const again = world.sessions.registerAgain();
    await settle();
    laptop.socket.readyState = 3;
    await world.sessions.detach(laptop.connection);
    open();
    await again;
    await settle();
    expect(await routes.find(PHONE.device)).toMatchObject({ gateway: GATEWAY });
    expect((await routes.find(LAPTOP.device))?.gateway).toBe(0);
    expect(changed.filter(({ device }) => toHex(device) === PHONE.device).map(({ online }) => online)).toEqual([true]);
    expect(changed.filter(({ device }) => toHex(device) === LAPTOP.device).every(({ online }) => !online)).toBe(true);
  });

  it('is not put back where its device has attached elsewhere since then: there it stays, and here it ends', async () => {
    const phone = await attached(PHONE);
    const elsewhere = { ...(await routes.find(PHONE.device))!, gateway: GATEWAY + 1, connection: 7 };
    // What told of it did not come through.
    await routes.attach(elsewhere);
    changed.length = 0;
    await world.sessions.registerAgain();
    await settle();
    expect(await routes.find(PHONE.device)).toEqual(elsewhere);
    expect(changed).toEqual([]);
    expect(phone.socket.closings).toEqual([CloseCode.REPLACED]);
  });

  it.each(['keyPackagesLow', 'contactsOutdated'] as const)(
    'hears %s when its route was gone, and nothing after a false alarm',
    async (loss) => {
      const [phone, laptop] = [await attached(PHONE), await attached(LAPTOP)];
      const emptied = () => [phone, laptop].map(({ events }) => events.filter((event) => event.case === loss).length);
      await world.sessions.registerAgain();
      expect(emptied()).toEqual([0, 0]);
      await routes.forget(LAPTOP.device);
      await world.sessions.registerAgain();
      expect(emptied()).toEqual([0, 1]);
      // What a call that failed had put back does not tell what was there before.
      await world.sessions.registerAgain(true);
      expect(emptied()).toEqual([1, 2]);
    },
  );

  it('is told which capabilities the server revoked, keeps them over a wipe of live state, and has relays read the route again', async () => {
    const [own, missed, later] = CAPABILITIES as [string, string, string];
    await routes.revoke(PHONE.device, [{ capability: missed, expires: now() + 600 }]);
    const phone = world.connect();
    const reply = await world.attach(phone, PHONE, { revokedCapabilities: [fromHex(own)] });
    expect(fromBinary(AttachResponseSchema, reply.body).revokedCapabilities.map(toHex)).toEqual([missed]);
    const kind = { case: 'capabilitiesRevoked' as const, value: { capabilities: [fromHex(later)] } };
    const event = { account: fromHex(ALICE), device: fromHex(PHONE.device), event: { kind } };
    world.bus.publish(gatewayEventSubject(GATEWAY), toBinary(GatewayEventSchema, create(GatewayEventSchema, event)));
    await settle();
    expect(phone.events).toMatchObject([{ case: 'capabilitiesRevoked' }]);
    await settle();
    expect(changed.map(({ online }) => online)).toEqual([true, true]);
    expect(toHex(phone.connection.session!.route!.revokedCapabilities)).toBe(own + missed + later);
  });
});
