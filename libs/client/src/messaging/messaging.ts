import { browserProvider, type OwnKeyPackage } from '@sotto/mls';
import { toHex } from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import type { Contact } from '../contacts/contact-list.js';
import { decodeContent } from '../content/content.js';
import { contentIdOf, type MessageRef } from '../content/message-ref.js';
import type { DeviceCore } from '../device-core.js';
import type { Step } from '../groups/group-ports.js';
import { GROUP_RULES } from '../groups/group-rules.js';
import { deliveryToken, randomBytes } from '../sodium.js';
import type { Journal } from '../storage/journal.js';
import { Arrivals } from './arrivals.js';
import type { Carrier } from './carrier.js';
import type { QueuedMessage } from './message.js';
import { Messenger } from './messenger.js';
import type { MessengerNotice, MessengerPorts, OutgoingSend } from './messenger-ports.js';
import { conversationOf } from './names.js';
import { Notices } from './notices.js';
import { Rungs } from './rungs.js';

const GROUP_ID = /^[0-9a-f]{64}$/;

/** The messenger at work in the world: its ports are this device's contacts and store, and what carries its messages. */
export class Messaging {
  readonly rungs = new Rungs();
  readonly arrivals: Arrivals;
  readonly #notices: Notices;
  /** Content ids of what is no message itself: how it fares need not be told. */
  readonly #quiet = new Set<string>();
  #retryWindowMs = 0;
  #online = false;

  constructor(
    private readonly device: DeviceCore,
    private readonly carrier: Carrier,
  ) {
    this.arrivals = new Arrivals(device);
    this.#notices = new Notices(device, this.arrivals);
  }

  get online(): boolean {
    return this.#online;
  }

