import { beforeAll, describe, expect, it } from '@jest/globals';
import { ErrorCode, ReceiptStatus } from '@sotto/protocol';
import sodium from 'libsodium-wrappers';
import { DEFAULT_RELAY_CONFIG, type RelayConfig } from '../relay.config.js';
import { ALICE, BOB, OTHER_GATEWAY, RelayWorld, token } from './relay-world.harness.js';

const { ACCEPTED, DELIVERED, UNDELIVERED, REFUSED } = ReceiptStatus;
const CAROL = new Uint8Array(16).fill(0xc0);
const UNLIMITED = { recipientsPerSecond: 1e9, recipientsAtOnce: 1e9 };
const KiB = 1024;

/** Devices of a group of a thousand. */
const GROUP = Array.from({ length: 1_000 }, (_, i) => {
  const device = new Uint8Array(16).fill(1);
  device[0] = i;
  device[1] = i >>> 8;
  return device;
});

beforeAll(() => sodium.ready);

function worldOf(config: Partial<RelayConfig> = {}): RelayWorld {
  return new RelayWorld({ ...UNLIMITED, ...config });
}

const count = (world: RelayWorld, status: ReceiptStatus) => world.statuses.filter((one) => one === status).length;

describe('a message to a thousand devices', () => {
  it('crosses the bus once for each gateway, and reaches each of its devices', async () => {
    const world = worldOf();
    GROUP.forEach((device, i) => world.connect(device, i + 1, i % 2 === 0 ? undefined : OTHER_GATEWAY));
    // The first message loads the routes, one by one.
    await world.send({ to: GROUP });
    expect(world.busMessages).toBe(2);
    await world.send({ to: GROUP });
    expect(world.busMessages).toBe(4);
    expect(world.deliveries).toHaveLength(2_000);
    expect(new Set(world.sent.slice(-1_000).map(({ connection }) => connection)).size).toBe(1_000);
  });

  it('crosses it once for each gateway also when routes have to be read again', async () => {
    const world = worldOf();
    GROUP.forEach((device, i) => world.connect(device, i + 1));
    await world.send({ to: GROUP });
    await world.send({ to: GROUP });
    const before = world.busMessages;
    world.engine.forgetRoutes();
    await world.settled();
    expect(world.busMessages - before).toBe(2);
    expect(world.deliveries).toHaveLength(4_000);
  });

  it('crosses it once for each gateway also to those who get it again, as their receipts may be lost', async () => {
    const world = worldOf();
    GROUP.forEach((device, i) => world.connect(device, i + 1));
    const id = await world.send({ to: GROUP });
    for (const { deliver, connection } of world.sent.splice(0))
      if (deliver !== undefined && connection % 2 === 0) world.ack(deliver, undefined, GROUP[connection - 1]);
    const before = world.busMessages;
    await world.send({ id, to: GROUP });
    expect(world.busMessages - before).toBe(1);
    expect(world.deliveries).toHaveLength(500);
  });

  it('comes in order also where several messages are read again for devices that each got others before', async () => {
    const world = worldOf();
    const [one, other] = GROUP as [Uint8Array, Uint8Array];
    for (const [i, device] of [one, other].entries()) world.connect(device, i + 1);
    for (const [size, to] of [
      [1, [other]],
      [2, [one, other]],
      [3, [one, other]],
      [4, [one]],
    ] as const)
      await world.send({ size, to: [...to] });
    const before = world.sent.length;
    world.engine.forgetRoutes();
    await world.settled();
    const again = (connection: number) =>
      world.sent
        .slice(before)
        .flatMap(({ deliver, connection: to }) => (deliver !== undefined && to === connection ? deliver.payload.length : []));
    expect([again(1), again(2)]).toEqual([
      [2, 3, 4],
      [1, 2, 3],
    ]);
  });

  it('comes to every device behind what was sent to it before', async () => {
    const world = worldOf({ deliveryWindow: 1 });
    world.connect(BOB, 2);
    for (const [size, to] of [
      [1, [BOB]],
      [2, [CAROL, BOB]],
      [3, [BOB]],
    ] as const)
      await world.send({ size, to: [...to] });
    for (let i = 0; i < 3; i++) world.ack(world.deliveries[i]!);
    expect(world.deliveries.map(({ payload }) => payload.length)).toEqual([1, 2, 3]);
  });

  it('counts its payload once in what its account may have held, and its devices by number', async () => {
    const small = worldOf();
    for (let i = 0; i < 65; i++) await small.send({ to: GROUP });
    await small.pass(1_200);
    expect([small.engine.inFlight, count(small, UNDELIVERED)]).toEqual([65, 0]);
    await small.send({ to: GROUP });
    await small.pass(1_200);
    expect([small.engine.inFlight, count(small, UNDELIVERED)]).toEqual([65, 1_000]);

    const large = worldOf();
    for (let i = 0; i < 20; i++) await large.send({ to: GROUP, size: 200 * KiB });
    await large.pass(1_200);
    expect([large.engine.inFlight, count(large, UNDELIVERED)]).toEqual([20, 0]);
    await large.send({ to: [BOB], size: 200 * KiB });
    await large.pass(1_200);
    expect([large.engine.inFlight, count(large, UNDELIVERED)]).toEqual([20, 1_000]);
  });

  it('counts only the devices whose outcome is open', async () => {
    const world = worldOf({ held: { ...DEFAULT_RELAY_CONFIG.held, recipients: 1_500 } });
    const [absent, ...online] = GROUP;
    online.forEach((device, i) => world.connect(device, i + 1));
    for (let i = 0; i < 10; i++) {
      await world.send({ to: GROUP });
      for (const { deliver, connection } of world.sent.splice(0))
        if (deliver !== undefined) world.ack(deliver, undefined, online[connection - 1]);
    }
    world.sent.length = 0;
    await world.pass(1_200);
    expect([world.engine.inFlight, world.timers.size, count(world, UNDELIVERED)]).toEqual([10, 10, 0]);
    expect(new Set([...world.timers.values()].map(({ device }) => device))).toEqual(new Set([Buffer.from(absent!).toString('hex')]));
  });

  it('is charged alike whoever its devices are: nobody, away, or with a token that does not hold', async () => {
    const seen = [];
    for (const [prepare, right] of [
      [() => undefined, token()],
      [(world: RelayWorld) => GROUP.forEach((device, i) => (world.connect(device, i + 1), world.leave(device))), token()],
      [(world: RelayWorld) => GROUP.forEach((device, i) => world.connect(device, i + 1)), new Uint8Array(32)],
    ] as const) {
      const world = worldOf({
        held: { messages: 256, bytes: 50, recipients: 2_500 },
        moving: { messages: 3, bytes: 1_000, recipients: 3_500 },
      });
      prepare(world);
      world.sent.length = 0;
      const ids: string[] = [];
      for (let i = 0; i < 4; i++) ids.push(Buffer.from(await world.send({ to: GROUP, token: right, size: i })).toString('hex'));
      await world.pass(1_200);
      await world.send({ to: GROUP, token: right });
      seen.push(
        JSON.stringify(
          world.receipts.map(({ id, status, device }) => [ids.indexOf(Buffer.from(id).toString('hex')), status, device.length]),
        ),
      );
      expect(count(world, REFUSED)).toBe(1);
      expect(count(world, UNDELIVERED)).toBe(1_000);
    }
    expect(new Set(seen).size).toBe(1);
  });
});

