import { create } from '@bufbuild/protobuf';
import { fromHex, KeyPackages, SendSchema, toHex } from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import type { Contact } from '../contacts/contact-list.js';
import { decodeContent, encodeContent } from '../content/content.js';
import type { Device } from '../device.js';
import { CIPHER_SUITE } from '../key-packages/key-package-stock.js';
import {
  emptyOutbox,
  type OutboxEffect,
  type OutboxEntry,
  type OutboxEvent,
  type OutboxState,
  reduceOutbox,
  restored,
  statusOf,
} from '../outbox/outbox.js';
import { randomBytes } from '../sodium.js';
import type { Journal } from '../storage/journal.js';
import { keepMessage, type QueuedMessage } from './message.js';

const RENEW_EVERY_MS = 15_000;
const MAX_TEXT_BYTES = 64 * 1024;

/** The outbox at work: what is written is sealed, sent and followed, and a conversation is begun where there is none. */
export class Outgoing {
  #outbox: OutboxState = emptyOutbox();
  #order = 0;
  readonly #renewed = new Map<string, number>();

  constructor(private readonly device: Device) {}

  get online(): boolean {
    return this.#outbox.online;
  }

  load(records: ReadonlyMap<string, OutboxEntry>): void {
    const entries = [...records].map(([id, entry]) => [id, restored(entry)] as const);
    this.#outbox = { ...emptyOutbox(), entries: new Map(entries) };
    this.#order = Math.max(0, ...entries.map(([, { order }]) => order));
  }

  attached(retryWindowMs: number): void {
    this.#outbox = { ...this.#outbox, retryWindowMs };
  }

