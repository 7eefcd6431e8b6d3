import { Outcome, ReceiptStatus, TOKEN_BYTES } from '@sotto/protocol';
import { parseAck, type ParsedSend } from '@sotto/protocol/frames';
import type { DeviceRoute } from '@sotto/platform/live-state';
import type { RelayConfig } from '../relay.config.js';
import { DeliveryRights } from '../routing/delivery-token.js';
import { DeviceTable } from '../routing/device-table.js';
import { enterWindow, leaveWindow } from './delivery-window.js';
import { append, isGone, remove } from './device-entry.js';
import { FanOut } from './fan-out.js';
import { Gathering } from './gathering.js';
import { keyOf } from './id-key.js';
import type { Delivery, DeviceEntry, Endpoint, InFlightMessage } from './message.js';
import { Numbered } from './numbered.js';
import type { RelayPorts } from './relay-ports.js';

const FIRST_RETRY_SECONDS = 4;
const LAST_RETRY_SECONDS = 60;
/** Age at which what is known of a device is read again, beside the delivery that uses it: what told of a change may have been lost. */
const READ_AGAIN_SECONDS = 60;

/** Messages on their way to devices: who is where, what goes out, what comes of it. */
export class Deliveries {
  private readonly devices = new DeviceTable();
  private readonly open = new Numbered<Delivery>();
  /** While many may go out one by one. */
  private gathering: Gathering | undefined;
  /** That of the last look at what is due: by it routes grow old. */
  private second: number;

  constructor(
    private readonly incarnation: number,
    private readonly config: Pick<RelayConfig, 'deliveryWindow'>,
    private readonly ports: Pick<RelayPorts, 'deliver' | 'loadRoute' | 'gatewayAlive' | 'now'>,
    private readonly onSettled: (delivery: Delivery, status: ReceiptStatus) => void,
  ) {
    this.second = Math.floor(ports.now() / 1_000);
  }

  /** Opens a delivery to each recipient and sends out those that can go. */
  start(message: InFlightMessage, { devices, recipients }: Pick<ParsedSend, 'devices' | 'recipients'>): void {
    const retryAt = Math.ceil(this.ports.now() / 1_000) + FIRST_RETRY_SECONDS;
    for (let place = 0; place < recipients; place++) this.add(message, this.devices.getOrAdd(devices, place), place, retryAt);
    if (recipients === 1) return this.dispatch(message.open[0]!);
    const fanOut = new FanOut();
    for (const delivery of message.open) {
      const route = this.goesTo(delivery);
      if (route === undefined) continue;
      if (this.gathering !== undefined) this.gathering.add(delivery, route);
      else fanOut.add(route.gateway, route.connection, delivery.number);
    }
    fanOut.sendTo(this.ports, message.payload);
  }

  /**
   * Takes from a repeated Send the tokens of recipients whose deliveries are open. Returns the places of the others: they have settled it,
   * and the sender did not hear of it.
   */
  renew(message: InFlightMessage, { devices, tokens, recipients }: Pick<ParsedSend, 'devices' | 'tokens' | 'recipients'>): number[] {
    const open = new Map(message.open.map((delivery) => [keyOf(delivery.to.id), delivery]));
    const others: number[] = [];
    for (let place = 0; place < recipients; place++) {
      const delivery = open.get(keyOf(devices, place));
      if (delivery === undefined) others.push(place);
      else this.renewToken(delivery, tokenAt(tokens, place));
    }
    return others;
  }

  /** Opens deliveries of a message that is in flight to the recipients at these places as well. */
  startAlso(message: InFlightMessage, send: Pick<ParsedSend, 'devices' | 'tokens'>, places: readonly number[]): void {
    const retryAt = Math.ceil(this.ports.now() / 1_000) + FIRST_RETRY_SECONDS;
    const before = message.open.length;
    message.tokens = tokensOfOpen(message, send.tokens, places);
    for (const [i, place] of places.entries()) this.add(message, this.devices.getOrAdd(send.devices, place), before + i, retryAt);
    this.gather();
    for (const delivery of message.open.slice(before)) this.dispatch(delivery);
  }

  /** A serialised Ack of a device. Throws WireError. */
  acknowledged(device: Uint8Array, bytes: Uint8Array): void {
    const ack = parseAck(bytes);
    const delivery = this.open.get(ack.delivery);
    if (ack.relay !== this.incarnation || delivery === undefined || !sameId(delivery.to.id, device)) return;
    if (ack.outcome === Outcome.STORED) this.settle(delivery, ReceiptStatus.DELIVERED);
    else if (ack.outcome === Outcome.CANNOT) this.settle(delivery, ReceiptStatus.CANNOT);
    else if (ack.outcome === Outcome.LATER) {
      leaveWindow(delivery);
      delivery.parked = true;
      if (delivery.to.full) this.fillWindow(delivery.to);
    }
  }

