import { ReceiptStatus } from '@sotto/protocol';

/** Ids are lower-case hex, times Unix milliseconds. */
export type DeviceStatus = 'queued' | 'sent' | 'accepted' | 'waiting-for-online' | 'delivered' | 'cannot';
export type DeliveryStatus = 'queued' | 'accepted' | 'delivered' | 'undelivered' | 'waiting-for-online' | 'discarded';

export interface RecipientState {
  readonly token: Uint8Array;
  readonly status: DeviceStatus;
  readonly sentAt: number;
  /** Silence after which it is sent again. */
  readonly timeoutMs: number;
  /** Not sent again before this. */
  readonly notBefore: number;
  /** Incarnation of the relay that accepted it. */
  readonly relay: number;
}

export interface OutboxEntry {
  /** The content id; of a Welcome, an id of its own. */
  readonly id: string;
  readonly kind: 'welcome' | 'message';
  /** Account id of the contact. */
  readonly account: string;
  /** Rises with every entry: the order in which they are sent. */
  readonly order: number;
  readonly plaintext: Uint8Array;
  readonly createdAt: number;
  /** Absent until it is sealed for a group. From then on the same bytes go out under the same id. */
  readonly sealed?: Sealed | undefined;
  readonly recipients: Readonly<Record<string, RecipientState>>;
}

export interface Sealed {
  readonly sendId: string;
  readonly group: string;
  readonly payload: Uint8Array;
}

export interface OutboxState {
  readonly entries: ReadonlyMap<string, OutboxEntry>;
  readonly online: boolean;
  /** How long the relay holds a message for a device that is away. */
  readonly retryWindowMs: number;
}

export type OutboxEvent =
  | { readonly kind: 'added'; readonly entry: OutboxEntry }
  | { readonly kind: 'sealed'; readonly id: string; readonly sealed: Sealed; readonly tokens: Readonly<Record<string, Uint8Array>> }
  /** Its sealing is of a device that is no more. */
  | { readonly kind: 'unsealed'; readonly id: string }
  | { readonly kind: 'attached'; readonly retryWindowMs: number }
  | { readonly kind: 'detached' }
  | { readonly kind: 'contact-online'; readonly account: string }
  | {
      readonly kind: 'receipt';
      readonly sendId: string;
      readonly device: string;
      readonly status: ReceiptStatus;
      readonly relay: number;
      readonly retryAfterMs: number;
      /** Refused for good, whatever is tried. */
      readonly final: boolean;
      /** Since when the contact is known to be online; undefined while it is not. */
      readonly onlineSince: (account: string) => number | undefined;
    }
  | { readonly kind: 'discarded'; readonly id: string }
  | { readonly kind: 'ticked' };

export type OutboxEffect =
  | { readonly kind: 'save'; readonly entry: OutboxEntry }
  | { readonly kind: 'remove'; readonly id: string }
  | {
      readonly kind: 'send';
      readonly sendId: string;
      readonly payload: Uint8Array;
      readonly devices: readonly string[];
      readonly tokens: readonly Uint8Array[];
    }
  | { readonly kind: 'status'; readonly id: string; readonly status: DeliveryStatus }
  /** No device of the group can take it any more: a new group is due. */
  | { readonly kind: 'renew'; readonly account: string };

export const FIRST_TIMEOUT_MS = 10_000;
export const LAST_TIMEOUT_MS = 300_000;
/** Recipients on their way at a time: the relay's bound for held messages stays out of reach. */
const WINDOW = 128;

export function emptyOutbox(): OutboxState {
  return { entries: new Map(), online: false, retryWindowMs: 0 };
}

/** What the user is told: the best that can be said of any device. */
export function statusOf({ recipients }: OutboxEntry): DeliveryStatus {
  const all = Object.values(recipients).map(({ status }) => status);
  if (all.includes('delivered')) return 'delivered';
  if (all.includes('accepted')) return 'accepted';
  if (all.includes('waiting-for-online') && !all.includes('sent') && !all.includes('queued')) return 'waiting-for-online';
  return 'queued';
}

export function queuedRecipient(token: Uint8Array): RecipientState {
  return { token, status: 'queued', sentAt: 0, timeoutMs: FIRST_TIMEOUT_MS, notBefore: 0, relay: 0 };
}

/** After a restart nothing is known of what was on its way: it is sent again, and the receiver drops what it has. */
export function restored(entry: OutboxEntry): OutboxEntry {
  return mapRecipients(entry, (each) =>
    each.status === 'sent' || each.status === 'accepted' ? queuedRecipient(each.token) : { ...each, notBefore: 0 },
  );
}

