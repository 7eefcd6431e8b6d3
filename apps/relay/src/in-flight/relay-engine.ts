import { Buffer } from 'node:buffer';
import { create, toBinary } from '@bufbuild/protobuf';
import { ErrorCode, LIMITS, Outcome, ReceiptSchema, ReceiptStatus } from '@sotto/protocol';
import {
  encodeDeliver,
  encodeReceipt,
  forEachRelayInput,
  FrameKind,
  parseAck,
  type ParsedRelayInput,
  type ParsedSend,
  parseSend,
  WireError,
  wrapFrame,
} from '@sotto/protocol/frames';
import type { DeviceRoute } from '@sotto/platform/live-state';
import type { RelayConfig } from '../relay.config.js';
import type { RetryTimer } from '../retry-timers/retry-timer.store.js';
import { tokenHolds } from '../routing/delivery-token.js';
import { DeviceTable } from '../routing/device-table.js';
import { Budgets } from './budgets.js';
import type { Delivery, DeviceEntry, InFlightMessage } from './message.js';

/** What the engine does to the world. */
export interface RelayPorts {
  /** A frame for a connection; may be lost when the gateway is gone. */
  output(gateway: number, connection: number, frame: Uint8Array): void;
  /** Reads a route from live state; rejects while it is away. */
  loadRoute(device: string): Promise<DeviceRoute | undefined>;
  gatewayAlive(gateway: number): boolean;
  addTimers(timers: RetryTimer[]): void;
  removeTimers(timers: RetryTimer[]): void;
  now(): number;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);
/** The shortest time that a message may be on its way, also with ttl 0. */
const LEAST_WINDOW_MS = 1_000;
const TOO_MUCH = 'Too much of this account is on its way: wait for receipts.';
/** What a delivery costs beside the payload, so that empty messages to a thousand devices are bounded too. Bytes. */
const DELIVERY_CHARGE = 128;
const ACCEPTED_AFTER_MS = 100;
/** Age at which an unacknowledged message is written to the retry timers and charged as held. */
const HELD_AFTER_MS = 1_000;
const FIRST_RETRY_MS = 4_000;
const LAST_RETRY_MS = 60_000;

/**
 * Routing, retry and receipts of the messages that this relay has accepted. Holds them in memory and nowhere else (P1). All steps are
 * synchronous but the loading of a route; the path of a message to a connected device, known here, allocates no promise and no timer.
 */
export class RelayEngine {
  private readonly devices = new DeviceTable();
  private readonly budgets: Budgets;
  /** Sender device → id → message. */
  private readonly senders = new Map<string, Map<string, InFlightMessage>>();
  private readonly deliveries = new Map<number, Delivery>();
  /**
   * In order of arrival: all wait the same time, so the head is due first. What is settled leaves at the next tick: a message that the
   * queues kept for their whole time would grow old enough to cost the garbage collector far more than its delivery.
   */
  private toAnswer: InFlightMessage[] = [];
  private toHold: InFlightMessage[] = [];
  /** Whole second of the deadline → messages. */
  private readonly deadlines = new Map<number, Set<InFlightMessage>>();
  private nextDelivery = 1;
  private checkedSecond: number;

  constructor(
    private readonly incarnation: number,
    private readonly config: RelayConfig,
    private readonly ports: RelayPorts,
  ) {
    this.budgets = new Budgets(config);
    this.checkedSecond = Math.floor(ports.now() / 1_000) - 1;
  }

  /** Messages without an outcome for all their recipients. */
  get inFlight(): number {
    let count = 0;
    for (const messages of this.senders.values()) count += messages.size;
    return count;
  }

  /** A RelayBatch of a gateway. Throws WireError when it is none. */
  onBatch(batch: Uint8Array): void {
    forEachRelayInput(batch, this.onInput);
  }

  private readonly onInput = (gateway: number, input: ParsedRelayInput): void => {
    if (input.send !== undefined) this.onSend(gateway, input, input.send);
    else if (input.ack !== undefined) this.onAck(hex(input.device), input.ack);
    else if (input.notHere !== undefined) this.onNotHere(gateway, input.notHere);
  };

