import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Bus, connectNatsBus, InProcessBus } from '@sotto/platform/bus';
import { gatewayOutSubject, relayInSubject } from '@sotto/platform/leases';
import {
  closeLiveState,
  connectLiveState,
  type DeviceRouteStore,
  type LeaseStore,
  type LiveState,
  MemoryDeviceRouteStore,
  MemoryLeaseStore,
  RateLimit,
  RedisDeviceRouteStore,
  RedisLeaseStore,
} from '@sotto/platform/live-state';
import { AckSchema, FramesSchema, Outcome, type Receipt, ReceiptStatus, SendSchema, toHex } from '@sotto/protocol';
import { encodeBatch, encodeRelayInput, readGatewayBatch } from '@sotto/protocol/frames';
import { type RunningServer, startNats, startRedis } from '@sotto/testing';
import sodium from 'libsodium-wrappers';
import { randomBytes } from 'node:crypto';
import { CommitSlots } from './commit-slots/commit-slots.service.js';
import { MemoryCommitSlotStore } from './commit-slots/memory-commit-slot.store.js';
import { DEFAULT_RELAY_CONFIG } from './relay.config.js';
import { RelayService } from './relay.service.js';
import { MemoryRetryTimerStore } from './retry-timers/memory-retry-timer.store.js';
import { RedisRetryTimerStore } from './retry-timers/redis-retry-timer.store.js';
import type { RetryTimerStore } from './retry-timers/retry-timer.store.js';

const GATEWAY = 5;
const ALICE = new Uint8Array(16).fill(0xa1);
const BOB = new Uint8Array(16).fill(0xb0);
const NOBODY = new Uint8Array(16).fill(0xee);
const DELIVERY_KEY = new Uint8Array(32).fill(9);

interface Stores {
  routes: DeviceRouteStore;
  leases: LeaseStore;
  timers: RetryTimerStore;
}

/** What a relay stands on, without the relay. */
interface Ground {
  bus: Bus;
  stores(): Stores;
  wipe(): Promise<void>;
  end(): Promise<void>;
}

async function inTheProcess(): Promise<Ground> {
  const bus = new InProcessBus();
  const stores = () => ({ routes: new MemoryDeviceRouteStore(), leases: new MemoryLeaseStore(), timers: new MemoryRetryTimerStore() });
  return { bus, stores, wipe: async () => undefined, end: () => bus.close() };
}