  /** The gateway says that the connection to which it was to pass a delivery is gone. The device may have another there by now. */
  notHere({ gateway, connection }: Endpoint, number: number): void {
    const entry = this.open.get(number)?.to;
    if (entry?.route?.gateway !== gateway || entry.route.connection !== connection) return;
    entry.goneGateway = gateway;
    entry.goneConnection = connection;
    this.routeChanged(entry);
  }

  /** The device attached somewhere (or left): everything open for it goes out anew, in order. */
  deviceChanged(device: Uint8Array): void {
    const entry = this.devices.get(device);
    if (entry !== undefined) this.routeChanged(entry);
  }

  /** A gateway is gone: what was sent through it is not on its way any more. */
  gatewayGone(gateway: number): void {
    for (const entry of this.devices.values()) if (entry.route?.gateway === gateway) this.routeChanged(entry);
  }

  /** Nothing that was known of routes need be true, nothing sent need have arrived. */
  forgetRoutes(): void {
    for (const entry of this.devices.values()) this.routeChanged(entry);
  }

  /** Ends what is over, and tries again what is due. To be called once a second. */
  everySecond(now: number): void {
    const second = Math.floor(now / 1_000);
    this.second = second;
    this.gather();
    this.open.forEach((delivery) => {
      if (delivery.message.deadline <= now) this.settle(delivery, ReceiptStatus.UNDELIVERED);
      else if (delivery.retryAt <= second) this.retry(delivery, second);
    });
  }

  giveUp(message: InFlightMessage): void {
    while (message.open.length > 0) this.settle(message.open.at(-1)!, ReceiptStatus.UNDELIVERED);
  }

  /** The safety net under events that were lost: with growing waits. */
  private retry(delivery: Delivery, second: number): void {
    delivery.backoff = Math.min(delivery.backoff * 2, LAST_RETRY_SECONDS);
    delivery.retryAt = second + delivery.backoff;
    delivery.parked = false;
    if (mayBeElsewhere(delivery)) this.load(delivery.to);
    this.dispatch(delivery);
  }

  private add(message: InFlightMessage, to: DeviceEntry, place: number, retryAt: number): void {
    const delivery: Delivery = {
      number: 0,
      message,
      to,
      place,
      index: message.open.length,
      previous: undefined,
      next: undefined,
      retryAt,
      backoff: FIRST_RETRY_SECONDS,
      allowed: false,
      allowedBy: undefined,
      inWindow: false,
      parked: false,
      timed: false,
    };
    this.open.add(delivery);
    append(to, delivery);
    message.open.push(delivery);
  }

  /** The one before may have been withdrawn. What it kept back goes out behind the others. */
  private renewToken(delivery: Delivery, token: Uint8Array): void {
    delivery.message.tokens.set(token, delivery.place * TOKEN_BYTES);
    const wasBarred = isBarred(delivery);
    delivery.allowedBy = undefined;
    if (!wasBarred) return;
    remove(delivery.to, delivery);
    append(delivery.to, delivery);
    this.dispatch(delivery);
  }

  private dispatch(delivery: Delivery): void {
    const route = this.goesTo(delivery);
    if (route === undefined) return;
    if (this.gathering !== undefined) this.gathering.add(delivery, route);
    else this.ports.deliver(route.gateway, delivery.message.payload, [route.connection, delivery.number]);
  }

  /** Until what runs now, and what was to run when it ended, has run: routes that were asked for together come together. */
  private gather(): void {
    if (this.gathering !== undefined) return;
    const gathering = new Gathering();
    this.gathering = gathering;
    queueMicrotask(() => {
      this.gathering = undefined;
      gathering.sendTo(this.ports);
    });
  }

  /** Where the delivery goes out to now, and counts as sent: its device is connected, has room and the token holds. Else it stays open. */
  private goesTo(delivery: Delivery): Endpoint | undefined {
    const { to } = delivery;
    const { route } = to;
    if (route === undefined) {
      this.load(to);
      return undefined;
    }
    if (this.second >= to.readAgainAt) this.load(to);
    if (!isAllowed(delivery) || route === null || isGone(to, route) || !this.ports.gatewayAlive(route.gateway)) return undefined;
    if (!enterWindow(delivery, this.config.deliveryWindow)) return undefined;
    delivery.parked = false;
    return route;
  }