/** One step of the outbox. Pure; the save effects are durable before the send effects go out. */
export function reduceOutbox(state: OutboxState, event: OutboxEvent, now: number): { state: OutboxState; effects: OutboxEffect[] } {
  const step = new Step(state, now);
  step.apply(event);
  step.pump();
  return { state: step.state, effects: step.effects };
}

function mapRecipients(entry: OutboxEntry, change: (each: RecipientState, device: string) => RecipientState): OutboxEntry {
  const recipients = Object.fromEntries(Object.entries(entry.recipients).map(([device, each]) => [device, change(each, device)]));
  return { ...entry, recipients };
}

class Step {
  readonly effects: OutboxEffect[] = [];
  readonly #entries: Map<string, OutboxEntry>;
  #online: boolean;
  #retryWindowMs: number;

  constructor(
    before: OutboxState,
    private readonly now: number,
  ) {
    this.#entries = new Map(before.entries);
    this.#online = before.online;
    this.#retryWindowMs = before.retryWindowMs;
  }

  get state(): OutboxState {
    return { entries: this.#entries, online: this.#online, retryWindowMs: this.#retryWindowMs };
  }

  apply(event: OutboxEvent): void {
    switch (event.kind) {
      case 'added':
        return this.#put(event.entry, true);
      case 'sealed':
        return this.#sealed(event);
      case 'unsealed':
        return this.#unsealed(event.id);
      case 'attached':
        this.#online = true;
        this.#retryWindowMs = event.retryWindowMs;
        return this.#requeue((each) => each.status === 'sent' || each.status === 'accepted');
      case 'detached':
        this.#online = false;
        return;
      case 'contact-online':
        return this.#requeue((each, entry) => entry.account === event.account && each.status === 'waiting-for-online');
      case 'receipt':
        return this.#receipt(event);
      case 'discarded':
        return this.#discard(event.id);
      case 'ticked':
        return this.#requeue((each) => this.#silentTooLong(each), 2);
    }
  }

  /** Sends what is due, in order, Welcomes before what needs them. */
  pump(): void {
    if (!this.#online) return;
    const unwelcomed = new Set<string>();
    let room = WINDOW - this.#onTheirWay();
    for (const entry of [...this.#entries.values()].sort((a, b) => a.order - b.order)) {
      const { sealed } = entry;
      if (sealed === undefined) continue;
      const open = Object.keys(entry.recipients).filter((device) => isOpen(entry.recipients[device]!));
      const free = entry.kind === 'welcome' ? open : open.filter((device) => !unwelcomed.has(`${sealed.group}/${device}`));
      const due = free.filter((device) => this.#isDue(entry.recipients[device]!));
      if (entry.kind === 'welcome') for (const device of open) unwelcomed.add(`${sealed.group}/${device}`);
      if (due.length === 0 || room < due.length) continue;
      room -= due.length;
      this.#send(entry, sealed, due);
    }
  }

  #isDue({ status, notBefore }: RecipientState): boolean {
    return status === 'queued' && notBefore <= this.now;
  }

  #onTheirWay(): number {
    let count = 0;
    for (const { recipients } of this.#entries.values()) {
      for (const { status } of Object.values(recipients)) if (status === 'sent') count++;
    }
    return count;
  }

  #send(entry: OutboxEntry, { sendId, payload }: Sealed, devices: string[]): void {
    const tokens = devices.map((device) => entry.recipients[device]!.token);
    this.#entries.set(
      entry.id,
      mapRecipients(entry, (each, device) => (devices.includes(device) ? { ...each, status: 'sent', sentAt: this.now } : each)),
    );
    this.effects.push({ kind: 'send', sendId, payload, devices, tokens });
  }

