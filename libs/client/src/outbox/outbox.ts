import type { LeafId } from '@sotto/mls';
import { fromHex, ReceiptStatus } from '@sotto/protocol';
import type { Dispatch } from '../groups/group-ports.js';
import type { IncomingReceipt, OutgoingSend } from '../messaging/messenger-ports.js';
import type { Journal } from '../storage/journal.js';
import {
  type EntryRecord,
  FIRST_TIMEOUT_MS,
  idsIn,
  isSettled,
  LAST_TIMEOUT_MS,
  packRecipients,
  unpackRecipients,
  type OutboxEntry,
  queued,
  type RecipientState,
  type SettledRecord,
} from './outbox-entry.js';

/** What a receipt or the passing of time means to those who gave things to the outbox. */
export type OutboxEffect =
  /** The slot is this commit's, and the relay has it. */
  | { readonly kind: 'won'; readonly entry: OutboxEntry }
  | { readonly kind: 'taken'; readonly entry: OutboxEntry; readonly by: string }
  | { readonly kind: 'delivered'; readonly entry: OutboxEntry; readonly to: RecipientState }
  /** The device can't read it and never will. */
  | { readonly kind: 'cannot'; readonly entry: OutboxEntry; readonly to: RecipientState }
  | { readonly kind: 'undelivered'; readonly entry: OutboxEntry; readonly to: RecipientState }
  | { readonly kind: 'refused'; readonly entry: OutboxEntry }
  /** Its standing with some recipient changed. */
  | { readonly kind: 'moved'; readonly entry: OutboxEntry };

/** What groups know of recipients now. */
export interface Reach {
  /** By which a device is reached: what did not arrive may have gone by a token that was withdrawn. */
  token(group: string, device: string): Uint8Array | undefined;
  /** Nothing goes there to this account. It stays owed what it is owed. */
  isClosed(group: string, account: string): boolean;
}

const AS_BEFORE: Reach = { token: () => undefined, isClosed: () => false };

/** Recipients on their way at a time: the relay's bound for held messages stays out of reach. */
const WINDOW = 128;
/** After this, whoever has not got it is owed it no more. */
const OWED_MS = 14 * 86_400_000;
const TAKEN_RETRY_MS = 30_000;
/** First wait after an undelivered message, for a device whose presence nobody tells; then doubled. */
const UNSEEN_RETRY_MS = 60_000;
const LAST_UNSEEN_RETRY_MS = 1_800_000;
const PRESENT_RETRY_MS = 1_000;
/** For what is behind an older one that is tried again sooner, and whose delivery brings it, too. */
const BEHIND_RETRY_MS = 3_600_000;

/** Owes each recipient each entry until it is settled: sends, waits, sends again. No I/O and no clock of its own. */
export class Outbox {
  readonly #entries = new Map<string, OutboxEntry>();
  /** Entries with something to send. */
  readonly #queued = new Set<string>();
  /** Entries by group. */
  readonly #welcomes = new Map<string, Set<string>>();
  readonly #added = new Set<string>();
  readonly #settled = new Set<string>();
  readonly #gone = new Set<string>();
  /** Where one was withdrawn, since the last tick: what was behind it is not any more. */
  readonly #freed: { readonly group: string; readonly device: string }[] = [];
  #order = 0;
  #onTheirWay = 0;
  /** Recipients of whom a sign of life is awaited. */
  #waiting = 0;
  #online = false;
  #retryWindowMs = 0;

  static load(entries: ReadonlyMap<string, EntryRecord>, settled: ReadonlyMap<string, SettledRecord>): Outbox {
    const outbox = new Outbox();
    for (const [id, { recipients, ...entry }] of entries) {
      const { devices, won } = settled.get(id) ?? { devices: new Uint8Array(), won: false };
      const done = new Set(idsIn(devices));
      const states = unpackRecipients(recipients).map((each): RecipientState => ({
        ...queued(each),
        status: done.has(each.device) ? 'delivered' : 'queued',
      }));
      const open = new Set(states.filter((each) => !isSettled(each)));
      outbox.#entries.set(id, { ...entry, won, open, recipients: new Map(states.map((each) => [each.device, each])) });
      outbox.#queued.add(id);
      outbox.#noteWelcome(outbox.#entries.get(id)!);
      outbox.#order = Math.max(outbox.#order, entry.order);
    }
    return outbox;
  }

  /** The server's retry window: how long it holds a message for a device that is away. */
  set retryWindowMs(value: number) {
    this.#retryWindowMs = value;
  }

  get(id: string): OutboxEntry | undefined {
    return this.#entries.get(id);
  }

  entries(): Iterable<OutboxEntry> {
    return this.#entries.values();
  }

