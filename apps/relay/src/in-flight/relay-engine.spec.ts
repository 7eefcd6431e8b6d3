import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceRoute } from '@sotto/platform/live-state';
import { AckSchema, type Deliver, ErrorCode, FramesSchema, Outcome, type Receipt, ReceiptStatus, SendSchema, toHex } from '@sotto/protocol';
import { encodeBatch, encodeNotHere, encodeRelayInput } from '@sotto/protocol/frames';
import sodium from 'libsodium-wrappers';
import { DEFAULT_RELAY_CONFIG, type RelayConfig } from '../relay.config.js';
import type { RetryTimer } from '../retry-timers/retry-timer.store.js';
import { RelayEngine } from './relay-engine.js';

const RELAY = 77;
const GATEWAY = 5;
const ALICE = new Uint8Array(16).fill(0xa1);
const BOB = new Uint8Array(16).fill(0xb0);
const KEY = new Uint8Array(32).fill(9);
const CAPABILITY = new Uint8Array(16).fill(4);

let now: number;
let routes: Map<string, DeviceRoute>;
let sent: { gateway: number; connection: number; deliver?: Deliver; receipt?: Receipt }[];
let timers: Map<string, RetryTimer>;
let engine: RelayEngine;
let lastId = 0;

beforeAll(() => sodium.ready);
beforeEach(() => start());

function start(config: Partial<RelayConfig> = {}): void {
  now = 1_700_000_000_000;
  routes = new Map();
  sent = [];
  timers = new Map();
  engine = new RelayEngine(
    RELAY,
    { ...DEFAULT_RELAY_CONFIG, ...config },
    {
      output: (gateway, connection, frame) => {
        const { kind } = fromBinary(FramesSchema, frame).frames[0]!;
        sent.push({
          gateway,
          connection,
          ...(kind.case === 'deliver' ? { deliver: kind.value } : kind.case === 'receipt' ? { receipt: kind.value } : {}),
        });
      },
      loadRoute: (device) => Promise.resolve(routes.get(device)),
      gatewayAlive: (gateway) => gateway === GATEWAY,
      addTimers: (added) => added.forEach((timer) => timers.set(timer.id + timer.device, timer)),
      removeTimers: (removed) => removed.forEach((timer) => timers.delete(timer.id + timer.device)),
      now: () => now,
    },
  );
}

function connect(device: Uint8Array, connection: number): void {
  const hex = toHex(device);
  routes.set(hex, {
    device: hex,
    account: hex,
    gateway: GATEWAY,
    connection,
    deliveryKey: KEY,
    revokedCapabilities: new Uint8Array(0),
    invisible: false,
  });
  engine.deviceChanged(hex, true);
}

function token(capability = CAPABILITY): Uint8Array {
  return Buffer.concat([capability, sodium.crypto_generichash(16, capability, KEY)]);
}

function input(bytes: Uint8Array): void {
  engine.onBatch(encodeBatch(GATEWAY, [bytes], bytes.length));
}

interface SendOptions {
  id?: Uint8Array;
  token?: Uint8Array;
  to?: Uint8Array;
  ttl?: number;
  size?: number;
}

async function aliceSends({
  id = freshId(),
  token: right = token(),
  to = BOB,
  ttl = 30,
  size = 10,
}: SendOptions = {}): Promise<Uint8Array> {
  const send = toBinary(
    SendSchema,
    create(SendSchema, { id, recipients: [{ device: to, token: right }], payload: new Uint8Array(size).fill(1), ttl }),
  );
  input(encodeRelayInput('send', 1, ALICE, ALICE, send));
  await settle();
  return id;
}

function bobAcks(deliver: Deliver, outcome = Outcome.STORED, from = BOB): void {
  input(encodeRelayInput('ack', 2, from, from, toBinary(AckSchema, create(AckSchema, { handle: deliver.handle, outcome }))));
}