  private onSend(gateway: number, input: ParsedRelayInput, bytes: Uint8Array): void {
    let send: ParsedSend;
    try {
      send = parseSend(bytes);
    } catch (error) {
      if (error instanceof WireError) return this.refuse(gateway, input.connection, NO_BYTES, ErrorCode.MALFORMED, error.message);
      throw error;
    }
    const sender = hex(input.device);
    const key = hex(send.id);
    const known = this.senders.get(sender)?.get(key);
    if (known !== undefined) return this.repeat(known, gateway, input.connection);
    const now = this.ports.now();
    const window = Math.max(Math.min(send.ttl * 1_000, this.config.retryWindowMs), LEAST_WINDOW_MS);
    const message: InFlightMessage = {
      id: send.id,
      key,
      sender,
      account: hex(input.account),
      gateway,
      connection: input.connection,
      payload: send.payload,
      charge: send.payload.length + send.devices.length * DELIVERY_CHARGE,
      arrivedAt: now,
      deadline: Math.ceil((now + window) / 1_000) * 1_000,
      open: [],
      accepted: false,
      charged: 'none',
    };
    if (!this.budgets.admit(message)) return this.refuse(gateway, input.connection, message.id, ErrorCode.BUSY, TOO_MUCH);
    this.keep(message);
    for (let i = 0; i < send.devices.length; i++) this.addDelivery(message, send.devices[i]!, send.tokens[i]!);
    for (const delivery of [...message.open]) this.dispatch(delivery);
  }

  private keep(message: InFlightMessage): void {
    let messages = this.senders.get(message.sender);
    if (messages === undefined) this.senders.set(message.sender, (messages = new Map<string, InFlightMessage>()));
    messages.set(message.key, message);
    this.toAnswer.push(message);
    const second = message.deadline / 1_000;
    const due = this.deadlines.get(second);
    if (due === undefined) this.deadlines.set(second, new Set([message]));
    else due.add(message);
  }

  /** The sender did not hear of it: its receipts go to where it is now. */
  private repeat(message: InFlightMessage, gateway: number, connection: number): void {
    message.gateway = gateway;
    message.connection = connection;
    this.accept(message);
  }

  private addDelivery(message: InFlightMessage, device: Uint8Array, token: Uint8Array): void {
    const number = this.nextDelivery;
    this.nextDelivery = number === 0xffffffff ? 1 : number + 1;
    const to = this.devices.getOrAdd(hex(device));
    const delivery: Delivery = {
      number,
      message,
      to,
      device,
      token,
      sentAt: 0,
      backoff: FIRST_RETRY_MS,
      inWindow: false,
      parked: false,
      timed: false,
      settled: false,
    };
    this.deliveries.set(number, delivery);
    to.open.add(delivery);
    message.open.push(delivery);
  }

  /** Sends the delivery out if its device is connected, has room and the token holds; else it stays open. */
  private dispatch(delivery: Delivery): void {
    const { to } = delivery;
    if (to.route === undefined) return this.load(to);
    const holds = tokenHolds(delivery.token, to.route);
    const { route } = to;
    if (!holds || route === null || route.gateway === 0 || isGone(to, route) || !this.ports.gatewayAlive(route.gateway)) return;
    if (!delivery.inWindow) {
      if (!this.hasRoom(to, delivery.message.payload.length)) return;
      delivery.inWindow = true;
      to.unacknowledged++;
      to.unacknowledgedBytes += delivery.message.payload.length;
    }
    delivery.sentAt = this.ports.now();
    delivery.parked = false;
    this.ports.output(route.gateway, route.connection, encodeDeliver(this.incarnation, delivery.number, delivery.message.payload));
  }

  /** A window of messages and of bytes: what is on its way to one device fits what its gateway lets a slow client leave unread. */
  private hasRoom(to: DeviceEntry, bytes: number): boolean {
    const fits = to.unacknowledged === 0 || to.unacknowledgedBytes + bytes <= LIMITS.deliveryWindowBytes;
    to.full ||= to.unacknowledged >= this.config.deliveryWindow || !fits;
    return !to.full;
  }

  private load(entry: DeviceEntry): void {
    if (entry.loading) return;
    entry.loading = true;
    entry.stale = false;
    this.ports.loadRoute(entry.device).then(
      (route) => {
        entry.loading = false;
        // An event that came meanwhile knows better.
        if (entry.stale) return this.load(entry);
        entry.route = route ?? null;
        entry.full = false;
        for (const delivery of entry.open) if (!delivery.inWindow) this.dispatch(delivery);
      },
      // Live state is away: the retry of the deliveries loads again.
      () => {
        entry.loading = false;
      },
    );
  }