async function overNatsAndRedis(): Promise<Ground> {
  const servers: RunningServer[] = await Promise.all([startNats(), startRedis()]);
  const bus = await connectNatsBus({ servers: servers[0]!.url, name: 'spec' });
  const live: LiveState = await connectLiveState({ url: servers[1]!.url });
  if (live.kind !== 'redis') throw new Error('not Redis');
  const { redis } = live;
  return {
    bus,
    stores: () => ({
      routes: new RedisDeviceRouteStore(redis),
      leases: new RedisLeaseStore(redis),
      timers: new RedisRetryTimerStore(redis),
    }),
    wipe: async () => void (await redis.flushall()),
    end: async () => {
      await bus.close();
      await closeLiveState(live);
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 1_000) throw new Error(`not within 10 s: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
};

describe.each([
  ['in the process', inTheProcess],
  ['over NATS and Redis', overNatsAndRedis],
])('a relay %s', (_name, open) => {
  let ground: Ground;
  let stores: Stores;
  let delivered: { relay: number; delivery: number; payload: Uint8Array }[];
  let receipts: Receipt[];
  let listening: { unsubscribe(): void };
  let running: Set<RelayService>;

  beforeAll(async () => {
    await sodium.ready;
    ground = await open();
  }, 60_000);
  afterAll(() => ground.end());

  beforeEach(async () => {
    await ground.wipe();
    stores = ground.stores();
    [delivered, receipts] = [[], []];
    running = new Set();
    listening = ground.bus.subscribe(gatewayOutSubject(GATEWAY), (batch) =>
      readGatewayBatch(batch, {
        frame: (_relay, _connection, frame) => {
          for (const { kind } of fromBinary(FramesSchema, frame).frames) if (kind.case === 'receipt') receipts.push(kind.value);
        },
        delivery: (relay, _connection, delivery, payload) => delivered.push({ relay, delivery, payload: new Uint8Array(payload) }),
      }),
    );
    await stores.leases.claim('gateway', GATEWAY, 60_000);
    await attach(ALICE, 1);
    await attach(BOB, 2);
  });
  afterEach(async () => {
    await Promise.all([...running].map(stop));
    listening.unsubscribe();
  });

  const attach = (device: Uint8Array, connection: number) =>
    stores.routes.attach({
      device: toHex(device),
      account: toHex(device),
      gateway: GATEWAY,
      connection,
      deliveryKey: DELIVERY_KEY,
      revokedCapabilities: new Uint8Array(0),
      invisible: false,
    });

  const startRelay = async (): Promise<{ relay: RelayService; incarnation: number }> => {
    const before = await stores.leases.alive('relay');
    const slots = new CommitSlots(
      new MemoryCommitSlotStore(),
      new RateLimit({ kind: 'memory' }, { keyPrefix: 'spec', points: 1, seconds: 1 }),
    );
    const relay = new RelayService(ground.bus, stores.routes, stores.leases, stores.timers, DEFAULT_RELAY_CONFIG, slots);
    running.add(relay);
    await relay.onApplicationBootstrap();
    const incarnation = (await stores.leases.alive('relay')).find((one) => !before.includes(one))!;
    return { relay, incarnation };
  };

  const stop = async (relay: RelayService): Promise<void> => {
    running.delete(relay);
    await relay.onApplicationShutdown();
  };

  const say = (incarnation: number, input: Uint8Array) =>
    ground.bus.publish(relayInSubject(incarnation), encodeBatch(GATEWAY, [input], input.length));

  const send = (incarnation: number, to: Uint8Array, ttl: number): Uint8Array => {
    const [id, capability] = [randomBytes(16), randomBytes(16)];
    const token = Buffer.concat([capability, sodium.crypto_generichash(16, capability, DELIVERY_KEY)]);
    const message = create(SendSchema, { id, recipients: [{ device: to, token }], payload: randomBytes(20), ttl });
    say(incarnation, encodeRelayInput('send', 1, ALICE, ALICE, toBinary(SendSchema, message)));
    return new Uint8Array(id);
  };

  const store = (incarnation: number, { relay, delivery }: { relay: number; delivery: number }) => {
    const handle = (BigInt(relay) << 32n) | BigInt(delivery);
    const ack = toBinary(AckSchema, create(AckSchema, { handle, outcome: Outcome.STORED }));
    say(incarnation, encodeRelayInput('ack', 2, BOB, BOB, ack));
  };

  it('that is to stop gives its lease back first, ends what is on its way and what still comes, and then takes nothing more', async () => {
    const { relay, incarnation } = await startRelay();
    const first = send(incarnation, BOB, 20);
    await until('the first arrives', () => delivered.length === 1);
    let stopped = false;
    const stopping = stop(relay).then(() => (stopped = true));
    await until('its lease is gone', async () => (await stores.leases.alive('relay')).length === 0);
    const second = send(incarnation, BOB, 20);
    await until('the second arrives too', () => delivered.length === 2);
    expect(stopped).toBe(false);
    for (const each of delivered) store(incarnation, each);
    await stopping;
    // On a busy machine she may be told first that they are accepted.
    const last = () => receipts.filter(({ status }) => status !== ReceiptStatus.ACCEPTED);
    await until('alice has both receipts', () => last().length === 2);
    expect(last()).toMatchObject([first, second].map((id) => ({ id, device: BOB, status: ReceiptStatus.DELIVERED })));
    send(incarnation, BOB, 20);
    await new Promise((done) => setTimeout(done, 100));
    expect(delivered).toHaveLength(2);
  });

  it('that stopped before a message was acknowledged leaves it to another to tell its sender, once', async () => {
    const { relay, incarnation } = await startRelay();
    const id = send(incarnation, NOBODY, 3);
    await until('it is accepted', () => receipts.length === 1);
    await stop(relay);
    await Promise.all([startRelay(), startRelay()]);
    await until('alice is told', () => receipts.length > 1);
    await new Promise((done) => setTimeout(done, 3_100));
    expect(receipts).toMatchObject([
      { id, status: ReceiptStatus.ACCEPTED },
      { id, device: NOBODY, status: ReceiptStatus.UNDELIVERED },
    ]);
  }, 30_000);

  it('tells the senders of a relay that died about each recipient, and only those who are connected', async () => {
    const ids = [randomBytes(16), randomBytes(16)].map(toHex);
    const died = { owner: 99, deadline: Date.now() - 60_000 };
    const recipients = Array.from({ length: 700 }, () => toHex(randomBytes(16)));
    await stores.timers.add(recipients.map((device) => ({ ...died, id: ids[0]!, sender: toHex(ALICE), device })));
    await stores.timers.add([{ ...died, id: ids[1]!, sender: toHex(NOBODY), device: toHex(BOB) }]);
    await startRelay();
    await until('alice is told of all', () => receipts.length >= recipients.length);
    expect(new Set(receipts.map(({ id, status }) => `${toHex(id)} ${status}`))).toEqual(
      new Set([`${ids[0]} ${ReceiptStatus.UNDELIVERED}`]),
    );
    expect(receipts.map(({ device }) => toHex(device)).sort()).toEqual([...recipients].sort());
    expect(await stores.timers.takeDue(Date.now(), 10, [])).toEqual([]);
  }, 30_000);
});

describe('a relay that is cut off from the bus', () => {
  it('loses its lease, so that senders are told and turn to another, and takes it up again', async () => {
    const nats = await startNats();
    const bus = await connectNatsBus({ servers: nats.url, name: 'spec' });
    const leases = new MemoryLeaseStore();
    const slots = new CommitSlots(
      new MemoryCommitSlotStore(),
      new RateLimit({ kind: 'memory' }, { keyPrefix: 'spec', points: 1, seconds: 1 }),
    );
    const relay = new RelayService(bus, new MemoryDeviceRouteStore(), leases, new MemoryRetryTimerStore(), DEFAULT_RELAY_CONFIG, slots);
    await relay.onApplicationBootstrap();
    const alive = await leases.alive('relay');
    expect(alive).toHaveLength(1);
    await nats.stop();
    await until('its lease is gone', async () => (await leases.alive('relay')).length === 0);
    const back = await startNats({ port: nats.port });
    await until('it has its lease again', async () => (await leases.alive('relay')).length === 1);
    expect(await leases.alive('relay')).toEqual(alive);
    await relay.onApplicationShutdown();
    await bus.close();
    await back.stop();
  });
});
