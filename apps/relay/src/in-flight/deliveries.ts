import { Outcome, ReceiptStatus } from '@sotto/protocol';
import { encodeDeliver, parseAck } from '@sotto/protocol/frames';
import type { DeviceRoute } from '@sotto/platform/live-state';
import type { RelayConfig } from '../relay.config.js';
import { tokenHolds } from '../routing/delivery-token.js';
import { DeviceTable } from '../routing/device-table.js';
import { enterWindow, leaveWindow } from './delivery-window.js';
import { hex } from './hex.js';
import type { Delivery, DeviceEntry, InFlightMessage } from './message.js';
import type { RelayPorts } from './relay-ports.js';

const FIRST_RETRY_MS = 4_000;
const LAST_RETRY_MS = 60_000;

/** Messages on their way to devices: who is where, what goes out, what comes of it. */
export class Deliveries {
  private readonly devices = new DeviceTable();
  private readonly open = new Map<number, Delivery>();
  private nextNumber = 1;

  constructor(
    private readonly incarnation: number,
    private readonly config: Pick<RelayConfig, 'deliveryWindow'>,
    private readonly ports: Pick<RelayPorts, 'output' | 'loadRoute' | 'gatewayAlive' | 'now'>,
    private readonly onSettled: (delivery: Delivery, status: ReceiptStatus) => void,
  ) {}

  add(message: InFlightMessage, device: Uint8Array, token: Uint8Array): void {
    const number = this.nextNumber;
    this.nextNumber = number === 0xffffffff ? 1 : number + 1;
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
    this.open.set(number, delivery);
    to.open.add(delivery);
    message.open.push(delivery);
  }

  /** Sends the delivery out if its device is connected, has room and the token holds; else it stays open. */
  dispatch(delivery: Delivery): void {
    const { to } = delivery;
    if (to.route === undefined) return this.load(to);
    const holds = tokenHolds(delivery.token, to.route);
    const { route } = to;
    if (!holds || route === null || route.gateway === 0 || isGone(to, route) || !this.ports.gatewayAlive(route.gateway)) return;
    if (!enterWindow(delivery, this.config.deliveryWindow)) return;
    delivery.sentAt = this.ports.now();
    delivery.parked = false;
    this.ports.output(route.gateway, route.connection, encodeDeliver(this.incarnation, delivery.number, delivery.message.payload));
  }

  /** A serialised Ack of a device. Throws WireError. */
  acknowledged(device: string, bytes: Uint8Array): void {
    const ack = parseAck(bytes);
    const delivery = this.open.get(ack.delivery);
    if (ack.relay !== this.incarnation || delivery === undefined || delivery.to.device !== device) return;
    if (ack.outcome === Outcome.STORED) this.settle(delivery, ReceiptStatus.DELIVERED);
    else if (ack.outcome === Outcome.CANNOT) this.settle(delivery, ReceiptStatus.CANNOT);
    else if (ack.outcome === Outcome.LATER) {
      leaveWindow(delivery);
      delivery.parked = true;
      this.fillWindow(delivery.to);
    }
  }

  /** The gateway says that a delivery's connection was gone. */
  notHere(gateway: number, number: number): void {
    const delivery = this.open.get(number);
    const route = delivery?.to.route;
    if (delivery === undefined || route?.gateway !== gateway) return;
    delivery.to.goneGateway = gateway;
    delivery.to.goneConnection = route.connection;
    this.routeChanged(delivery.to);
  }

  /** The device attached somewhere (or left): everything open for it goes out anew, in order. */
  deviceChanged(device: string): void {
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

  /** The safety net under events that were lost: open deliveries are tried again with growing waits. */
  retry(now: number): void {
    for (const delivery of this.open.values()) {
      if (delivery.sentAt + delivery.backoff > now) continue;
      delivery.backoff = Math.min(delivery.backoff * 2, LAST_RETRY_MS);
      if (delivery.sentAt === 0) delivery.sentAt = now;
      delivery.parked = false;
      if (!delivery.inWindow) delivery.to.route = undefined;
      else if (delivery.to.route === undefined) leaveWindow(delivery);
      this.dispatch(delivery);
    }
  }

  giveUp(message: InFlightMessage): void {
    for (const delivery of [...message.open]) this.settle(delivery, ReceiptStatus.UNDELIVERED);
  }

  private settle(delivery: Delivery, status: ReceiptStatus): void {
    if (delivery.settled) return;
    delivery.settled = true;
    const { message, to } = delivery;
    leaveWindow(delivery);
    this.open.delete(delivery.number);
    to.open.delete(delivery);
    message.open.splice(message.open.indexOf(delivery), 1);
    this.onSettled(delivery, status);
    if (to.full) this.fillWindow(to);
  }

  private fillWindow(entry: DeviceEntry): void {
    entry.full = false;
    for (const delivery of entry.open) {
      if (entry.full) return;
      if (!delivery.inWindow && !delivery.parked) this.dispatch(delivery);
    }
  }

  private routeChanged(entry: DeviceEntry): void {
    entry.route = undefined;
    entry.stale = entry.loading;
    for (const delivery of entry.open) {
      leaveWindow(delivery);
      delivery.parked = false;
    }
    if (entry.open.size > 0) this.load(entry);
  }

  private load(entry: DeviceEntry): void {
    if (entry.loading) return;
    entry.loading = true;
    entry.stale = false;
    this.ports.loadRoute(entry.device).then(
      (route) => this.loaded(entry, route),
      // Live state is away: the retry of the deliveries loads again.
      () => {
        entry.loading = false;
      },
    );
  }

  private loaded(entry: DeviceEntry, route: DeviceRoute | undefined): void {
    entry.loading = false;
    // An event that came meanwhile knows better.
    if (entry.stale) return this.load(entry);
    entry.route = route ?? null;
    this.fillWindow(entry);
  }
}

/** The gateway said of this very connection that it is gone. */
function isGone(entry: DeviceEntry, route: DeviceRoute): boolean {
  return route.gateway === entry.goneGateway && route.connection === entry.goneConnection;
}
