import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Outcome, ReceiptStatus } from '@sotto/protocol';
import sodium from 'libsodium-wrappers';
import { ALICE, BOB, RelayWorld } from './relay-world.harness.js';

const { ACCEPTED, DELIVERED, UNDELIVERED, CANNOT } = ReceiptStatus;

let world: RelayWorld;

beforeAll(() => sodium.ready);
beforeEach(() => {
  world = new RelayWorld();
  world.connect(BOB, 2);
});

const sizes = () => world.deliveries.map(({ payload }) => payload.length);

describe('what a device acknowledges', () => {
  it('is believed only of the device that it was sent to', async () => {
    await world.send();
    world.ack(world.deliveries[0]!, Outcome.STORED, ALICE);
    expect(world.statuses).toEqual([]);
  });

  it('as never to be read ends the message, and its sender learns which device it was', async () => {
    const id = await world.send();
    world.ack(world.deliveries[0]!, Outcome.CANNOT);
    expect(world.receipts).toMatchObject([{ id, device: BOB, status: CANNOT }]);
    expect(world.engine.inFlight).toBe(0);
  });

  it('as to be read later stays open, and frees the window for what comes behind it', async () => {
    world = new RelayWorld({ deliveryWindow: 1 });
    world.connect(BOB, 2);
    await world.send({ size: 1 });
    await world.send({ size: 2 });
    expect(sizes()).toEqual([1]);
    world.ack(world.deliveries[0]!, Outcome.LATER);
    expect(sizes()).toEqual([1, 2]);
    expect(world.engine.inFlight).toBe(2);
  });

  it.each([
    ['stored', Outcome.STORED, DELIVERED],
    ['never to be read', Outcome.CANNOT, CANNOT],
  ])('as to be read later, and then as %s, ends with that', async (_name, outcome, status) => {
    const id = await world.send();
    world.ack(world.deliveries[0]!, Outcome.LATER);
    await world.pass(2_000);
    expect(world.statuses).toEqual([ACCEPTED]);
    world.ack(world.deliveries[0]!, outcome);
    expect(world.receipts.at(-1)).toMatchObject({ id, device: BOB, status });
    await world.pass(40_000);
    expect(world.statuses).toEqual([ACCEPTED, status]);
    expect([world.engine.inFlight, world.timers.size]).toEqual([0, 0]);
  });

  it('as to be read later, and no more, is undelivered at the deadline; what comes after that counts no more', async () => {
    await world.send({ ttl: 5 });
    world.ack(world.deliveries[0]!, Outcome.LATER);
    await world.pass(7_000);
    world.ack(world.deliveries[0]!);
    expect(world.statuses).toEqual([ACCEPTED, UNDELIVERED]);
    expect([world.engine.inFlight, world.timers.size]).toEqual([0, 0]);
  });

  it('as to be read later comes again when the device connects anew, in order with the rest, and can be stored from there', async () => {
    await world.send({ size: 1 });
    await world.send({ size: 2 });
    world.ack(world.deliveries[0]!, Outcome.LATER);
    world.leave(BOB);
    await world.settled();
    world.connect(BOB, 3);
    await world.settled();
    expect(sizes()).toEqual([1, 2, 1, 2]);
    expect(world.sent.slice(-2).map(({ connection }) => connection)).toEqual([3, 3]);
    world.ack(world.deliveries[2]!);
    world.ack(world.deliveries[3]!);
    expect(world.statuses).toEqual([DELIVERED, DELIVERED]);
  });

  it('as to be read later may be stored by its first handle after the device connected anew', async () => {
    await world.send();
    const [first] = world.deliveries;
    world.ack(first!, Outcome.LATER);
    world.connect(BOB, 3);
    await world.settled();
    world.ack(first!);
    expect(world.statuses).toEqual([DELIVERED]);
  });

  it('as to be read later is tried again with growing waits, each message by its own and not all with any of them', async () => {
    for (let size = 1; size <= 3; size++) {
      await world.send({ size });
      world.ack(world.deliveries.at(-1)!, Outcome.LATER);
      await world.pass(1_000);
    }
    expect(sizes()).toEqual([1, 2, 3]);
    await world.pass(1_500);
    expect(sizes()).toEqual([1, 2, 3, 1]);
    world.ack(world.deliveries.at(-1)!, Outcome.LATER);
    await world.pass(2_000);
    expect(sizes()).toEqual([1, 2, 3, 1, 2, 3]);
    for (const deliver of world.deliveries.slice(-2)) world.ack(deliver, Outcome.LATER);
    await world.pass(2_000);
    expect(sizes()).toHaveLength(6);
  });
});
