import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ErrorCode, LIMITS, Outcome, ReceiptStatus, toHex } from '@sotto/protocol';
import { encodeRelayInput } from '@sotto/protocol/frames';
import sodium from 'libsodium-wrappers';
import { DEFAULT_RELAY_CONFIG } from '../relay.config.js';
import { ALICE, BOB, CAPABILITY, RELAY, RelayWorld, type SendOptions } from './relay-world.harness.js';

let world: RelayWorld;

beforeAll(() => sodium.ready);
beforeEach(() => {
  world = new RelayWorld();
});

describe('the relay', () => {
  it('delivers to a connected device and tells the sender once bob has stored it', async () => {
    world.connect(BOB, 2);
    const id = await world.send();
    expect(world.deliveries).toHaveLength(1);
    world.ack(world.deliveries[0]!);
    expect(world.sent.at(-1)).toMatchObject({ connection: 1, receipt: { id, device: BOB, status: ReceiptStatus.DELIVERED } });
    await world.pass(2_000);
    expect(world.statuses).toEqual([ReceiptStatus.DELIVERED]);
    expect(world.engine.inFlight).toBe(0);
    expect(world.timers.size).toBe(0);
  });

  it('says accepted after 100 ms and undelivered at the deadline, and keeps nothing', async () => {
    await world.send({ ttl: 5 });
    await world.pass(150);
    expect(world.statuses).toEqual([ReceiptStatus.ACCEPTED]);
    expect(world.sent[0]!.receipt!.relay).toBe(RELAY);
    await world.pass(1_000);
    expect(world.timers.size).toBe(1);
    await world.pass(6_000);
    expect(world.statuses).toEqual([ReceiptStatus.ACCEPTED, ReceiptStatus.UNDELIVERED]);
    expect([world.engine.inFlight, world.timers.size]).toEqual([0, 0]);
  });

  it('does exactly the same for an unknown device, a wrong token, a revoked one and a device that is away', async () => {
    const seen: string[] = [];
    const cases: (() => SendOptions)[] = [
      () => ({}),
      () => (world.connect(BOB, 2), { token: new Uint8Array(32) }),
      () => (world.connect(BOB, 2), (world.routes.get(toHex(BOB))!.revokedCapabilities = CAPABILITY), {}),
      () => (world.connect(BOB, 2), (world.routes.get(toHex(BOB))!.gateway = 0), {}),
    ];
    for (const prepare of cases) {
      world = new RelayWorld();
      await world.send({ ...prepare(), id: new Uint8Array(16).fill(1), ttl: 3 });
      await world.pass(1_500);
      const during = [...world.timers.values()];
      await world.pass(4_000);
      seen.push(
        JSON.stringify([world.sent.map(({ receipt }) => receipt?.status), during.length, world.timers.size, world.engine.inFlight]),
      );
    }
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toContain(`[${ReceiptStatus.ACCEPTED},${ReceiptStatus.UNDELIVERED}]`);
  });

  it('delivers what it holds, in order, when bob comes back', async () => {
    await world.send({ size: 1 });
    await world.send({ size: 2 });
    await world.pass(3_000);
    world.connect(BOB, 2);
    await world.settled();
    expect(world.deliveries.map(({ payload }) => payload.length)).toEqual([1, 2]);
  });

  it('takes a Send that is repeated for the same message, and answers where the sender is now', async () => {
    world.connect(BOB, 2);
    const id = await world.send();
    await world.send({ id });
    expect(world.deliveries).toHaveLength(1);
    expect(world.statuses).toEqual([ReceiptStatus.ACCEPTED]);
  });

  it('delivers a repeated Send once more to whoever has settled it: the receipt may be lost, while others keep the message in flight', async () => {
    world.connect(BOB, 2);
    const carol = new Uint8Array(16).fill(0xca);
    const id = await world.send({ to: [carol, BOB] });
    world.ack(world.deliveries[0]!);
    await world.pass(5_000);
    await world.send({ id, to: [BOB] });
    await world.send({ id, to: [carol] });
    expect(world.deliveries).toHaveLength(2);
    world.ack(world.deliveries[1]!);
    world.connect(carol, 3);
    await world.settled();
    expect(world.deliveries).toHaveLength(3);
    world.ack(world.deliveries[2]!, Outcome.STORED, carol);
    const delivered = world.receipts.filter(({ status }) => status === ReceiptStatus.DELIVERED).map(({ device }) => device[0]);
    expect(delivered).toEqual([0xb0, 0xb0, 0xca]);
    expect(world.engine.inFlight).toBe(0);
  });

  it('delivers by the token that a repeated Send brings, where the one before was refused', async () => {
    world.connect(BOB, 2);
    const withdrawn = new Uint8Array(32).fill(1);
    const id = await world.send({ token: withdrawn });
    expect(world.deliveries).toEqual([]);
    await world.send({ id });
    expect(world.deliveries).toHaveLength(1);
    world.ack(world.deliveries[0]!);
    expect(world.statuses.at(-1)).toBe(ReceiptStatus.DELIVERED);
  });

  it('charges a repeated Send for whom it delivers to once more, and lets it wait when there is no room', async () => {
    const most = { messages: 10, bytes: 10_000, recipients: 2 };
    world = new RelayWorld({ moving: most, held: most });
    world.connect(BOB, 2);
    const [carol, dave] = [0xca, 0xda].map((byte) => new Uint8Array(16).fill(byte)) as [Uint8Array, Uint8Array];
    const id = await world.send({ to: [carol, BOB] });
    world.ack(world.deliveries[0]!);
    await world.send({ id, to: [dave, BOB] });
    expect(world.deliveries).toHaveLength(1);
    await world.send({ id, to: [BOB] });
    expect(world.deliveries).toHaveLength(2);
    await world.pass(31_000);
    expect(world.statuses.filter((status) => status === ReceiptStatus.UNDELIVERED)).toHaveLength(2);
    await world.send({ to: [carol, dave] });
    expect(world.statuses).not.toContain(ReceiptStatus.REFUSED);
  });

  it('believes an acknowledgement only of the device that it sent to', async () => {
    world.connect(BOB, 2);
    await world.send();
    world.ack(world.deliveries[0]!, Outcome.STORED, ALICE);
    expect(world.statuses).toEqual([]);
  });

  it('never has more than the window unacknowledged at one device, and sends the rest in order', async () => {
    world = new RelayWorld({ deliveryWindow: 2 });
    world.connect(BOB, 2);
    for (let size = 1; size <= 5; size++) await world.send({ size });
    expect(world.deliveries).toHaveLength(2);
    for (let i = 0; i < 5; i++) world.ack(world.deliveries[i]!);
    expect(world.deliveries.map(({ payload }) => payload.length)).toEqual([1, 2, 3, 4, 5]);
  });

  it('never has more than 1 MiB unacknowledged at one device, and keeps the order behind a large message', async () => {
    world.connect(BOB, 2);
    for (let i = 0; i < 5; i++) await world.send({ size: 250 * 1024 });
    await world.send({ size: 10 });
    const sizes = () => world.sent.flatMap(({ deliver }) => (deliver === undefined ? [] : [deliver.payload.length]));
    expect(sizes()).toEqual(Array(4).fill(250 * 1024));
    world.ack(world.sent.find(({ deliver }) => deliver !== undefined)!.deliver!);
    await world.settled();
    expect(sizes().slice(4)).toEqual([250 * 1024, 10]);
  });

  it('delivers again when the gateway says that the connection was gone, but not to that connection', async () => {
    world.connect(BOB, 2);
    await world.send();
    await world.notHere(world.deliveries[0]!, 2);
    expect(world.deliveries).toHaveLength(1);
    world.connect(BOB, 3);
    await world.settled();
    expect(world.sent.at(-1)).toMatchObject({ connection: 3 });
  });

  it('tries again by itself when an event was lost', async () => {
    await world.send();
    world.route(BOB, 9);
    await world.pass(6_000);
    expect(world.deliveries.length).toBeGreaterThan(0);
  });

  it('looks again for whom it gave up on, though no event told of them and the retry window is short', async () => {
    await world.send({ ttl: 2 });
    await world.pass(1_000);
    world.route(BOB, 9);
    await world.pass(2_000);
    expect(world.statuses).toEqual([ReceiptStatus.ACCEPTED, ReceiptStatus.UNDELIVERED]);
    await world.send({ ttl: 2 });
    expect(world.deliveries).toHaveLength(1);
  });

  it('gives up the oldest held message of an account that holds too much, and says so', async () => {
    world = new RelayWorld({ held: { ...DEFAULT_RELAY_CONFIG.held, messages: 2 } });
    const first = await world.send();
    await world.send();
    await world.send();
    await world.pass(1_200);
    const undelivered = world.sent.filter(({ receipt }) => receipt?.status === ReceiptStatus.UNDELIVERED);
    expect(undelivered.map(({ receipt }) => receipt!.id)).toEqual([first]);
    expect([world.engine.inFlight, world.timers.size]).toEqual([2, 2]);
  });

  it("refuses as busy what goes beyond the account's budget for messages on their way", async () => {
    world = new RelayWorld({ moving: { ...DEFAULT_RELAY_CONFIG.moving, messages: 1 } });
    await world.send();
    await world.send();
    expect(world.sent[0]!.receipt).toMatchObject({ status: ReceiptStatus.REFUSED, error: { code: ErrorCode.BUSY } });
  });

  it('refuses a malformed Send with an error and goes on', async () => {
    world.connect(BOB, 2);
    world.input(encodeRelayInput('send', 1, ALICE, ALICE, new Uint8Array([1, 2, 3])));
    expect(world.sent[0]!.receipt).toMatchObject({ status: ReceiptStatus.REFUSED, error: { code: ErrorCode.MALFORMED } });
    await world.send();
    expect(world.deliveries).toHaveLength(1);
  });

  it('refuses a Send that names a device twice: its payload would count once and go out twice', async () => {
    world.connect(BOB, 2);
    const id = await world.send({ to: [BOB, ALICE, BOB] });
    expect(world.receipts).toMatchObject([{ id, status: ReceiptStatus.REFUSED, error: { code: ErrorCode.MALFORMED } }]);
    expect(world.deliveries).toHaveLength(0);
  });

  it('names the Send that it refuses as too large', async () => {
    const id = await world.send({ size: LIMITS.payloadBytes + 1 });
    expect(world.receipts).toMatchObject([{ id, status: ReceiptStatus.REFUSED, error: { code: ErrorCode.MALFORMED } }]);
    expect(world.engine.inFlight).toBe(0);
  });
});