  /** Its groups and what it owes, as far as the device has what they need. */
  async load(): Promise<void> {
    const { engine, session, options } = this.device;
    this.device.messenger = engine && session && (await Messenger.load(this.#ports(), options.store));
    if (this.device.messenger !== undefined) this.device.messenger.retryWindowMs = this.#retryWindowMs;
    for (const [id, { plaintext }] of this.device.messenger?.owed() ?? []) if (!isMessage(plaintext)) this.#quiet.add(id);
  }

  attached(retryWindowMs: number): void {
    this.#retryWindowMs = retryWindowMs;
    if (this.device.messenger !== undefined) this.device.messenger.retryWindowMs = retryWindowMs;
  }

  async goOnline(journal: Journal): Promise<void> {
    this.#online = true;
    await this.device.messenger?.online(stepOf(journal));
  }

  async goOffline(journal: Journal): Promise<void> {
    this.#online = false;
    await this.device.messenger?.offline(stepOf(journal));
  }

  tick(): void {
    if (this.#online) void this.step((messenger, step) => messenger.tick(step)).catch(() => undefined);
  }

  /** One step of the messenger, durable before anything of it leaves the device. Throws ClientError `not-logged-in`. */
  step<T>(work: (messenger: Messenger, step: Step) => Promise<T>): Promise<T> {
    return this.device.step((journal) => work(this.require(), stepOf(journal)));
  }

  /** One that needs no keys. */
  localStep<T>(work: (step: Step) => Promise<T>): Promise<T> {
    return this.device.step((journal) => work(stepOf(journal)));
  }

  require(): Messenger {
    const { messenger } = this.device;
    if (messenger === undefined) throw new ClientError('not-logged-in', 'this device is not confirmed yet');
    return messenger;
  }

  /** Under these capabilities nobody reaches this device any more. Returns whether that is news of any. */
  async revoked(capabilities: readonly string[], journal: Journal): Promise<boolean> {
    const fresh = this.device.revoked.add(capabilities, journal);
    this.device.stock.discard(fresh, journal);
    if (fresh.length > 0) await this.device.messenger?.capabilitiesRevoked(fresh, stepOf(journal));
    return fresh.length > 0;
  }

  // --- messages

  /** Into the outbox, for a contact by name or a group by id. Throws ClientError for one that is not to be written to. */
  async compose(conversation: string, plaintext: Uint8Array, id: string, step: Step): Promise<void> {
    const messenger = this.require();
    if (!isMessage(plaintext)) this.#quiet.add(id);
    if (GROUP_ID.test(conversation)) return void (await messenger.compose(this.#group(conversation), plaintext, step, id));
    const contact = this.device.accepted(conversation);
    await messenger.composeTo(contact.account, plaintext, step, id);
    const begins = this.mayBegin(contact) || (this.device.alone && contact.changedKey === undefined);
    if (messenger.directWith(contact.account) === undefined && begins) await messenger.beginDirect(contact.account, step);
  }

  #group(id: string): string {
    const view = this.require()
      .groups()
      .find((each) => each.id === id);
    if (view?.data.kind !== 'group') throw new ClientError('unknown-group', 'there is no such group');
    return id;
  }

  /** Nobody is to get a message any more, nor what it was changed to. */
  giveUp(ref: MessageRef, step: Step): void {
    const { messenger } = this.device;
    for (const [id, { plaintext, at }] of [...(messenger?.owed() ?? [])]) {
      const said = decodeContent(plaintext, at);
      if (id === contentIdOf(ref) || (said?.kind === 'edit' && said.of === ref)) messenger?.discard(id, step);
    }
  }

  /** In which group a conversation goes on; undefined: in none at the moment. */
  groupOf(conversation: string): string | undefined {
    if (GROUP_ID.test(conversation)) return this.#group(conversation);
    return this.device.messenger?.directWith(this.device.accepted(conversation).account);
  }

  /** How many accounts are in it; undefined: nothing is to be written there. */
  accountsIn(conversation: string): number | undefined {
    const { messenger, contacts } = this.device;
    if (!GROUP_ID.test(conversation)) return contacts.get(conversation)?.status === 'accepted' ? 2 : undefined;
    const view = messenger?.groups().find(({ id }) => id === conversation);
    if (view === undefined || view.out || view.data.kind !== 'group') return undefined;
    return new Set(view.members.map(({ identity }) => identity.account)).size;
  }

  /** What is not yet delivered, oldest first. */
  queue(): QueuedMessage[] {
    return (this.device.messenger?.queue() ?? []).flatMap(({ id, content, status }) => {
      const to = conversationOf(content.group, content.account, this.device);
      const said = decodeContent(content.plaintext, content.at);
      if (said === undefined || said.kind === 'receipt') return [];
      const text = 'text' in said ? said.text : 'emoji' in said ? said.emoji : '';
      return { id, to, what: said.kind, text, sentAt: content.at, status };
    });
  }

  // --- direct conversations

  /**
   * The side that accepted makes the group; so does a device that nobody knows yet. One that is brought in by another makes none with contacts
   * from before its time. @param justAccepted this device has seen how it became a contact
   */
  mayBegin(contact: Contact, justAccepted = false): boolean {
    if (contact.changedKey !== undefined) return false;
    if (this.device.messenger?.needsNewDirect(contact.account) === true) return true;
    const origin = this.device.session?.origin;
    return origin === 'alone' || (contact.acceptedByMe && (origin !== 'brought' || justAccepted));
  }

  async beginIfMine(contact: Contact, journal: Journal, justAccepted = false): Promise<void> {
    if (this.mayBegin(contact, justAccepted)) await this.device.messenger?.beginDirect(contact.account, stepOf(journal));
  }

  /** Nobody is there who would bring this device into the conversations in which its messages wait. */
  async beginWhereWaited(journal: Journal): Promise<void> {
    const { messenger, contacts } = this.device;
    const waiting = new Set(messenger?.queue().map(({ content }) => content.account));
    for (const account of waiting) {
      const contact = account === undefined ? undefined : contacts.byAccount(account);
      if (contact?.status !== 'accepted' || contact.changedKey !== undefined) continue;
      await messenger?.beginDirect(contact.account, stepOf(journal));
    }
  }

  // --- ports

  #ports(): MessengerPorts {
    const { device } = this;
    const { account, device: id } = device.session!;
    return {
      engine: device.engine!,
      provider: device.options.mlsProvider ?? browserProvider,
      own: { account, device: id },
      rules: GROUP_RULES,
      stock: {
        candidates: () => device.stock.candidates(),
        spend: (used, journal) => this.#spend(used, journal),
        outdated: (journal) => this.#outdated(journal),
      },
      random: randomBytes,
      directOnly: this.carrier.directOnly,
      newToken: () => deliveryToken(randomBytes(16), device.secrets!.deliveryKey),
      revoke: (capability, { journal }) => this.#revoke(capability, journal),
      send: (send) => this.#send(send),
      ack: (handle, outcome) => this.carrier.ack(handle, outcome),
      claim: (of) => void this.#claim(of),
      isOnline: (of) => device.contacts.byAccount(of)?.online,
      isContact: (of) => device.contacts.byAccount(of) !== undefined,
      trusts: (of, key) => this.#trusts(of, key),
      notify: (notice, step) => this.#notify(notice, step),
      count: (rung) => this.rungs.count(rung),
    };
  }

  #notify(notice: MessengerNotice, step: Step): void {
    if (notice.kind !== 'delivery' || !this.#quiet.has(notice.content)) return this.#notices.tell(notice, step);
    if (notice.status === 'delivered' || notice.status === 'discarded') this.#quiet.delete(notice.content);
  }

  #revoke(capability: string, journal: Journal): void {
    this.device.revoked.add([capability], journal);
    this.device.stock.discard([capability], journal);
    journal.lastly(this.device.revoked, () => journal.afterwards(() => this.carrier.withdrawn()));
  }

  #spend(used: OwnKeyPackage, journal: Journal): boolean {
    const lastResort = this.device.stock.spend(used, journal);
    if (lastResort) journal.afterwards(() => this.carrier.topUp());
    return lastResort;
  }

  #outdated(journal: Journal): void {
    this.device.stock.outdated();
    journal.afterwards(() => this.carrier.topUp());
  }

  #send(send: OutgoingSend): void {
    this.carrier.send(send, send.held ? Math.ceil(this.#retryWindowMs / 1_000) : 0);
  }

  async #claim(account: string): Promise<void> {
    const claimed = await this.carrier.claim(account).catch((error: unknown) => void this.device.failed(error));
    await this.step((messenger, step) => messenger.claimed(account, claimed, step)).catch((error: unknown) => this.device.failed(error));
  }

  #trusts(account: string, key: Uint8Array): boolean {
    const { session } = this.device;
    if (account === session?.account) return toHex(session.identityKey) === toHex(key);
    const contact = this.device.contacts.byAccount(account);
    return contact !== undefined && toHex(contact.identityKey) === toHex(key);
  }
}

export function stepOf(journal: Journal): Step {
  return { journal, now: Date.now() };
}

function isMessage(plaintext: Uint8Array): boolean {
  return decodeContent(plaintext, 0)?.kind === 'text';
}
