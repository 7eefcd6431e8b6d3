import { safetyNumber } from '@sotto/mls';
import { Accounts, Contacts, type Frame, Invites } from '@sotto/protocol';
import { DeviceApprovals } from './approvals/device-approvals.js';
import { ClientError } from './client-error.js';
import type { ConnectionState } from './connection/connection.js';
import { ContactBook } from './contacts/contact-book.js';
import type { ContactStatus } from './contacts/contact-list.js';
import { ConversationClient, conversationParts, type ConversationParts } from './conversation-client.js';
import { type ClientOptions, Device } from './device.js';
import { History } from './history/history.js';
import { GroupList } from './messaging/group-list.js';
import { Incoming } from './messaging/incoming.js';
import { type Messaging, stepOf } from './messaging/messaging.js';
import { ServerCarrier } from './messaging/server-carrier.js';
import { loadSettings, type Settings } from './messaging/settings.js';
import type { Upkeep } from './messaging/upkeep.js';
import { type AccountDevice, listDevices, revokeDevice } from './session/account-devices.js';
import { Companions } from './session/companions.js';
import { type Account, Sessions } from './session/sessions.js';
import { sodiumReady } from './sodium.js';
import type { Journal } from './storage/journal.js';

const ONLINE_RETRY_MS = 5_000;

/** One device of one account. Everything that changes its state runs one step after the other. */
export class SottoClient extends ConversationClient {
  readonly groups: GroupList;
  readonly approvals: DeviceApprovals;
  readonly #device: Device;
  readonly #messaging: Messaging;
  readonly #upkeep: Upkeep;
  readonly #book: ContactBook;
  readonly #incoming: Incoming;
  readonly #sessions: Sessions;
  readonly #companions: Companions;

