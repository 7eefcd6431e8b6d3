import { Outcome, ReceiptStatus } from '@sotto/protocol';
import type { Random } from '../random.js';
import type { Schedule } from '../schedule.js';
import { capabilityOf, isGenuine } from './delivery-token.js';
import type { AckFrame, FrameToDevice, ReceiptFrame, SendFrame } from './frames.js';
import type { Slots } from './slots.js';

const ACCEPTED_AFTER_MS = 100;
const LEAST_WINDOW_MS = 1_000;
/** Age from which the retry timers in live state know of a message: its deadline is reported though its relay is gone. */
const TIMED_AFTER_MS = 1_000;
const FIRST_RETRY_MS = 4_000;
const LAST_RETRY_MS = 60_000;
/** A relay's lease: so long it takes until its senders hear of its end. */
const LEASE_MS = 3_000;
const BUSY_RETRY_MS = 1_000;

export interface RelayOptions {
  readonly retryWindowMs: number;
  /** Unacknowledged deliveries of a device. */
  readonly deliveryWindow: number;
  /** Whether this Send is refused for want of room. */
  readonly busy: () => boolean;
  /** Whether the relay dies between the claim of a slot and the first delivery. */
  readonly diesAfterClaim: () => boolean;
  /** Whether anything passes from the one device to the other at present. */
  readonly reaches: (sender: string, device: string) => boolean;
}

export interface Registration {
  readonly deliveryKey: Uint8Array;
  readonly revoked: ReadonlySet<string>;
}

interface Message {
  readonly id: string;
  readonly sender: string;
  readonly payload: Uint8Array;
  readonly arrivedAt: number;
  readonly deadline: number;
  readonly open: Set<Delivery>;
}

interface Delivery {
  readonly handle: bigint;
  readonly message: Message;
  readonly device: string;
  readonly token: Uint8Array;
  /** Whether the token is the device's, revoked or not. Undefined: not asked yet. */
  genuine: boolean | undefined;
  backoff: number;
  /** To be set by #window alone. */
  inWindow: boolean;
  /** The device keeps it and can't read it yet: only a retry sends it again. */
  parked: boolean;
}

/**
 * The relay as docs/protocol.md describes it: takes Sends, delivers, retries, reports, and forgets. Nothing of a message outlives its
 * deadline, or the relay. `output` hands a frame to a device; it may not arrive.
 */
export class Relay {
  #incarnation = 1;
  #nextHandle = 1;
  readonly #registrations = new Map<string, Registration>();
  readonly #connected = new Set<string>();
  readonly #messages = new Map<string, Message>();
  readonly #deliveries = new Map<bigint, Delivery>();
  /** In order of arrival. */
  readonly #openFor = new Map<string, Set<Delivery>>();
  /** How many deliveries of a device are in its window. */
  readonly #unacknowledged = new Map<string, number>();

  constructor(
    private readonly schedule: Schedule,
    private readonly random: Random,
    private readonly slots: Slots,
    private readonly options: RelayOptions,
    private readonly output: (device: string, frame: FrameToDevice) => void,
  ) {}

  get incarnation(): number {
    return this.#incarnation;
  }

  attach(device: string, registration: Registration): void {
    this.#registrations.set(device, registration);
    this.#connected.add(device);
    this.#releaseWindow(device);
    this.#dispatchAll(device);
  }

  detach(device: string): void {
    this.#connected.delete(device);
    this.#releaseWindow(device);
  }

