import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { create, toBinary } from '@bufbuild/protobuf';
import { AckSchema, Outcome, TOKEN_BYTES } from '@sotto/protocol';
import type { DeviceRoute } from '@sotto/platform/live-state';
import sodium from 'libsodium-wrappers';
import { DeliveryRights } from '../routing/delivery-token.js';
import { Deliveries } from './deliveries.js';
import type { Delivery, InFlightMessage } from './message.js';
import { BOB, GATEWAY, RELAY, RelayWorld, token } from './relay-world.harness.js';

const MANY = 1_000;
const WINDOW = 2;
const NO_TOKEN = new Uint8Array(TOKEN_BYTES);

let route: DeviceRoute;
let deliveries: Deliveries;
let sent: number[];
/** How often one delivery led to the next. */
let steps: number;

beforeAll(() => sodium.ready);

beforeEach(() => {
  const world = new RelayWorld();
  world.route(BOB, 2);
  [route] = world.routes.values() as unknown as [DeviceRoute];
  sent = [];
  deliveries = new Deliveries(
    RELAY,
    { deliveryWindow: WINDOW },
    {
      deliver: (_gateway, _payload, [, number]) => void sent.push(number!),
      // Read anew each time.
      loadRoute: () => Promise.resolve({ ...route, revokedCapabilities: new Uint8Array(route.revokedCapabilities) }),
      gatewayAlive: () => true,
      now: () => 1_700_000_000_000,
    },
    () => undefined,
  );
});

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Messages to bob, one after the other; what is looked at of each is counted. */
async function send(count: number, right: Uint8Array): Promise<Delivery[]> {
  const started: Delivery[] = [];
  for (let i = 0; i < count; i++) {
    const message = { payload: new Uint8Array(1), tokens: right, open: [] as Delivery[], deadline: Infinity } as unknown as InFlightMessage;
    deliveries.start(message, { devices: BOB, recipients: 1 });
    started.push(message.open[0]!);
  }
  await settle();
  for (const delivery of started) countSteps(delivery);
  steps = 0;
  return started;
}

function countSteps(delivery: Delivery): void {
  let { next } = delivery;
  Object.defineProperty(delivery, 'next', { get: () => (steps++, next), set: (other: Delivery | undefined) => (next = other) });
}

function acknowledge({ number }: Delivery, outcome = Outcome.STORED): void {
  const handle = (BigInt(RELAY) << 32n) | BigInt(number);
  deliveries.acknowledged(BOB, toBinary(AckSchema, create(AckSchema, { handle, outcome })));
}

describe('a device with very many open deliveries', () => {
  it('costs no look at those that may not go out, when others get room', async () => {
    await send(MANY, NO_TOKEN);
    const good = await send(100, token());
    expect(sent).toHaveLength(WINDOW);
    for (const delivery of good) acknowledge(delivery);
    expect(sent).toEqual(good.map(({ number }) => number));
    // Once past all that is barred, and then on from where it was.
    expect(steps).toBeLessThan(3 * MANY);
  });

  it('costs no look at those that it keeps for later, when others get room, however often it says so', async () => {
    const parked = await send(MANY, token());
    for (const delivery of parked) acknowledge(delivery, Outcome.LATER);
    expect(steps).toBeLessThan(3 * MANY);
    steps = 0;
    for (let i = 0; i < 100; i++) acknowledge(parked[0]!, Outcome.LATER);
    const good = await send(100, token());
    for (const delivery of good) acknowledge(delivery);
    expect(sent).toHaveLength(MANY + 100);
    expect(steps).toBeLessThan(3 * MANY);
  });

  it('has each token checked once, and again only when its route says something else of rights', async () => {
    route = { ...route, gateway: 0, connection: 0 };
    const checked = jest.spyOn(DeliveryRights.prototype, 'allow');
    await send(100, token());
    await send(100, NO_TOKEN);
    for (let i = 0; i < 10; i++) {
      deliveries.deviceChanged(BOB);
      await settle();
    }
    expect(checked).toHaveBeenCalledTimes(200);
    route = { ...route, deliveryKey: new Uint8Array(32).fill(8) };
    deliveries.deviceChanged(BOB);
    await settle();
    expect(checked).toHaveBeenCalledTimes(400);
    checked.mockRestore();
  });
});

describe('a gateway that says a connection is gone', () => {
  it('is believed of that connection only: the device may have come back there meanwhile', async () => {
    const [first] = await send(1, token());
    route = { ...route, connection: 3 };
    deliveries.deviceChanged(BOB);
    await settle();
    deliveries.notHere({ gateway: GATEWAY, connection: 2 }, first!.number);
    await settle();
    const [second] = await send(1, token());
    expect(sent).toEqual([first!.number, first!.number, second!.number]);
    deliveries.notHere({ gateway: GATEWAY, connection: 3 }, second!.number);
    await settle();
    expect(sent).toHaveLength(3);
  });
});