  #silentTooLong({ status, sentAt, timeoutMs }: RecipientState): boolean {
    if (status === 'sent') return this.now - sentAt >= timeoutMs;
    // The relay reports by its deadline; after that it has forgotten.
    return status === 'accepted' && this.now - sentAt >= timeoutMs + this.#retryWindowMs;
  }

  #requeue(which: (each: RecipientState, entry: OutboxEntry) => boolean, slower = 1): void {
    for (const entry of [...this.#entries.values()]) {
      if (!Object.values(entry.recipients).some((each) => which(each, entry))) continue;
      const again = (each: RecipientState): RecipientState => ({
        ...each,
        status: 'queued',
        notBefore: 0,
        timeoutMs: slower === 1 ? FIRST_TIMEOUT_MS : Math.min(each.timeoutMs * slower, LAST_TIMEOUT_MS),
      });
      this.#put(
        mapRecipients(entry, (each) => (which(each, entry) ? again(each) : each)),
        false,
      );
    }
  }

  #sealed({ id, sealed, tokens }: Extract<OutboxEvent, { kind: 'sealed' }>): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const recipients = Object.fromEntries(Object.entries(tokens).map(([device, token]) => [device, queuedRecipient(token)]));
    this.#put({ ...entry, sealed, recipients }, true);
  }

  #unsealed(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#put({ ...entry, sealed: undefined, recipients: {} }, true);
  }

  #discard(id: string): void {
    if (!this.#entries.delete(id)) return;
    this.effects.push({ kind: 'remove', id }, { kind: 'status', id, status: 'discarded' });
  }

  #receipt(event: Extract<OutboxEvent, { kind: 'receipt' }>): void {
    if (event.status === ReceiptStatus.RELAY_LOST) {
      return this.#requeue((each) => each.status === 'accepted' && each.relay === event.relay);
    }
    const entry = [...this.#entries.values()].find(({ sealed }) => sealed?.sendId === event.sendId);
    if (entry === undefined) return;
    if (event.status === ReceiptStatus.ACCEPTED) return this.#accepted(entry, event.relay);
    if (event.status === ReceiptStatus.REFUSED) return this.#refused(entry, event);
    if (event.status === ReceiptStatus.DELIVERED) return this.#delivered(entry, event.device);
    if (event.status === ReceiptStatus.CANNOT) return this.#cannot(entry, event.device);
    if (event.status === ReceiptStatus.UNDELIVERED) this.#undelivered(entry, event.device, event.onlineSince(entry.account));
  }

  #accepted(entry: OutboxEntry, relay: number): void {
    this.#put(
      mapRecipients(entry, (each) => (each.status === 'sent' ? { ...each, status: 'accepted', relay } : each)),
      false,
    );
  }

  #refused(entry: OutboxEntry, { retryAfterMs, final }: Extract<OutboxEvent, { kind: 'receipt' }>): void {
    if (final) return this.#discard(entry.id);
    const later = (each: RecipientState): RecipientState => {
      const wait = Math.max(retryAfterMs, each.timeoutMs / 10);
      return { ...each, status: 'queued', notBefore: this.now + wait, timeoutMs: Math.min(each.timeoutMs * 2, LAST_TIMEOUT_MS) };
    };
    this.#put(
      mapRecipients(entry, (each) => (each.status === 'sent' ? later(each) : each)),
      false,
    );
  }

  #delivered(entry: OutboxEntry, device: string): void {
    const after = mapRecipients(entry, (each, id) => (id === device ? { ...each, status: 'delivered' } : each));
    if (entry.recipients[device] === undefined) return;
    if (statusOf(entry) !== 'delivered' && entry.kind === 'message')
      this.effects.push({ kind: 'status', id: entry.id, status: 'delivered' });
    if (Object.values(after.recipients).some(isOpen)) return this.#put(after, true, true);
    this.#entries.delete(entry.id);
    this.effects.push({ kind: 'remove', id: entry.id });
  }

  #cannot(entry: OutboxEntry, device: string): void {
    if (entry.recipients[device] === undefined || !isOpen(entry.recipients[device])) return;
    const after = mapRecipients(entry, (each, id) => (id === device ? { ...each, status: 'cannot' } : each));
    if (statusOf(after) === 'delivered' && !Object.values(after.recipients).some(isOpen)) {
      this.#entries.delete(entry.id);
      this.effects.push({ kind: 'remove', id: entry.id });
    } else this.#put(after, true);
    this.effects.push({ kind: 'renew', account: entry.account });
  }

  #undelivered(entry: OutboxEntry, device: string, onlineSince: number | undefined): void {
    const recipient = entry.recipients[device];
    if (recipient === undefined || !isOpen(recipient) || recipient.status === 'queued') return;
    if (entry.kind === 'message') this.effects.push({ kind: 'status', id: entry.id, status: 'undelivered' });
    // Online again before the report came: the event that it waits for is over.
    const status = onlineSince === undefined ? 'waiting-for-online' : 'queued';
    const notBefore = onlineSince === undefined ? 0 : this.now + 1_000;
    this.#put(
      mapRecipients(entry, (each, id) => (id === device ? { ...each, status, notBefore } : each)),
      true,
    );
    // Its contact was there all the time and this device was not: it may be gone for good.
    if (onlineSince !== undefined && onlineSince < recipient.sentAt) this.effects.push({ kind: 'renew', account: entry.account });
  }

  #put(entry: OutboxEntry, durable: boolean, quiet = false): void {
    const before = this.#entries.get(entry.id);
    this.#entries.set(entry.id, entry);
    if (durable) this.effects.push({ kind: 'save', entry });
    const status = statusOf(entry);
    if (!quiet && entry.kind === 'message' && (before === undefined || statusOf(before) !== status)) {
      this.effects.push({ kind: 'status', id: entry.id, status });
    }
  }
}

function isOpen({ status }: RecipientState): boolean {
  return status !== 'delivered' && status !== 'cannot';
}