  /** All that it had in its memory is gone; another takes over, and senders are told. */
  crash(): void {
    const lost = this.#incarnation++;
    for (const message of this.#messages.values()) this.#leaveToTimers(message);
    this.#messages.clear();
    this.#deliveries.clear();
    this.#openFor.clear();
    this.#unacknowledged.clear();
    for (const device of this.#connected) {
      this.schedule.after(LEASE_MS + this.random.whole(0, 1_000), () => {
        if (this.#connected.has(device)) this.output(device, receiptOf('', ReceiptStatus.RELAY_LOST, { relay: lost }));
      });
    }
  }

  send(sender: string, send: SendFrame): void {
    const known = this.#messages.get(`${sender}/${send.id}`);
    if (known !== undefined) return this.#repeat(known, send);
    if (this.options.busy()) {
      return this.output(sender, receiptOf(send.id, ReceiptStatus.REFUSED, { retryAfterMs: BUSY_RETRY_MS }));
    }
    if (send.slot !== undefined && !this.#claim(sender, send, send.slot)) return;
    this.#take(sender, send);
  }

  ack(device: string, { handle, outcome }: AckFrame): void {
    const delivery = this.#deliveries.get(handle);
    if (delivery === undefined || delivery.device !== device) return;
    if (outcome === Outcome.STORED) return this.#settle(delivery, ReceiptStatus.DELIVERED);
    if (outcome === Outcome.CANNOT) return this.#settle(delivery, ReceiptStatus.CANNOT);
    this.#window(delivery, false);
    delivery.parked = true;
    this.#dispatchAll(device);
  }

  #claim(sender: string, { id }: SendFrame, { slot, commit }: NonNullable<SendFrame['slot']>): boolean {
    const holder = this.slots.claim(Buffer.from(slot).toString('hex'), commit, this.schedule.now);
    if (holder !== commit) this.output(sender, receiptOf(id, ReceiptStatus.SLOT_TAKEN, { commit: holder }));
    else if (this.options.diesAfterClaim()) this.crash();
    else return true;
    return false;
  }

  #take(sender: string, { id, payload, held, recipients }: SendFrame): void {
    const { now } = this.schedule;
    const window = held ? this.options.retryWindowMs : LEAST_WINDOW_MS;
    const deadline = Math.ceil((now + window) / 1_000) * 1_000;
    const message: Message = { id, sender, payload, arrivedAt: now, deadline, open: new Set() };
    this.#messages.set(`${sender}/${id}`, message);
    for (const { device, token } of recipients) this.#addDelivery(message, device, token);
    const incarnation = this.#incarnation;
    this.schedule.after(ACCEPTED_AFTER_MS, () => {
      if (this.#incarnation === incarnation && message.open.size > 0) this.#accept(message);
    });
    this.schedule.after(deadline - now, () => {
      if (this.#incarnation === incarnation) for (const delivery of [...message.open]) this.#settle(delivery, ReceiptStatus.UNDELIVERED);
    });
  }

  /** Who has it already gets it again: its sender did not hear of that. */
  #repeat(message: Message, { recipients }: SendFrame): void {
    const open = new Set([...message.open].map(({ device }) => device));
    for (const { device, token } of recipients) if (!open.has(device)) this.#addDelivery(message, device, token);
    this.#accept(message);
  }

  #addDelivery(message: Message, device: string, token: Uint8Array): void {
    const handle = (BigInt(this.#incarnation) << 32n) | BigInt(this.#nextHandle++);
    const delivery: Delivery = {
      handle,
      message,
      device,
      token,
      genuine: undefined,
      backoff: FIRST_RETRY_MS,
      inWindow: false,
      parked: false,
    };
    message.open.add(delivery);
    this.#deliveries.set(handle, delivery);
    const open = this.#openFor.get(device);
    if (open === undefined) this.#openFor.set(device, new Set([delivery]));
    else open.add(delivery);
    this.#dispatch(delivery);
    this.#retryLater(delivery);
  }

  #accept({ sender, id }: Message): void {
    this.output(sender, receiptOf(id, ReceiptStatus.ACCEPTED, { relay: this.#incarnation }));
  }

  /** Unknown, offline, revoked and wrong token are alike: it stays open until the deadline. */
  #dispatch(delivery: Delivery): void {
    const { device, handle, message } = delivery;
    const registration = this.#registrations.get(device);
    if (registration === undefined || !this.#connected.has(device)) return;
    if (!this.options.reaches(message.sender, device)) return;
    if (!delivery.inWindow && (this.#unacknowledged.get(device) ?? 0) >= this.options.deliveryWindow) return;
    if (!holds(delivery, registration)) return;
    this.#window(delivery, true);
    delivery.parked = false;
    this.output(device, { kind: 'deliver', handle, payload: message.payload });
  }

  #dispatchAll(device: string): void {
    for (const delivery of this.#openFor.get(device) ?? []) if (!delivery.inWindow && !delivery.parked) this.#dispatch(delivery);
  }

  #retryLater(delivery: Delivery): void {
    this.schedule.after(delivery.backoff, () => {
      if (!this.#deliveries.has(delivery.handle)) return;
      delivery.backoff = Math.min(2 * delivery.backoff, LAST_RETRY_MS);
      this.#dispatch(delivery);
      this.#retryLater(delivery);
    });
  }

  #settle(delivery: Delivery, status: ReceiptStatus): void {
    const { message, device, handle } = delivery;
    if (!this.#deliveries.delete(handle)) return;
    this.#window(delivery, false);
    message.open.delete(delivery);
    this.#openFor.get(device)?.delete(delivery);
    this.output(message.sender, receiptOf(message.id, status, { device }));
    if (message.open.size === 0) this.#messages.delete(`${message.sender}/${message.id}`);
    this.#dispatchAll(device);
  }

  /** Nothing is on its way to a device whose connection is new or gone. */
  #releaseWindow(device: string): void {
    for (const delivery of this.#openFor.get(device) ?? []) {
      this.#window(delivery, false);
      delivery.parked = false;
    }
  }

  #window(delivery: Delivery, isIn: boolean): void {
    const { device, inWindow } = delivery;
    this.#unacknowledged.set(device, (this.#unacknowledged.get(device) ?? 0) + Number(isIn) - Number(inWindow));
    delivery.inWindow = isIn;
  }

  #leaveToTimers({ id, sender, arrivedAt, deadline, open }: Message): void {
    const { now } = this.schedule;
    if (now - arrivedAt < TIMED_AFTER_MS) return;
    for (const { device } of open) {
      this.schedule.after(deadline - now, () => this.output(sender, receiptOf(id, ReceiptStatus.UNDELIVERED, { device })));
    }
  }
}

/** A device's delivery key is one for good: a token is compared with it once. */
function holds(delivery: Delivery, { deliveryKey, revoked }: Registration): boolean {
  delivery.genuine ??= isGenuine(delivery.token, deliveryKey);
  return delivery.genuine && !(revoked.size > 0 && revoked.has(capabilityOf(delivery.token)));
}

function receiptOf(id: string, status: ReceiptStatus, more: Partial<ReceiptFrame>): ReceiptFrame {
  const { device = '', relay = 0, retryAfterMs = 0, commit = '' } = more;
  return { kind: 'receipt', id, status, device, relay, retryAfterMs, commit };
}