  add(id: string, dispatch: Dispatch, now: number): OutboxEntry {
    const { recipients, ...rest } = dispatch;
    const states = new Map(recipients.map((each) => [each.device, queued(each)]));
    const open = new Set(states.values());
    const entry: OutboxEntry = { ...rest, id, order: ++this.#order, createdAt: now, recipients: states, open, won: false };
    this.#entries.set(id, entry);
    this.#queued.add(id);
    this.#noteWelcome(entry);
    this.#added.add(id);
    return entry;
  }

  #noteWelcome({ kind, group, id }: OutboxEntry): void {
    if (kind !== 'welcome') return;
    const known = this.#welcomes.get(group);
    if (known === undefined) this.#welcomes.set(group, new Set([id]));
    else known.add(id);
  }

  withdraw(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const owed = [...entry.open];
    for (const each of owed) this.#set(each, 'cannot');
    entry.open.clear();
    this.#entries.delete(id);
    this.#queued.delete(id);
    if (!this.#added.delete(id)) this.#gone.add(id);
    for (const { device } of owed) this.#freed.push({ group: entry.group, device });
  }

  /**
   * Nobody has this leaf of the group, as it seems: it is owed nothing but the commits, which would tell it so if somebody had. (A last
   * resort's leaf may stand in several groups.) Returns the entries that change by it.
   */
  release(group: string, leaf: LeafId): OutboxEntry[] {
    return [...this.#entries.values()].filter((entry) => {
      if (entry.kind === 'commit' || entry.group !== group) return false;
      const theirs = [...entry.open].filter((each) => each.leaf === leaf);
      return theirs.flatMap(({ device }) => this.#settle(entry, device, 'cannot')).length > 0;
    });
  }

  /** The device has it by another entry. */
  excuse(id: string, device: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined && this.#close(entry, device, 'cannot') !== undefined) this.#freed.push({ group: entry.group, device });
  }

  /** Sends it again now to whoever is waited for. */
  resend(id: string): void {
    const entry = this.#entries.get(id);
    for (const each of entry?.open ?? [])
      if (each.status === 'waiting-for-online' || each.status === 'queued') this.#again(entry!, each, FIRST_TIMEOUT_MS);
  }

  // --- events

  online(): void {
    this.#online = true;
    this.#requeue(({ status }) => status === 'sent' || status === 'accepted');
  }

  offline(): void {
    this.#online = false;
  }

  /** A sign of life of a device, or of an account. */
  sighted(id: string): void {
    if (this.#waiting === 0) return;
    this.#requeue(({ device, account, status }) => (device === id || account === id) && status === 'waiting-for-online');
  }

  receipt(receipt: IncomingReceipt, isOnline: (account: string) => boolean | undefined, now: number): OutboxEffect[] {
    if (receipt.status === ReceiptStatus.RELAY_LOST) {
      // What nobody has accepted yet may have gone to it too; another relay knows the repeated by its id.
      this.#requeue(({ status, relay }) => status === 'sent' || (status === 'accepted' && relay === receipt.relay));
      return [];
    }
    const entry = this.#entries.get(receipt.id);
    if (entry === undefined) return [];
    switch (receipt.status) {
      case ReceiptStatus.ACCEPTED:
        return [...this.#won(entry), ...this.#accepted(entry, receipt.relay)];
      case ReceiptStatus.DELIVERED:
        return [...this.#won(entry), ...this.#settle(entry, receipt.device, 'delivered')];
      case ReceiptStatus.CANNOT:
        return [...this.#won(entry), ...this.#settle(entry, receipt.device, 'cannot')];
      case ReceiptStatus.UNDELIVERED:
        return [...this.#won(entry), ...this.#undelivered(entry, receipt.device, isOnline, now)];
      case ReceiptStatus.SLOT_TAKEN:
        for (const each of entry.open) this.#later(each, TAKEN_RETRY_MS, now);
        this.#queued.add(entry.id);
        return [{ kind: 'taken', entry, by: receipt.commit }];
      case ReceiptStatus.REFUSED:
        return this.#refused(entry, receipt, now);
      default:
        return [];
    }
  }

  tick(now: number): OutboxEffect[] {
    const effects: OutboxEffect[] = [];
    for (const { group, device } of this.#freed.splice(0))
      for (const [, to] of this.#waitingFor(group, device)) to.notBefore = Math.min(to.notBefore, now + UNSEEN_RETRY_MS);
    for (const entry of this.#entries.values()) {
      if (now - entry.createdAt > OWED_MS) {
        this.withdraw(entry.id);
        effects.push({ kind: 'refused', entry });
        continue;
      }
      for (const each of entry.open) {
        if (this.#silentTooLong(each, now)) this.#again(entry, each, Math.min(each.timeoutMs * 2, LAST_TIMEOUT_MS));
        else if (each.status === 'waiting-for-online' && each.notBefore <= now) this.#again(entry, each, each.timeoutMs);
      }
    }
    return effects;
  }

  // --- sending

  /** What is due now, in order; a device gets no message of a group before its Welcome. A commit waits for nobody: it claims its epoch. */
  due(now: number, reach = AS_BEFORE): OutgoingSend[] {
    if (!this.#online || this.#queued.size === 0 || this.#onTheirWay >= WINDOW) return [];
    const sends: OutgoingSend[] = [];
    for (const entry of this.#ready(now)) {
      if (this.#onTheirWay >= WINDOW) break;
      const open = [...entry.open].filter(({ status }) => status === 'queued');
      const due = open.filter((to) => to.notBefore <= now && this.#isAfterWelcome(entry, to) && !reach.isClosed(entry.group, to.account));
      if (due.length > 0) sends.push(this.#send(entry, due, now, reach));
      if (due.length === open.length) this.#queued.delete(entry.id);
    }
    return sends;
  }

  /** Entries with a recipient whose time has come, oldest first. Asked after every step, and mostly there are none. */
  #ready(now: number): OutboxEntry[] {
    const ready: OutboxEntry[] = [];
    for (const id of this.#queued) {
      const entry = this.#entries.get(id)!;
      let isQueued = false;
      let isReady = false;
      for (const to of entry.open) {
        if (to.status !== 'queued') continue;
        isQueued = true;
        isReady ||= to.notBefore <= now && this.#isAfterWelcome(entry, to);
      }
      if (isReady) ready.push(entry);
      else if (!isQueued) this.#queued.delete(id);
    }
    return ready.sort((a, b) => a.order - b.order);
  }

  /** Whether no Welcome to that group is still owed to the device. */
  #isAfterWelcome({ kind, group }: OutboxEntry, { device }: RecipientState): boolean {
    if (kind !== 'message') return true;
    const welcomes = this.#welcomes.get(group);
    for (const id of welcomes ?? []) {
      const welcome = this.#entries.get(id);
      if (welcome === undefined) welcomes!.delete(id);
      const to = welcome?.recipients.get(device);
      if (to !== undefined && !isSettled(to)) return false;
    }
    if (welcomes?.size === 0) this.#welcomes.delete(group);
    return true;
  }

  save(journal: Journal): void {
    for (const id of this.#gone) {
      journal.remove('outbox', id);
      journal.remove('outbox-settled', id);
    }
    for (const id of this.#added) {
      const { recipients, won: _, open: __, ...entry } = this.#entries.get(id)!;
      journal.put('outbox', id, { ...entry, recipients: packRecipients([...recipients.values()]) } satisfies EntryRecord);
    }
    for (const id of this.#settled) {
      const entry = this.#entries.get(id);
      if (entry === undefined) continue;
      const devices = [...entry.recipients.values()].filter(isSettled).map(({ device }) => device);
      journal.put('outbox-settled', id, { devices: fromHex(devices.join('')), won: entry.won } satisfies SettledRecord);
    }
    this.#gone.clear();
    this.#added.clear();
    this.#settled.clear();
  }

  #send(entry: OutboxEntry, due: RecipientState[], now: number, reach: Reach): OutgoingSend {
    const slot = entry.slot !== undefined && !entry.won ? { slot: entry.slot, commit: entry.state } : undefined;
    const recipients = due.map(({ device, token, sentAt }) => ({
      device,
      token: (sentAt > 0 && reach.token(entry.group, device)) || token,
    }));
    for (const each of due) {
      this.#set(each, 'sent');
      each.sentAt = now;
    }
    return { id: entry.id, recipients, payload: entry.payload, held: true, slot };
  }

  // --- receipts

  #won(entry: OutboxEntry): OutboxEffect[] {
    if (entry.slot === undefined || entry.won) return [];
    entry.won = true;
    this.#settled.add(entry.id);
    return [{ kind: 'won', entry }];
  }

  #accepted(entry: OutboxEntry, relay: number): OutboxEffect[] {
    for (const each of entry.open) {
      if (each.status !== 'sent') continue;
      this.#set(each, 'accepted');
      each.relay = relay;
    }
    return [{ kind: 'moved', entry }];
  }

  #settle(entry: OutboxEntry, device: string, status: 'delivered' | 'cannot'): OutboxEffect[] {
    const to = this.#close(entry, device, status);
    if (to === undefined) return [];
    this.#wake(entry.group, device);
    return [{ kind: status, entry, to }];
  }

  /** Returns the recipient, if it was open. */
  #close(entry: OutboxEntry, device: string, status: 'delivered' | 'cannot'): RecipientState | undefined {
    const to = entry.recipients.get(device);
    if (to === undefined || isSettled(to)) return undefined;
    this.#set(to, status);
    entry.open.delete(to);
    this.#settled.add(entry.id);
    if (entry.open.size === 0) this.withdraw(entry.id);
    return to;
  }

  /** What was behind goes out: the older one has arrived, so the device is there. In another group its token may be withdrawn. */
  #wake(group: string, device: string): void {
    for (const [entry, to] of this.#waitingFor(group, device)) this.#again(entry, to, FIRST_TIMEOUT_MS);
  }

  *#waitingFor(group: string, device: string): Generator<[OutboxEntry, RecipientState]> {
    if (this.#waiting === 0) return;
    for (const entry of this.#entries.values()) {
      const to = entry.group === group ? entry.recipients.get(device) : undefined;
      if (to?.status === 'waiting-for-online') yield [entry, to];
    }
  }

  #undelivered(entry: OutboxEntry, device: string, isOnline: (account: string) => boolean | undefined, now: number): OutboxEffect[] {
    const to = entry.recipients.get(device);
    if (to === undefined || isSettled(to) || to.status === 'queued' || to.status === 'waiting-for-online') return [];
    if (this.#isBehind(entry, device)) {
      this.#set(to, 'waiting-for-online');
      to.notBefore = now + BEHIND_RETRY_MS;
    } else if (isOnline(to.account) === true) {
      // Online again before the report came: the sign of life that it would wait for is over.
      this.#later(to, Math.max(PRESENT_RETRY_MS, to.timeoutMs - FIRST_TIMEOUT_MS), now);
      to.timeoutMs = Math.min(to.timeoutMs * 2, LAST_TIMEOUT_MS);
      this.#queued.add(entry.id);
    } else {
      this.#set(to, 'waiting-for-online');
      to.notBefore = now + Math.min(UNSEEN_RETRY_MS * (to.timeoutMs / FIRST_TIMEOUT_MS), LAST_UNSEEN_RETRY_MS);
      to.timeoutMs = Math.min(to.timeoutMs * 2, LAST_TIMEOUT_MS);
    }
    return [{ kind: 'undelivered', entry, to }];
  }

  /** An older one of its group went to that device and is not settled: to see whether the device is there, that one is enough. */
  #isBehind({ group, order }: OutboxEntry, device: string): boolean {
    for (const older of this.#entries.values()) {
      // Before a slot is won, the relay hands its commit to nobody.
      if (older.group !== group || older.order >= order || (older.slot !== undefined && !older.won)) continue;
      const to = older.recipients.get(device);
      if (to !== undefined && to.sentAt > 0 && !isSettled(to)) return true;
    }
    return false;
  }

  #refused(entry: OutboxEntry, { retryAfterMs, final }: IncomingReceipt, now: number): OutboxEffect[] {
    if (final) {
      this.withdraw(entry.id);
      return [{ kind: 'refused', entry }];
    }
    for (const each of entry.open) {
      if (each.status !== 'sent') continue;
      this.#later(each, Math.max(retryAfterMs, each.timeoutMs / 10), now);
      each.timeoutMs = Math.min(each.timeoutMs * 2, LAST_TIMEOUT_MS);
    }
    this.#queued.add(entry.id);
    return [{ kind: 'moved', entry }];
  }

  // --- standing of a recipient

  #silentTooLong({ status, sentAt, timeoutMs }: RecipientState, now: number): boolean {
    if (status === 'sent') return now - sentAt >= timeoutMs;
    // The relay reports by its deadline; after that it has forgotten.
    return status === 'accepted' && now - sentAt >= timeoutMs + this.#retryWindowMs;
  }

  #requeue(which: (each: RecipientState) => boolean): void {
    for (const entry of this.#entries.values()) {
      for (const each of entry.open) if (which(each)) this.#again(entry, each, FIRST_TIMEOUT_MS);
    }
  }

  #again(entry: OutboxEntry, each: RecipientState, timeoutMs: number): void {
    this.#set(each, 'queued');
    each.notBefore = 0;
    each.timeoutMs = timeoutMs;
    this.#queued.add(entry.id);
  }

  #later(each: RecipientState, waitMs: number, now: number): void {
    this.#set(each, 'queued');
    each.notBefore = now + waitMs;
  }

  #set(each: RecipientState, status: RecipientState['status']): void {
    this.#onTheirWay += Number(status === 'sent') - Number(each.status === 'sent');
    this.#waiting += Number(status === 'waiting-for-online') - Number(each.status === 'waiting-for-online');
    each.status = status;
  }
}
