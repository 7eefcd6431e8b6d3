import { type Contact as WireContact, Contacts, ContactState, fromHex, LIMITS, toHex } from '@sotto/protocol';
import type { Device } from '../device.js';
import { type Messaging, stepOf } from '../messaging/messaging.js';
import type { Journal } from '../storage/journal.js';
import type { Contact, ContactChange } from './contact-list.js';

/** Asked by the server to wait, it waits at most so long. */
const MOST_WAIT_MS = 60_000;
const AGAIN_MS = 5_000;

/** Follows the server's contact list, and does what each change asks for: begin a conversation, tell the program, revoke. */
export class ContactBook {
  /** The last re-attachment that a revocation asked for. */
  reattached: Promise<void> = Promise.resolve();

  #soon: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly device: Device,
    private readonly messaging: Messaging,
  ) {}

  refresh(): Promise<void> {
    return this.device.step((journal) => this.fetch(journal));
  }

  /** After a random wait: all clients were asked to. Tried again when that fails, unless a new connection has done it by then. */
  refreshWithin(ms: number): void {
    const { link } = this.device.connection;
    this.#soon ??= setTimeout(
      () => {
        this.#soon = undefined;
        if (link === undefined || link !== this.device.connection.link) return;
        void this.refresh().catch(() => this.refreshWithin(AGAIN_MS));
      },
      Math.random() * Math.min(ms, MOST_WAIT_MS),
    );
  }

  close(): void {
    clearTimeout(this.#soon);
  }

  async fetch(journal: Journal): Promise<void> {
    const { contacts } = this.device;
    const before = new Set(contacts.all().flatMap(({ name, online }) => (online ? [name] : [])));
    const list = await this.device.requireLink().call(Contacts.method.list, {});
    await this.changes(contacts.replace(list.contacts, journal), journal);
    for (const contact of contacts.all())
      if (contact.status === 'accepted' && contact.online !== before.has(contact.name)) await this.#cameOrWent(contact, journal);
  }

  async rows(rows: WireContact[], journal: Journal): Promise<void> {
    for (const row of rows) {
      if (this.#isOutdated(row)) {
        await this.fetch(journal);
        continue;
      }
      await this.changes(this.device.contacts.apply(row, journal), journal);
      const contact = this.device.contacts.get(row.name);
      if (row.state === ContactState.ACCEPTED && row.online && contact) await this.#online(contact, journal);
    }
  }

  /** A contact asks for nothing and is asked for nothing: that was said before a list which is here, and would end the conversation. */
  #isOutdated({ name, state }: WireContact): boolean {
    const isRequest = state === ContactState.PENDING || state === ContactState.REQUESTED;
    return isRequest && this.device.contacts.get(name)?.status === 'accepted';
  }

  async changes(changes: ContactChange[], journal: Journal): Promise<void> {
    for (const { contact, before } of changes) {
      journal.afterwards(() => this.device.events.emit('contact', contact));
      if (contact.changedKey !== undefined) {
        const text = `the key of ${contact.name} has changed: compare safety numbers, then confirm`;
        journal.afterwards(() => this.device.problem('key-changed', text, contact.name));
      }
      if (before?.status === 'accepted' && contact.status !== 'accepted') await this.#end(before.account, journal);
      if (contact.status !== 'accepted' || before?.status === 'accepted') continue;
      await this.device.messenger?.contactAccepted(contact.account, stepOf(journal));
      await this.messaging.beginIfMine(contact, journal, before !== undefined);
    }
  }

  async #end(account: string, journal: Journal): Promise<void> {
    const capabilities = await this.device.messenger?.endDirect(account, stepOf(journal));
    await this.revoke(capabilities ?? [], journal);
  }

  /** Ends a contact; blocking says what of this account's devices the contact had claimed. */
  async leave(method: typeof Contacts.method.block | typeof Contacts.method.remove, name: string): Promise<string[]> {
    const keepCapabilities = (this.device.messenger?.sharedCapabilities() ?? []).slice(-LIMITS.revokedCapabilities).map(fromHex);
    const response = await this.device.requireLink().call(method, { name, keepCapabilities });
    return 'revokeCapabilities' in response ? response.revokeCapabilities.map(toHex) : [];
  }

  /** The server honours them no more already: they only have to be kept. */
  async revokedByServer(capabilities: readonly string[], journal: Journal): Promise<void> {
    await this.messaging.revoked(capabilities, journal);
  }

  /** Attach is what tells the server: a fresh connection makes it effective at once. */
  async revoke(capabilities: readonly string[], journal: Journal): Promise<void> {
    if (!(await this.messaging.revoked(capabilities, journal))) return;
    journal.afterwards(() => {
      this.reattached = this.device.connection.connect();
    });
  }

  async presence(account: string, online: boolean, journal: Journal): Promise<void> {
    const contact = this.device.contacts.presence(account, online);
    if (contact !== undefined) await this.#cameOrWent(contact, journal);
  }

  async #cameOrWent(contact: Contact, journal: Journal): Promise<void> {
    const { name, online } = contact;
    journal.afterwards(() => this.device.events.emit('presence', { name, online }));
    if (online) await this.#online(contact, journal);
  }

  async #online(contact: Contact, journal: Journal): Promise<void> {
    await this.messaging.beginIfMine(contact, journal);
    await this.device.messenger?.sighted(contact.account, stepOf(journal));
  }
}