describe('one who repeats a message to a thousand devices', () => {
  it('pays for all of them, though the repetition names one', async () => {
    const world = new RelayWorld();
    world.connect(BOB, 2);
    const id = await world.send({ to: [BOB, ...GROUP.slice(1)] });
    for (let i = 0; i < 30; i++) {
      const last = world.deliveries.at(-1);
      if (last !== undefined) world.ack(last);
      await world.send({ id, to: [BOB] });
    }
    // 20,000 at once: the first Send, and 19 looks at the rest of it.
    expect(world.deliveries).toHaveLength(20);
  });

  it('has no more of it open than a Send may have, whoever the repetitions name', async () => {
    const world = worldOf();
    const id = await world.send({ to: GROUP.slice(0, 600) });
    await world.send({ id, to: GROUP.slice(600) });
    for (let i = 0; i < 5; i++) await world.send({ id, to: GROUP.map((device) => device.with(15, 10 + i)) });
    await world.pass(31_000);
    expect([count(world, UNDELIVERED), world.engine.inFlight]).toEqual([1_000, 0]);
  });
});

describe('one who sends to thousands', () => {
  it('pushes nobody out but themselves when the relay is full', async () => {
    const world = worldOf({ heldBytes: 2_000 * KiB });
    const carols = await world.send({ from: CAROL, connection: 7, to: [BOB] });
    await world.pass(1_200);
    for (let i = 0; i < 10; i++) await world.send({ to: GROUP });
    await world.pass(1_200);
    expect(count(world, UNDELIVERED)).toBe(7_000);
    world.connect(BOB, 2);
    await world.settled();
    expect(world.deliveries).toHaveLength(1);
    world.ack(world.deliveries[0]!);
    expect(world.sent.at(-1)).toMatchObject({ connection: 7, receipt: { id: carols, status: DELIVERED } });
  });

  it('is told to slow down, by a time to wait, while others and their own messages to one device go on', async () => {
    const world = new RelayWorld();
    world.connect(BOB, 2);
    for (let i = 0; i < 21; i++) await world.send({ to: GROUP });
    expect(world.receipts).toMatchObject([{ status: REFUSED, error: { code: ErrorCode.RATE_LIMITED, retryAfterMs: 100 } }]);
    await world.send({ from: ALICE, to: [BOB] });
    await world.send({ from: CAROL, to: [BOB, ...GROUP.slice(0, 500)] });
    expect(world.deliveries).toHaveLength(2);
    await world.pass(100);
    await world.send({ to: GROUP });
    await world.pass(150);
    expect([count(world, REFUSED), count(world, ACCEPTED)]).toEqual([1, 23]);
  });

  it('is told to wait for receipts beyond what may be on its way, and may go on when they have come', async () => {
    const world = worldOf({ moving: { ...DEFAULT_RELAY_CONFIG.moving, recipients: 1_999 } });
    GROUP.forEach((device, i) => world.connect(device, i + 1));
    await world.send({ to: GROUP });
    await world.send({ to: GROUP });
    expect(world.receipts).toMatchObject([{ status: REFUSED, error: { code: ErrorCode.BUSY } }]);
    const { deliver, connection } = world.sent.find((one) => one.deliver !== undefined)!;
    world.ack(deliver!, undefined, GROUP[connection - 1]);
    await world.send({ to: GROUP });
    expect(count(world, REFUSED)).toBe(1);
  });
});
