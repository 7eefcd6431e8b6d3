import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DeviceRoute } from '@sotto/platform/live-state';
import { AckSchema, type Deliver, DeliverSchema, FramesSchema, Outcome, type Receipt, SendSchema, toHex } from '@sotto/protocol';
import { encodeBatch, encodeNotHere, encodeRelayInput } from '@sotto/protocol/frames';
import sodium from 'libsodium-wrappers';
import type { SlotAnswer } from '../commit-slots/commit-slots.service.js';
import { DEFAULT_RELAY_CONFIG, type RelayConfig } from '../relay.config.js';
import type { RetryTimer } from '../retry-timers/retry-timer.store.js';
import { RelayEngine } from './relay-engine.js';

export const RELAY = 77;
export const GATEWAY = 5;
export const OTHER_GATEWAY = 6;
export const ALICE = new Uint8Array(16).fill(0xa1);
export const BOB = new Uint8Array(16).fill(0xb0);
export const CAPABILITY = new Uint8Array(16).fill(4);
const DELIVERY_KEY = new Uint8Array(32).fill(9);

export interface Sent {
  gateway: number;
  connection: number;
  deliver?: Deliver;
  receipt?: Receipt;
}

/** A question to live state that the test answers. */
export interface OpenClaim {
  account: string;
  slot: Uint8Array;
  commitId: Uint8Array;
  answer(answer: SlotAnswer): Promise<void>;
  fail(): Promise<void>;
}

export interface SendOptions {
  id?: Uint8Array;
  token?: Uint8Array;
  to?: Uint8Array[];
  ttl?: number;
  size?: number;
  slot?: Uint8Array;
  commitId?: Uint8Array;
  from?: Uint8Array;
  connection?: number;
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
let lastId = 0;

export function freshId(): Uint8Array {
  const id = new Uint8Array(16);
  id[0] = ++lastId;
  id[1] = lastId >>> 8;
  return id;
}

/** A token that holds for every device that is connected here. */
export function token(capability = CAPABILITY): Uint8Array {
  return Buffer.concat([capability, sodium.crypto_generichash(16, capability, DELIVERY_KEY)]);
}

/** A relay whose gateway, live state and clock are the test's. Await `sodium.ready` first. */
export class RelayWorld {
  now = 1_700_000_000_000;
  readonly routes = new Map<string, DeviceRoute>();
  readonly sent: Sent[] = [];
  readonly timers = new Map<string, RetryTimer>();
  readonly claims: OpenClaim[] = [];
  /** Payloads handed to gateways, each for one or many deliveries. */
  busMessages = 0;
  /** How often a route was asked for. */
  loads = 0;
  liveStateAway = false;
  readonly engine: RelayEngine;

  constructor(config: Partial<RelayConfig> = {}) {
    this.engine = new RelayEngine(
      RELAY,
      { ...DEFAULT_RELAY_CONFIG, ...config },
      {
        output: (gateway, connection, frame) => this.output(gateway, connection, frame),
        deliver: (gateway, payload, recipients) => this.deliver(gateway, payload, recipients),
        loadRoute: (device) => this.load(device),
        claimSlot: (account, slot, commitId) => this.ask(account, slot, commitId),
        gatewayAlive: (gateway) => gateway === GATEWAY || gateway === OTHER_GATEWAY,
        addTimers: (added) => added.forEach((timer) => this.timers.set(timer.id + timer.device, timer)),
        removeTimers: (removed) => removed.forEach((timer) => this.timers.delete(timer.id + timer.device)),
        now: () => this.now,
      },
    );
  }

  get deliveries(): Deliver[] {
    return this.sent.flatMap(({ deliver }) => (deliver === undefined ? [] : [deliver]));
  }

  get receipts(): Receipt[] {
    return this.sent.flatMap(({ receipt }) => (receipt === undefined ? [] : [receipt]));
  }

  get statuses(): number[] {
    return this.receipts.map(({ status }) => status);
  }