  private onAck(device: string, bytes: Uint8Array): void {
    const ack = parseAck(bytes);
    const delivery = this.deliveries.get(ack.delivery);
    if (ack.relay !== this.incarnation || delivery === undefined || delivery.to.device !== device) return;
    if (ack.outcome === Outcome.STORED) this.settle(delivery, ReceiptStatus.DELIVERED);
    else if (ack.outcome === Outcome.CANNOT) this.settle(delivery, ReceiptStatus.CANNOT);
    else if (ack.outcome === Outcome.LATER) {
      this.leaveWindow(delivery);
      delivery.parked = true;
      this.fillWindow(delivery.to);
    }
  }

  private onNotHere(gateway: number, number: number): void {
    const delivery = this.deliveries.get(number);
    const route = delivery?.to.route;
    if (delivery === undefined || route?.gateway !== gateway) return;
    delivery.to.goneGateway = gateway;
    delivery.to.goneConnection = route.connection;
    this.routeChanged(delivery.to, undefined);
  }

  /** The device attached somewhere (or left): everything open for it goes out anew, in order. */
  deviceChanged(device: string, online: boolean): void {
    const entry = this.devices.get(device);
    if (entry !== undefined) this.routeChanged(entry, undefined);
    if (online) this.senderMoved(device);
  }

  private senderMoved(device: string): void {
    if (!this.senders.has(device)) return;
    this.ports.loadRoute(device).then(
      (route) => {
        for (const message of this.senders.get(device)?.values() ?? []) {
          if (route === undefined || route.gateway === 0) return;
          message.gateway = route.gateway;
          message.connection = route.connection;
        }
      },
      () => undefined,
    );
  }

  private routeChanged(entry: DeviceEntry, route: DeviceRoute | undefined): void {
    entry.route = route;
    entry.stale = entry.loading;
    for (const delivery of entry.open) this.leaveWindow(delivery);
    if (entry.open.size > 0) this.load(entry);
  }

  /** A gateway is gone: what was sent through it is not on its way any more. */
  gatewayGone(gateway: number): void {
    for (const entry of this.devices.values()) if (entry.route?.gateway === gateway) this.routeChanged(entry, undefined);
  }

  /** The bus or live state was away: nothing that was known of routes need be true, nothing sent need have arrived. */
  forgetRoutes(): void {
    for (const entry of this.devices.values()) this.routeChanged(entry, undefined);
  }

  private leaveWindow(delivery: Delivery): void {
    if (!delivery.inWindow) return;
    delivery.inWindow = false;
    delivery.to.unacknowledged--;
    delivery.to.unacknowledgedBytes -= delivery.message.payload.length;
  }

  private settle(delivery: Delivery, status: ReceiptStatus): void {
    if (delivery.settled) return;
    delivery.settled = true;
    const { message, to } = delivery;
    this.leaveWindow(delivery);
    this.deliveries.delete(delivery.number);
    to.open.delete(delivery);
    message.open.splice(message.open.indexOf(delivery), 1);
    if (delivery.timed) this.ports.removeTimers([this.timerOf(delivery)]);
    this.receipt(message, delivery.device, status);
    if (message.open.length === 0) this.forget(message);
    if (to.full) this.fillWindow(to);
  }

  private fillWindow(entry: DeviceEntry): void {
    entry.full = false;
    for (const delivery of entry.open) {
      if (entry.full) return;
      if (!delivery.inWindow && !delivery.parked) this.dispatch(delivery);
    }
  }

  private forget(message: InFlightMessage): void {
    this.budgets.release(message);
    // The queues keep the message until the next tick; its bytes go now.
    message.payload = NO_BYTES;
    const messages = this.senders.get(message.sender);
    messages?.delete(message.key);
    if (messages?.size === 0) this.senders.delete(message.sender);
    const second = message.deadline / 1_000;
    const due = this.deadlines.get(second);
    due?.delete(message);
    if (due?.size === 0) this.deadlines.delete(second);
  }

  private giveUp(message: InFlightMessage): void {
    for (const delivery of [...message.open]) this.settle(delivery, ReceiptStatus.UNDELIVERED);
  }