  private settle(delivery: Delivery, status: ReceiptStatus): void {
    const { message, to } = delivery;
    // What told of its coming may have been lost: the next message looks again.
    if (status === ReceiptStatus.UNDELIVERED && mayBeElsewhere(delivery)) to.readAgainAt = 0;
    leaveWindow(delivery);
    this.open.delete(delivery);
    remove(to, delivery);
    const last = message.open.pop()!;
    if (last !== delivery) {
      message.open[delivery.index] = last;
      last.index = delivery.index;
    }
    this.onSettled(delivery, status);
    if (to.full) this.fillWindow(to);
  }

  /** Sends what waited for room, from the first that did: what has gone out before it, or may not, is not looked at again. */
  private fillWindow(entry: DeviceEntry): void {
    const second = Math.ceil(this.ports.now() / 1_000);
    let delivery = entry.waiting;
    entry.full = false;
    entry.waiting = undefined;
    for (; delivery !== undefined && !entry.full; delivery = delivery.next) {
      if (delivery.inWindow || delivery.parked || isBarred(delivery)) continue;
      delivery.retryAt = second + delivery.backoff;
      this.dispatch(delivery);
    }
  }

  private routeChanged(entry: DeviceEntry): void {
    entry.route = undefined;
    entry.stale = entry.loading;
    takeBack(entry);
    if (entry.first !== undefined) this.load(entry);
  }

  /** Reads where the device is and who may send to it. What is known of that stays in use until the answer is there. */
  private load(entry: DeviceEntry): void {
    if (entry.loading) return;
    entry.loading = true;
    entry.stale = false;
    this.ports.loadRoute(entry.id).then(
      (route) => this.loaded(entry, route),
      // Live state is away: a delivery that uses what is known loads again after a while, and the retry of those that can't go out.
      () => {
        entry.loading = false;
        entry.readAgainAt = this.second + FIRST_RETRY_SECONDS;
      },
    );
  }

  private loaded(entry: DeviceEntry, route: DeviceRoute | undefined): void {
    entry.loading = false;
    // An event that came meanwhile knows better.
    if (entry.stale) return this.load(entry);
    entry.readAgainAt = this.second + READ_AGAIN_SECONDS;
    const rights = DeliveryRights.of(route, entry.rights);
    const endpoint = route === undefined || route.gateway === 0 ? null : { gateway: route.gateway, connection: route.connection };
    if (rights !== entry.rights || !isSame(endpoint, entry.route)) takeBack(entry);
    entry.rights = rights;
    entry.route = endpoint;
    entry.waiting = entry.first;
    if (entry.first !== undefined) this.gather();
    this.fillWindow(entry);
  }
}

/** Checked once for each terms of its device: who and wherever that is. */
function isAllowed(delivery: Delivery): boolean {
  const { rights } = delivery.to;
  if (delivery.allowedBy === rights) return delivery.allowed;
  delivery.allowedBy = rights;
  return (delivery.allowed = rights!.allow(delivery.message.tokens, delivery.place));
}

/** Its device's terms are known not to allow it. */
function isBarred({ allowed, allowedBy, to }: Delivery): boolean {
  return allowedBy !== undefined && allowedBy === to.rights && !allowed;
}

/**
 * It did not go out, maybe because what told of its device's coming was lost. One that only its token keeps back says nothing of where the
 * device is: a stranger is not to make the relay read.
 */
function mayBeElsewhere(delivery: Delivery): boolean {
  return !delivery.inWindow && (delivery.to.route === null || !isBarred(delivery));
}

/** What was sent need not have arrived, and what the device kept for later may go to it anew. */
function takeBack(entry: DeviceEntry): void {
  for (let delivery = entry.first; delivery !== undefined; delivery = delivery.next) {
    leaveWindow(delivery);
    delivery.parked = false;
  }
}

function isSame(one: Endpoint | null, other: Endpoint | null | undefined): boolean {
  return one?.gateway === other?.gateway && one?.connection === other?.connection;
}

/** The tokens of the open deliveries, which move to the places of these, and behind them those at `places` of `more`: it never grows beyond what is open. */
function tokensOfOpen(message: InFlightMessage, more: Uint8Array, places: readonly number[]): Uint8Array {
  const tokens = new Uint8Array((message.open.length + places.length) * TOKEN_BYTES);
  for (const [i, delivery] of message.open.entries()) {
    tokens.set(tokenAt(message.tokens, delivery.place), i * TOKEN_BYTES);
    delivery.place = i;
  }
  for (const [i, place] of places.entries()) tokens.set(tokenAt(more, place), (message.open.length + i) * TOKEN_BYTES);
  return tokens;
}

function tokenAt(tokens: Uint8Array, place: number): Uint8Array {
  return tokens.subarray(place * TOKEN_BYTES, (place + 1) * TOKEN_BYTES);
}

function sameId(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  for (let i = 0; i < one.length; i++) difference |= one[i]! ^ other[i]!;
  return difference === 0;
}