function freshId(): Uint8Array {
  const id = new Uint8Array(16);
  id[0] = ++lastId;
  id[1] = lastId >>> 8;
  return id;
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const deliveries = () => sent.flatMap(({ deliver }) => (deliver === undefined ? [] : [deliver]));
const statuses = () => sent.flatMap(({ receipt }) => (receipt === undefined ? [] : [receipt.status]));

async function pass(ms: number): Promise<void> {
  for (const end = now + ms; now < end;) {
    now += 50;
    engine.tick();
    await settle();
  }
}

describe('the relay', () => {
  it('delivers to a connected device and tells the sender once bob has stored it', async () => {
    connect(BOB, 2);
    const id = await aliceSends();
    expect(deliveries()).toHaveLength(1);
    bobAcks(deliveries()[0]!);
    expect(sent.at(-1)).toMatchObject({ connection: 1, receipt: { id, device: BOB, status: ReceiptStatus.DELIVERED } });
    await pass(2_000);
    expect(statuses()).toEqual([ReceiptStatus.DELIVERED]);
    expect(engine.inFlight).toBe(0);
    expect(timers.size).toBe(0);
  });

  it('says accepted after 100 ms and undelivered at the deadline, and keeps nothing', async () => {
    await aliceSends({ ttl: 5 });
    await pass(150);
    expect(statuses()).toEqual([ReceiptStatus.ACCEPTED]);
    expect(sent[0]!.receipt!.relay).toBe(RELAY);
    await pass(1_000);
    expect(timers.size).toBe(1);
    await pass(6_000);
    expect(statuses()).toEqual([ReceiptStatus.ACCEPTED, ReceiptStatus.UNDELIVERED]);
    expect([engine.inFlight, timers.size]).toEqual([0, 0]);
  });

  it('does exactly the same for an unknown device, a wrong token, a revoked one and a device that is away', async () => {
    const seen: string[] = [];
    const cases: (() => SendOptions)[] = [
      () => ({}),
      () => (connect(BOB, 2), { token: new Uint8Array(32) }),
      () => (connect(BOB, 2), (routes.get(toHex(BOB))!.revokedCapabilities = CAPABILITY), {}),
      () => (connect(BOB, 2), (routes.get(toHex(BOB))!.gateway = 0), {}),
    ];
    for (const prepare of cases) {
      start();
      await aliceSends({ ...prepare(), id: new Uint8Array(16).fill(1), ttl: 3 });
      await pass(1_500);
      const during = [...timers.values()];
      await pass(4_000);
      seen.push(JSON.stringify([sent.map(({ receipt }) => receipt?.status), during.length, timers.size, engine.inFlight]));
    }
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toContain(`[${ReceiptStatus.ACCEPTED},${ReceiptStatus.UNDELIVERED}]`);
  });

  it('delivers what it holds, in order, when bob comes back', async () => {
    await aliceSends({ size: 1 });
    await aliceSends({ size: 2 });
    await pass(3_000);
    connect(BOB, 2);
    await settle();
    expect(deliveries().map(({ payload }) => payload.length)).toEqual([1, 2]);
  });

  it('takes a Send that is repeated for the same message, and answers where the sender is now', async () => {
    connect(BOB, 2);
    const id = await aliceSends();
    await aliceSends({ id });
    expect(deliveries()).toHaveLength(1);
    expect(statuses()).toEqual([ReceiptStatus.ACCEPTED]);
  });

  it('believes an acknowledgement only of the device that it sent to', async () => {
    connect(BOB, 2);
    await aliceSends();
    bobAcks(deliveries()[0]!, Outcome.STORED, ALICE);
    expect(statuses()).toEqual([]);
  });

  it('passes on that bob can never read it', async () => {
    connect(BOB, 2);
    await aliceSends();
    bobAcks(deliveries()[0]!, Outcome.CANNOT);
    expect(statuses()).toEqual([ReceiptStatus.CANNOT]);
  });

  it('keeps a message open that bob will read later, and frees the window for what comes behind it', async () => {
    start({ deliveryWindow: 1 });
    connect(BOB, 2);
    await aliceSends();
    await aliceSends();
    expect(deliveries()).toHaveLength(1);
    bobAcks(deliveries()[0]!, Outcome.LATER);
    expect(deliveries()).toHaveLength(2);
    bobAcks(deliveries()[1]!);
    expect(engine.inFlight).toBe(1);
  });

  it('never has more than the window unacknowledged at one device, and sends the rest in order', async () => {
    start({ deliveryWindow: 2 });
    connect(BOB, 2);
    for (let size = 1; size <= 5; size++) await aliceSends({ size });
    expect(deliveries()).toHaveLength(2);
    for (let i = 0; i < 5; i++) bobAcks(deliveries()[i]!);
    expect(deliveries().map(({ payload }) => payload.length)).toEqual([1, 2, 3, 4, 5]);
  });

  it('never has more than 1 MiB unacknowledged at one device, and keeps the order behind a large message', async () => {
    connect(BOB, 2);
    for (let i = 0; i < 5; i++) await aliceSends({ size: 250 * 1024 });
    await aliceSends({ size: 10 });
    const sizes = () => sent.flatMap(({ deliver }) => (deliver === undefined ? [] : [deliver.payload.length]));
    expect(sizes()).toEqual(Array(4).fill(250 * 1024));
    bobAcks(sent.find(({ deliver }) => deliver !== undefined)!.deliver!);
    await settle();
    expect(sizes().slice(4)).toEqual([250 * 1024, 10]);
  });

  it('delivers again when the gateway says that the connection was gone, but not to that connection', async () => {
    connect(BOB, 2);
    await aliceSends();
    const notHere = encodeNotHere(2, BOB, BOB, Number(deliveries()[0]!.handle & 0xffffffffn), RELAY);
    input(notHere);
    await settle();
    expect(deliveries()).toHaveLength(1);
    connect(BOB, 3);
    await settle();
    expect(sent.at(-1)).toMatchObject({ connection: 3 });
  });

  it('tries again by itself when an event was lost', async () => {
    await aliceSends();
    const hex = toHex(BOB);
    routes.set(hex, {
      device: hex,
      account: hex,
      gateway: GATEWAY,
      connection: 9,
      deliveryKey: KEY,
      revokedCapabilities: new Uint8Array(0),
      invisible: false,
    });
    await pass(6_000);
    expect(deliveries().length).toBeGreaterThan(0);
  });

  it('gives up the oldest held message of an account that holds too much, and says so', async () => {
    start({ heldMessagesPerAccount: 2 });
    const first = await aliceSends();
    await aliceSends();
    await aliceSends();
    await pass(1_200);
    const undelivered = sent.filter(({ receipt }) => receipt?.status === ReceiptStatus.UNDELIVERED);
    expect(undelivered.map(({ receipt }) => receipt!.id)).toEqual([first]);
    expect(engine.inFlight).toBe(2);
  });

  it("refuses as busy what goes beyond the account's budget for messages on their way", async () => {
    start({ movingMessagesPerAccount: 1 });
    await aliceSends();
    await aliceSends();
    expect(sent[0]!.receipt).toMatchObject({ status: ReceiptStatus.REFUSED, error: { code: ErrorCode.BUSY } });
  });

  it('refuses a malformed Send with an error and goes on', async () => {
    connect(BOB, 2);
    input(encodeRelayInput('send', 1, ALICE, ALICE, new Uint8Array([1, 2, 3])));
    expect(sent[0]!.receipt).toMatchObject({ status: ReceiptStatus.REFUSED, error: { code: ErrorCode.MALFORMED } });
    await aliceSends();
    expect(deliveries()).toHaveLength(1);
  });
});
