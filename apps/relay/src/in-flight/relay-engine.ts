import { LIMITS, type ReceiptStatus } from '@sotto/protocol';
import { forEachRelayInput, type ParsedRelayInput, type ParsedSend } from '@sotto/protocol/frames';
import type { RelayConfig } from '../relay.config.js';
import { Admission } from './admission.js';
import { Budgets } from './budgets.js';
import { Deliveries } from './deliveries.js';
import { Hold } from './hold.js';
import { type Delivery, type InFlightMessage, isSettled } from './message.js';
import { keyOf } from './id-key.js';
import { MessageTable } from './message-table.js';
import { Receipts } from './receipts.js';
import { RecipientRate } from './recipient-rate.js';
import type { RelayPorts } from './relay-ports.js';
import { Schedule } from './schedule.js';
import { SlotClaims } from './slot-claims.js';

const NO_BYTES: Uint8Array = new Uint8Array(0);

/**
 * Routing, retry and receipts of the messages that this relay has accepted. Holds them in memory and nowhere else. All steps are
 * synchronous but the loading of a route and the claim of a commit slot; the path of a message to a connected device, known here, allocates no
 * promise and no timer, but for one look a minute, beside it, whether what is known still holds.
 */
export class RelayEngine {
  private readonly messages = new MessageTable();
  private readonly budgets: Budgets;
  private readonly receipts: Receipts;
  private readonly deliveries: Deliveries;
  private readonly hold: Hold;
  private readonly schedule: Schedule;
  private readonly recipientRate: RecipientRate;
  private readonly admission: Admission;
  private readonly claims: SlotClaims;

  constructor(
    incarnation: number,
    config: RelayConfig,
    private readonly ports: RelayPorts,
  ) {
    const giveUp = (message: InFlightMessage) => this.deliveries.giveUp(message);
    this.budgets = new Budgets(config);
    this.receipts = new Receipts(incarnation, ports);
    this.deliveries = new Deliveries(incarnation, config, ports, (delivery, status) => this.settled(delivery, status));
    this.hold = new Hold(incarnation, this.budgets, ports, giveUp);
    this.schedule = new Schedule(config.retryWindowMs, ports.now(), {
      accept: (message) => this.receipts.accepted(message),
      hold: (messages) => this.hold.takeIn(messages),
      everySecond: (now) => this.everySecond(now),
    });
    this.recipientRate = new RecipientRate(config, ports);
    this.admission = new Admission(this.messages, this.budgets, this.recipientRate, this.receipts, {
      admitted: (message, send) => this.admitted(message, send),
      repeated: (message, send) => this.repeated(message, send),
    });
    this.claims = new SlotClaims(ports, this.receipts, {
      won: (message, send) => this.wonSlot(message, send),
      lost: (message) => this.forget(message),
    });
  }

  /** Messages without an outcome for all their recipients. */
  get inFlight(): number {
    return this.messages.size;
  }

  /** A RelayBatch of a gateway. Throws WireError when it is none. */
  onBatch(batch: Uint8Array): void {
    forEachRelayInput(batch, this.onInput);
  }

  /** The device attached somewhere, or left. */
  deviceChanged(device: Uint8Array, online: boolean): void {
    this.deliveries.deviceChanged(device);
    if (online) this.senderMoved(device);
  }

  gatewayGone(gateway: number): void {
    this.deliveries.gatewayGone(gateway);
  }

  /** The bus or live state was away. */
  forgetRoutes(): void {
    this.deliveries.forgetRoutes();
  }

  /** To be called about twenty times a second. */
  tick(): void {
    this.schedule.tick(this.ports.now());
    this.hold.flush();
  }

  private readonly onInput = (gateway: number, input: ParsedRelayInput): void => {
    if (input.send !== undefined) this.admission.onSend(gateway, input, input.send);
    else if (input.ack !== undefined) this.deliveries.acknowledged(input.device, input.ack);
    else if (input.notHere !== undefined) this.deliveries.notHere({ gateway, connection: input.connection }, input.notHere);
  };

  private admitted(message: InFlightMessage, send: ParsedSend): void {
    if (send.slot.length === 0) this.takeOver(message, send);
    else this.claims.begin(message, send);
  }

  /** Whoever has settled it gets it again: the receipt was lost, or the sender would not ask. Without room for that it asks once more. */
  private repeated(message: InFlightMessage, send: ParsedSend): void {
    // Its open deliveries are all looked at, however few recipients it names.
    const looks = Math.max(send.recipients, message.open.length);
    if (looks > 1 && this.recipientRate.take(message.account, looks) > 0) return;
    const places = this.deliveries.renew(message, send).slice(0, LIMITS.recipientsPerSend - message.open.length);
    if (places.length === 0) return;
    if (this.budgets.admitAlso(message, places.length)) this.deliveries.startAlso(message, send, places);
  }

  private wonSlot(message: InFlightMessage, send: ParsedSend): void {
    this.receipts.accepted(message);
    this.takeOver(message, send);
  }

  private takeOver(message: InFlightMessage, send: ParsedSend): void {
    this.schedule.start(message, send.ttl, this.ports.now());
    this.deliveries.start(message, send);
  }

  private settled(delivery: Delivery, status: ReceiptStatus): void {
    const { message } = delivery;
    this.hold.letGo(delivery);
    this.receipts.outcome(delivery, status);
    if (isSettled(message)) this.forget(message);
    else this.budgets.settledOne(message);
  }

  private forget(message: InFlightMessage): void {
    this.budgets.release(message);
    // The schedule keeps the message until the next tick; its bytes go now.
    message.payload = NO_BYTES;
    this.messages.delete(message);
  }

  private everySecond(now: number): void {
    this.deliveries.everySecond(now);
    this.messages.sweep();
    this.budgets.sweep();
  }

  private senderMoved(device: Uint8Array): void {
    const sender = keyOf(device);
    if (!this.messages.hasSender(sender)) return;
    this.ports.loadRoute(device).then(
      (route) => {
        if (route === undefined || route.gateway === 0) return;
        for (const message of this.messages.ofSender(sender)) {
          message.gateway = route.gateway;
          message.connection = route.connection;
        }
      },
      () => undefined,
    );
  }
}