  /** Live state knows the device at the gateway; no event tells the relay. */
  route(device: Uint8Array, connection: number, gateway = GATEWAY): void {
    const hex = toHex(device);
    this.routes.set(hex, {
      device: hex,
      account: hex,
      gateway,
      connection,
      deliveryKey: DELIVERY_KEY,
      revokedCapabilities: new Uint8Array(0),
      invisible: false,
    });
  }

  connect(device: Uint8Array, connection: number, gateway = GATEWAY): void {
    this.route(device, connection, gateway);
    this.engine.deviceChanged(device, true);
  }

  leave(device: Uint8Array): void {
    Object.assign(this.routes.get(toHex(device))!, { gateway: 0, connection: 0 });
    this.engine.deviceChanged(device, false);
  }

  input(bytes: Uint8Array): void {
    this.engine.onBatch(encodeBatch(GATEWAY, [bytes], bytes.length));
  }

  /** A Send, by default of alice to bob; returns its id. */
  async send(options: SendOptions = {}): Promise<Uint8Array> {
    const { id = freshId() } = options;
    this.engine.onBatch(this.batch({ ...options, id }));
    await settle();
    return id;
  }

  /** What brings such a Send to the relay. */
  batch(options: SendOptions & { id: Uint8Array }): Uint8Array {
    const { id, token: right = token(), to = [BOB], ttl = 30, size = 10, from = ALICE, connection = 1 } = options;
    const { slot = new Uint8Array(0), commitId = new Uint8Array(0) } = options;
    const recipients = to.map((device) => ({ device, token: right }));
    const send = create(SendSchema, { id, recipients, payload: new Uint8Array(size).fill(1), ttl, slot, commitId });
    const input = encodeRelayInput('send', connection, from, from, toBinary(SendSchema, send));
    return encodeBatch(GATEWAY, [input], input.length);
  }

  ack({ handle }: Deliver, outcome = Outcome.STORED, from = BOB): void {
    this.input(encodeRelayInput('ack', 2, from, from, toBinary(AckSchema, create(AckSchema, { handle, outcome }))));
  }

  async notHere({ handle }: Deliver, connection: number, device = BOB): Promise<void> {
    this.input(encodeNotHere(connection, device, device, Number(handle & 0xffffffffn), RELAY));
    await settle();
  }

  async pass(ms: number): Promise<void> {
    for (const end = this.now + ms; this.now < end;) {
      this.now += 50;
      this.engine.tick();
      await settle();
    }
  }

  settled(): Promise<void> {
    return settle();
  }

  private output(gateway: number, connection: number, frame: Uint8Array): void {
    const { kind } = fromBinary(FramesSchema, frame).frames[0]!;
    this.sent.push({ gateway, connection, ...(kind.case === 'receipt' ? { receipt: kind.value } : {}) });
  }

  private deliver(gateway: number, payload: Uint8Array, recipients: readonly number[]): void {
    this.busMessages++;
    for (let i = 0; i < recipients.length; i += 2) {
      const handle = (BigInt(RELAY) << 32n) | BigInt(recipients[i + 1]!);
      this.sent.push({ gateway, connection: recipients[i]!, deliver: create(DeliverSchema, { handle, payload: new Uint8Array(payload) }) });
    }
  }

  /** As it stands now: what changes later is another object, as if read anew. */
  private load(device: Uint8Array): Promise<DeviceRoute | undefined> {
    this.loads++;
    if (this.liveStateAway) return Promise.reject(new Error('live state is away'));
    const route = this.routes.get(toHex(device));
    return Promise.resolve(route && { ...route });
  }

  private ask(account: string, slot: Uint8Array, commitId: Uint8Array): Promise<SlotAnswer> {
    return new Promise((resolve, reject) =>
      this.claims.push({
        account,
        slot,
        commitId,
        answer: (answer) => (resolve(answer), settle()),
        fail: () => (reject(new Error('live state is away')), settle()),
      }),
    );
  }
}
