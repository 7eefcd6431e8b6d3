import { safetyNumber } from '@sotto/mls';
import { LIMITS, toHex } from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import type { Contact } from '../contacts/contact-list.js';
import { type Messaging, stepOf } from '../messaging/messaging.js';
import type { Journal } from '../storage/journal.js';
import type { PeerDevice } from './peer-device.js';
import { identityOf, type PeerIdentity } from './peer-identity.js';

const WARN_EVERY_MS = 60_000;

/** Whom this device knows: the key of each is pinned at the first meeting, under the name that it gave. */
export class PeerBook {
  /** The key of each contact whose safety number was shown last: what the user compared is what the user confirms. */
  readonly #shown = new Map<string, string>();
  /** When the user was last told that a contact's name came with another key. Unix milliseconds. */
  readonly #warned = new Map<string, number>();

  constructor(
    private readonly device: PeerDevice,
    private readonly messaging: Messaging,
  ) {}

  /** Whether this is somebody whom the user has not met. Throws ClientError `not-admitted`, or `pin-changed` when the name is another's. */
  isNew({ account, name }: PeerIdentity): boolean {
    const { session, contacts } = this.device;
    if (account === session?.account) throw new ClientError('not-admitted', 'this device reached itself');
    if (contacts.byAccount(account) !== undefined) return false;
    if (name === session?.name) throw new ClientError('not-admitted', `the other end calls itself ${name}, as you do`);
    if (contacts.get(name) !== undefined) throw new ClientError('pin-changed', keyChanged(name));
    if (contacts.all().length >= LIMITS.peers) throw new ClientError('not-admitted', `no more than ${LIMITS.peers} peers are kept`);
    return true;
  }

  /** Somebody came by the name of a contact, with another key: the user is warned, and decides. */
  async cameWithAnotherKey({ name, identityKey }: PeerIdentity, journal: Journal): Promise<void> {
    const contact = this.device.contacts.get(name);
    if (contact === undefined) return;
    this.#warn(name, journal);
    if (contact.online) return;
    const changed = { ...contact, changedKey: identityKey };
    this.device.contacts.put(changed, journal);
    journal.afterwards(() => this.device.events.emit('contact', changed));
  }

  /** @param dialed by this device, which then begins the conversation. Throws as `isNew`: another may have taken the name meanwhile. */
  async met(peer: PeerIdentity, dialed: boolean, journal: Journal): Promise<void> {
    const { contacts, messenger, events } = this.device;
    this.isNew(peer);
    const before = contacts.byAccount(peer.account);
    if (before === undefined || before.changedKey !== undefined) this.#pin(peer, before, dialed, journal);
    const contact = contacts.presence(peer.account, true) ?? contacts.byAccount(peer.account)!;
    journal.afterwards(() => events.emit('presence', { name: contact.name, online: true }));
    await this.messaging.beginIfMine(contact, journal, true);
    await messenger?.sighted(contact.account, stepOf(journal));
  }

  left({ account }: PeerIdentity, journal: Journal): void {
    const contact = this.device.contacts.presence(account, false);
    if (contact !== undefined) journal.afterwards(() => this.device.events.emit('presence', { name: contact.name, online: false }));
  }

  /** Of the key that the contact is known by. */
  async pinOf(name: string): Promise<string> {
    return (await identityOf(name, this.device.accepted(name).identityKey)).pin;
  }

  safetyNumber(name: string): string {
    const { identityKey, changedKey } = this.device.accepted(name);
    this.#shown.set(name, toHex(changedKey ?? identityKey));
    return this.safetyNumberWith(changedKey ?? identityKey);
  }

  safetyNumberWith(identityKey: Uint8Array): string {
    return safetyNumber(this.device.signedIn().session.identityKey, identityKey);
  }

  /** Throws ClientError `pin-changed` when it changed once more since its safety number was shown. */
  async confirmKey(name: string): Promise<void> {
    const { changedKey } = this.device.accepted(name);
    if (changedKey === undefined) return;
    if ((this.#shown.get(name) ?? toHex(changedKey)) !== toHex(changedKey))
      throw new ClientError('pin-changed', `the key of ${name} has changed once more: compare the safety number again`);
    const { account } = await identityOf(name, changedKey);
    this.#warned.delete(name);
    await this.device.step(async (journal) => {
      const before = this.device.accepted(name);
      const contact = { ...before, account, identityKey: changedKey, changedKey: undefined, online: false, acceptedByMe: true };
      this.device.contacts.put(contact, journal);
      journal.afterwards(() => this.device.events.emit('contact', contact));
      await this.device.messenger?.directContinues(before.account, account, stepOf(journal));
    });
  }

  /** Whoever it is may come as often as it likes. */
  #warn(name: string, journal: Journal): void {
    if (Date.now() - (this.#warned.get(name) ?? 0) < WARN_EVERY_MS) return;
    this.#warned.set(name, Date.now());
    journal.afterwards(() => this.device.problem('key-changed', keyChanged(name), name));
  }

  #pin({ account, identityKey, name }: PeerIdentity, before: Contact | undefined, dialed: boolean, journal: Journal): void {
    const made: Contact = { name, status: 'accepted', account, identityKey, online: false, acceptedByMe: dialed };
    const contact = before === undefined ? made : { ...before, changedKey: undefined };
    this.device.contacts.put(contact, journal);
    journal.afterwards(() => this.device.events.emit('contact', contact));
  }
}

function keyChanged(name: string): string {
  return `WARNING: somebody calls itself ${name} and has ANOTHER KEY than ${name} had. It may be somebody else. Nothing is sent to it: compare safety numbers over another way, then confirm`;
}