  goOnline(journal: Journal): void {
    this.reduce({ kind: 'attached', retryWindowMs: this.#outbox.retryWindowMs }, journal);
  }

  /** Resolves with the content id once the message is durable here; `delivery` tells the rest. */
  async send(name: string, text: string): Promise<string> {
    const contact = this.device.accepted(name);
    if (new TextEncoder().encode(text).length > MAX_TEXT_BYTES) throw new ClientError('too-long', 'a message has at most 64 KiB');
    const id = toHex(randomBytes(16));
    await this.device.step(async (journal) => {
      const now = Date.now();
      const plaintext = encodeContent({ text, sentAt: now });
      this.#add(
        { id, kind: 'message', account: contact.account, order: this.#nextOrder(), plaintext, createdAt: now, recipients: {} },
        journal,
      );
      keepMessage({ id, from: this.device.signedIn().session.name, text, sentAt: now, receivedAt: now, conversation: name }, journal);
      await this.sealWaiting(contact.account, journal);
      if (this.device.conversations?.writableGroup(contact.account) === undefined && this.mayBegin(contact))
        await this.begin(contact, journal);
    });
    return id;
  }

  /** What is not yet delivered, oldest first. */
  queue(): QueuedMessage[] {
    return this.entries()
      .filter(({ kind }) => kind === 'message')
      .map((entry) => {
        const content = decodeContent(entry.plaintext);
        const to = this.device.contacts.byAccount(entry.account)?.name ?? entry.account;
        return { id: entry.id, to, text: content?.text ?? '', sentAt: entry.createdAt, status: statusOf(entry) };
      });
  }

  tick(): void {
    if (this.#outbox.online && this.#outbox.entries.size > 0) {
      void this.device.step(async (journal) => this.reduce({ kind: 'ticked' }, journal)).catch(() => undefined);
    }
  }

  reduce(event: OutboxEvent, journal: Journal): void {
    const { state, effects } = reduceOutbox(this.#outbox, event, Date.now());
    this.#outbox = state;
    const cannot = [...state.entries.values()].some(({ recipients }) =>
      Object.values(recipients).some(({ status }) => status === 'cannot'),
    );
    for (const effect of effects) this.#effect(effect, cannot, journal);
  }

  entries(): OutboxEntry[] {
    return [...this.#outbox.entries.values()].sort((a, b) => a.order - b.order);
  }

  // --- conversations

  /** The side that accepted makes the group; so does a device that nobody knows yet. */
  mayBegin(contact: Contact): boolean {
    if (contact.changedKey !== undefined) return false;
    return (
      contact.acceptedByMe || this.device.session?.fresh === true || this.device.conversations?.needsNewGroup(contact.account) === true
    );
  }

  async beginIfNone(contact: Contact, journal: Journal): Promise<void> {
    if (this.device.conversations?.writableGroup(contact.account) === undefined) await this.begin(contact, journal);
  }

  /** A new group with all devices of the contact, if key packages are to be had; else at its next online event. */
  async begin(contact: Contact, journal: Journal, onlyIfNewDevices = false): Promise<void> {
    const link = this.device.connection.link;
    if (link === undefined || this.device.conversations === undefined) return;
    try {
      const { keyPackages } = await link.call(KeyPackages.method.claim, { account: fromHex(contact.account), cipherSuite: CIPHER_SUITE });
      if (keyPackages.length === 0) return;
      const known = this.device.conversations.devicesOf(contact.account);
      if (onlyIfNewDevices && keyPackages.every(({ device }) => known.has(toHex(device)))) return;
      const { group, payload, tokens } = await this.device.conversations.begin(
        contact,
        keyPackages.map(({ keyPackage }) => keyPackage),
        journal,
      );
      this.#dropWelcomes(contact.account, journal);
      const id = toHex(randomBytes(16));
      const first =
        Math.min(
          this.#order,
          ...this.entries()
            .filter(({ account }) => account === contact.account)
            .map(({ order }) => order),
        ) - 0.5;
      const entry = {
        id,
        kind: 'welcome',
        account: contact.account,
        order: first,
        plaintext: new Uint8Array(),
        createdAt: Date.now(),
        recipients: {},
      } as const;
      this.#add(entry, journal);
      this.reduce({ kind: 'sealed', id, sealed: { sendId: toHex(randomBytes(16)), group, payload }, tokens }, journal);
      await this.sealWaiting(contact.account, journal, true);
    } catch (error) {
      if (error instanceof ClientError && error.reason === 'storage-failed') throw error;
      this.device.failed(error);
    }
  }

  /** Seals what has no sealing yet; with `again`, also what no device has taken, for the group that is written now. */
  async sealWaiting(account: string, journal: Journal, again = false): Promise<void> {
    const group = this.device.conversations?.writableGroup(account);
    if (group === undefined) return;
    for (const entry of this.entries()) {
      if (entry.account !== account || entry.kind !== 'message') continue;
      const lost = again && entry.sealed !== undefined && entry.sealed.group !== group && statusOf(entry) !== 'delivered';
      if (entry.sealed !== undefined && !lost) continue;
      const { payload, tokens } = await this.device.conversations!.seal(group, entry.id, entry.plaintext, journal);
      this.reduce({ kind: 'sealed', id: entry.id, sealed: { sendId: toHex(randomBytes(16)), group, payload }, tokens }, journal);
    }
  }

  #dropWelcomes(account: string, journal: Journal): void {
    for (const entry of this.entries()) {
      if (entry.kind === 'welcome' && entry.account === account) this.reduce({ kind: 'discarded', id: entry.id }, journal);
    }
  }

  /** At most once in a while for a contact: each try spends key packages. */
  #renew(account: string, force: boolean): void {
    const now = Date.now();
    if (now - (this.#renewed.get(account) ?? 0) < RENEW_EVERY_MS) return;
    this.#renewed.set(account, now);
    void this.device
      .step(async (journal) => {
        const contact = this.device.contacts.byAccount(account);
        if (contact !== undefined && contact.changedKey === undefined) await this.begin(contact, journal, !force);
      })
      .catch((error: unknown) => this.device.failed(error));
  }

  // --- the outbox

  #nextOrder(): number {
    return ++this.#order;
  }

  #add(entry: OutboxEntry, journal: Journal): void {
    this.reduce({ kind: 'added', entry }, journal);
  }

  #effect(effect: OutboxEffect, cannot: boolean, journal: Journal): void {
    switch (effect.kind) {
      case 'save':
        return journal.put('outbox', effect.entry.id, effect.entry);
      case 'remove':
        return journal.remove('outbox', effect.id);
      case 'status':
        return journal.afterwards(() => this.device.events.emit('delivery', { id: effect.id, status: effect.status }));
      case 'renew':
        return journal.afterwards(() => this.#renew(effect.account, cannot));
      case 'send': {
        const recipients = effect.devices.map((device, i) => ({ device: fromHex(device), token: effect.tokens[i]! }));
        const ttl = Math.ceil(this.#outbox.retryWindowMs / 1_000);
        const value = create(SendSchema, { id: fromHex(effect.sendId), recipients, payload: effect.payload, ttl });
        return journal.afterwards(() => this.device.connection.link?.send({ case: 'send', value }));
      }
    }
  }
}