  private constructor(device: Device, parts: ConversationParts) {
    super(parts);
    this.#device = device;
    this.#messaging = parts.messaging;
    this.#upkeep = parts.upkeep;
    this.groups = new GroupList(device, parts.messaging, parts.conversations);
    this.#book = new ContactBook(device, parts.messaging);
    this.#incoming = new Incoming(device, this.#book);
    this.#sessions = new Sessions(device, parts.messaging);
    this.approvals = new DeviceApprovals(device, this.#sessions);
    this.#companions = new Companions(device, parts.messaging);
  }

  /** Opens the store. `resume`, `logIn` or `register` connects. */
  static async open(options: ClientOptions): Promise<SottoClient> {
    await sodiumReady();
    const device: Device = new Device(options, {
      attach: (link) => client.#sessions.resume(link),
      onFrames: (frames) => client.#hear(frames),
      onState: (state) => client.#connectionState(state),
    });
    const client: SottoClient = new SottoClient(device, conversationParts(device, new ServerCarrier(device)));
    try {
      client.#device.history = await History.load(options.store);
      client.#device.settings = await loadSettings(options.store);
      await client.#sessions.load();
      await client.#upkeep.start();
    } catch (error) {
      await client.close();
      throw error;
    }
    return client;
  }

  /** The account of this device, or undefined before the first log-in. */
  get account(): Account | undefined {
    return this.#sessions.account;
  }

  /** Whose archive this store was made from, until `logIn` has made the device. */
  get restored(): { readonly name: string; readonly server: string } | undefined {
    return this.#sessions.restored;
  }

  /** A registration was not answered: an account may have been made with the keys in this store. Again with the same invite, password and store. */
  get unanswered(): boolean {
    return this.#sessions.unanswered;
  }

  /** The pin of the server, once it is known. */
  get pin(): string | undefined {
    return this.#device.pin ?? this.#device.options.pin;
  }

  // --- session

  /** Makes an account; the name that it got may carry a tag. Throws ServerError, ClientError. */
  register(name: string, password: string, invite = ''): Promise<Account> {
    return this.#sessions.register(name, password, invite);
  }

  /**
   * Makes a new device of an account. It is pending until it is confirmed, unless this store holds the account's identity key.
   * An account has 10 devices at most (LIMIT_REACHED); `replaceLongestAway` revokes the one that was away longest for it.
   */
  logIn(name: string, password: string, options: { replaceLongestAway?: boolean } = {}): Promise<Account> {
    return this.#sessions.logIn(name, password, options.replaceLongestAway ?? false);
  }

  /** Connects the device that the store holds, and keeps it connected. False when the store holds none. */
  async resume(): Promise<boolean> {
    if (this.#device.session === undefined) return false;
    await this.#device.connection.connect();
    return true;
  }

  confirmByRecoveryFile(file: Uint8Array, passphrase: string): Promise<Account> {
    return this.#sessions.confirmByRecoveryFile(file, passphrase);
  }

  /** A new identity key: every contact sees a change that it must confirm. */
  resetIdentity(password: string): Promise<Account> {
    return this.#sessions.resetIdentity(password);
  }

  recoveryFile(passphrase: string): Promise<Uint8Array> {
    return this.#sessions.recoveryFile(passphrase);
  }

  /** Ends all other sessions of the account. */
  changePassword(oldPassword: string, newPassword: string): Promise<void> {
    return this.#sessions.changePassword(oldPassword, newPassword);
  }

  async deleteAccount(password: string): Promise<void> {
    await this.#device.requireLink().call(Accounts.method.deleteAccount, { password });
    this.#device.connection.refuse('the account is deleted');
  }

  devices(): Promise<AccountDevice[]> {
    return listDevices(this.#device);
  }

  /** Ends a device's session at once and for good. */
  revokeDevice(device: string): Promise<void> {
    return revokeDevice(this.#device, device);
  }

  /** An invite code; the link is made of the server's address, this and the pin. */
  async invite(name = '', lifetimeSeconds = 0): Promise<{ code: string; expires: Date }> {
    const { code, expires } = await this.#device.requireLink().call(Invites.method.create, { name, lifetime: lifetimeSeconds });
    return { code, expires: new Date(Number(expires) * 1_000) };
  }

  // --- contacts

  async requestContact(name: string): Promise<void> {
    // The server would answer as it does to a name that nobody has.
    if (name === this.account?.name) throw new ClientError('not-allowed', 'that is your own name');
    await this.#device.requireLink().call(Contacts.method.request, { name });
    await this.#book.refresh();
  }

  async accept(name: string): Promise<void> {
    const { contact } = await this.#device.requireLink().call(Contacts.method.accept, { name });
    if (contact !== undefined) await this.#device.step((journal) => this.#book.rows([contact], journal));
  }

  /** Throws ClientError `unknown-contact`, as the two below, when there is nothing to be done about that name. */
  async decline(name: string): Promise<void> {
    await this.#mustBe(name, ['requested'], 'there is no open request of');
    await this.#device.requireLink().call(Contacts.method.decline, { name });
    await this.#book.refresh();
  }

  async remove(name: string): Promise<void> {
    await this.#mustBe(name, ['accepted', 'pending', 'requested', 'blocked'], 'nobody in the list of contacts is called');
    await this.#book.leave(Contacts.method.remove, name);
    await this.#book.refresh();
  }

  /** Once it resolves, nothing that the contact holds reaches this device: a fresh connection has told the server. */
  async block(name: string): Promise<void> {
    const revoked = await this.#book.leave(Contacts.method.block, name);
    await this.#device.step(async (journal) => {
      await this.#book.revoke(revoked, journal);
      // Whoever is there is new, also when this is tried again.
      this.#device.contacts.forgetPresence();
      await this.#book.fetch(journal);
    });
    await this.#book.reattached;
  }

  /** Whether contacts see that this device is there changes by a fresh connection: at once, or with the next. */
  override async changeSettings(change: Partial<Settings>): Promise<void> {
    const { invisible } = this.settings;
    await super.changeSettings(change);
    if (this.settings.invisible !== invisible && this.#device.connection.link !== undefined) await this.#device.connection.connect();
  }

  async unblock(name: string): Promise<void> {
    await this.#mustBe(name, ['blocked'], 'nobody is blocked who is called');
    await this.#device.requireLink().call(Contacts.method.unblock, { name });
    await this.#book.refresh();
  }

  /** The list that is here may be older than the connection. */
  async #mustBe(name: string, statuses: readonly ContactStatus[], otherwise: string): Promise<void> {
    const isSo = () => this.contacts().some((each) => each.name === name && statuses.includes(each.status));
    if (!isSo()) await this.#book.refresh();
    if (!isSo()) throw new ClientError('unknown-contact', `${otherwise} ${name}`);
  }

  /** For two people to compare; the same on both sides. */
  safetyNumber(name: string): string {
    const contact = this.#device.accepted(name);
    return safetyNumber(this.#device.signedIn().session.identityKey, contact.changedKey ?? contact.identityKey);
  }

  /** Trusts the key that a contact has now, after its account key changed. */
  async confirmKey(name: string): Promise<void> {
    await this.#device.step(async (journal) => {
      const contact = this.#device.contacts.confirmKey(this.#device.accepted(name), journal);
      await this.#device.messenger?.beginDirect(contact.account, stepOf(journal), true);
    });
  }

  override close(): Promise<void> {
    this.approvals.close();
    this.#companions.close();
    this.#book.close();
    return super.close();
  }

  // --- connection

  #hear(frames: Frame[]): void {
    this.approvals.hear(frames);
    this.#companions.hear(frames);
    void this.#device.step((journal) => this.#incoming.receive(frames, journal)).catch(() => undefined);
  }

  #connectionState(state: ConnectionState): void {
    this.#device.events.emit('state', state);
    if (state.state === 'online') this.approvals.look();
    if (state.state === 'online') this.#companions.soon();
    if (state.state === 'online') this.#goOnline();
    else if (this.#messaging.online) void this.#device.step((journal) => this.#offline(journal)).catch(() => undefined);
  }

  #goOnline(): void {
    const link = this.#device.connection.link;
    void this.#device
      .step((journal) => this.#online(journal))
      .catch((error: unknown) => {
        this.#device.failed(error);
        // Part of the server is away: the link stands, so only this is tried again.
        if (!this.#device.closed && link !== undefined && !link.closed)
          setTimeout(() => link === this.#device.connection.link && this.#goOnline(), ONLINE_RETRY_MS);
      });
  }

  async #offline(journal: Journal): Promise<void> {
    await this.#messaging.goOffline(journal);
    this.#device.contacts.forgetPresence();
  }

  async #online(journal: Journal): Promise<void> {
    const link = this.#device.connection.link;
    if (link === undefined || this.#device.engine === undefined) return;
    await this.#messaging.goOnline(journal);
    // Before the contacts: whoever sees us online may claim at once.
    await this.#device.stock.topUp(link, this.#device.engine, journal).catch((error: unknown) => this.#device.topUpFailed(error));
    await this.#book.fetch(journal);
  }
}