  private receipt(message: InFlightMessage, device: Uint8Array, status: ReceiptStatus): void {
    this.ports.output(message.gateway, message.connection, encodeReceipt(message.id, device, status));
  }

  private accept(message: InFlightMessage): void {
    message.accepted = true;
    this.ports.output(message.gateway, message.connection, encodeReceipt(message.id, NO_BYTES, ReceiptStatus.ACCEPTED, this.incarnation));
  }

  private refuse(gateway: number, connection: number, id: Uint8Array, code: ErrorCode, text: string): void {
    const error = { code, text, retryAfterMs: code === ErrorCode.BUSY ? 1_000 : 0 };
    const receipt = create(ReceiptSchema, { id: new Uint8Array(id), status: ReceiptStatus.REFUSED, error });
    this.ports.output(gateway, connection, wrapFrame(FrameKind.RECEIPT, toBinary(ReceiptSchema, receipt)));
  }

  /** Everything that waits for time. To be called about twenty times a second. */
  tick(): void {
    const now = this.ports.now();
    this.answerDue(now);
    this.holdDue(now);
    const second = Math.floor(now / 1_000);
    if (second === this.checkedSecond) return;
    for (let due = this.checkedSecond + 1; due <= second; due++) this.endOf(due);
    this.checkedSecond = second;
    this.retryDue(now);
  }

  private answerDue(now: number): void {
    this.toAnswer = this.toAnswer.filter((message) => {
      if (isSettled(message)) return false;
      if (message.arrivedAt + ACCEPTED_AFTER_MS > now) return true;
      if (!message.accepted) this.accept(message);
      this.toHold.push(message);
      return false;
    });
  }

  private holdDue(now: number): void {
    const timers: RetryTimer[] = [];
    const due: InFlightMessage[] = [];
    this.toHold = this.toHold.filter((message) => {
      if (isSettled(message)) return false;
      if (message.arrivedAt + HELD_AFTER_MS > now) return true;
      due.push(message);
      return false;
    });
    for (const message of due) this.hold(message, timers);
    if (timers.length > 0) this.ports.addTimers(timers);
  }

  private hold(message: InFlightMessage, timers: RetryTimer[]): void {
    // One that became due with it may have pushed it out.
    if (isSettled(message)) return;
    // Ends within a second anyway: ttl 0 is never held.
    if (message.deadline - this.ports.now() <= LEAST_WINDOW_MS) return;
    ownBytes(message);
    for (const delivery of message.open) {
      delivery.timed = true;
      timers.push(this.timerOf(delivery));
    }
    for (const old of this.budgets.hold(message)) this.giveUp(old);
  }

  private endOf(second: number): void {
    const due = this.deadlines.get(second);
    if (due === undefined) return;
    for (const message of [...due]) this.giveUp(message);
  }

  /** The safety net under events that were lost: open deliveries are tried again with growing waits. */
  private retryDue(now: number): void {
    for (const delivery of this.deliveries.values()) {
      if (delivery.sentAt + delivery.backoff > now) continue;
      delivery.backoff = Math.min(delivery.backoff * 2, LAST_RETRY_MS);
      if (delivery.sentAt === 0) delivery.sentAt = now;
      if (!delivery.inWindow) delivery.to.route = undefined;
      else if (delivery.to.route === undefined) this.leaveWindow(delivery);
      this.dispatch(delivery);
    }
  }

  private timerOf(delivery: Delivery): RetryTimer {
    const { message } = delivery;
    return { id: message.key, sender: message.sender, device: delivery.to.device, deadline: message.deadline, owner: this.incarnation };
  }
}

function isSettled(message: InFlightMessage): boolean {
  return message.open.length === 0;
}

/** Copies what so far are views into a whole batch: a held message holds its own bytes only. */
function ownBytes(message: InFlightMessage): void {
  message.id = new Uint8Array(message.id);
  message.payload = new Uint8Array(message.payload);
  for (const delivery of message.open) {
    delivery.device = new Uint8Array(delivery.device);
    delivery.token = new Uint8Array(delivery.token);
  }
}

/** The gateway said of this very connection that it is gone. */
function isGone(entry: DeviceEntry, route: DeviceRoute): boolean {
  return route.gateway === entry.goneGateway && route.connection === entry.goneConnection;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
