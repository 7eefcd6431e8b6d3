import { type Contact as WireContact, ContactState, toHex } from '@sotto/protocol';
import type { Journal } from '../storage/journal.js';

export type ContactStatus = 'pending' | 'requested' | 'accepted' | 'blocked' | 'removed';

export interface Contact {
  readonly name: string;
  readonly status: ContactStatus;
  /** Account id, lower-case hex; empty until accepted. */
  readonly account: string;
  /** The identity key that was pinned when the contact was accepted. */
  readonly identityKey: Uint8Array;
  /** The key that the server names now, while it differs from the pinned one and is not confirmed. */
  readonly changedKey?: Uint8Array | undefined;
  readonly online: boolean;
  readonly acceptedByMe: boolean;
}

export interface ContactChange {
  readonly contact: Contact;
  readonly before: Contact | undefined;
}

const STATUS: Partial<Record<ContactState, ContactStatus>> = {
  [ContactState.PENDING]: 'pending',
  [ContactState.REQUESTED]: 'requested',
  [ContactState.ACCEPTED]: 'accepted',
  [ContactState.BLOCKED]: 'blocked',
  [ContactState.REMOVED]: 'removed',
};

/** This device's mirror of the contact list, with the keys that it pinned. */
export class ContactList {
  /** Since when each account is known to be online. Unix milliseconds. */
  readonly #onlineSince = new Map<string, number>();

  /** By account. */
  readonly #accepted = new Map<string, Contact>();

  constructor(private readonly byName: Map<string, Contact>) {
    for (const contact of byName.values()) this.#keep(contact);
  }

  all(): Contact[] {
    return [...this.byName.values()];
  }

  get(name: string): Contact | undefined {
    return this.byName.get(name);
  }

  byAccount(account: string): Contact | undefined {
    return this.#accepted.get(account);
  }

  /** Somebody whom the user has blocked: by the account, or, where this device never knew that, by the name that goes with it. */
  blocked(account: string, name: string): Contact | undefined {
    for (const contact of this.byName.values()) {
      if (contact.status !== 'blocked') continue;
      if (contact.account === '' ? contact.name === name : contact.account === account) return contact;
    }
    return undefined;
  }

  onlineSince(account: string): number | undefined {
    return this.#onlineSince.get(account);
  }

  /** The whole list, as fetched: what is not in it is gone. */
  replace(rows: readonly WireContact[], journal: Journal): ContactChange[] {
    const names = new Set(rows.map(({ name }) => name));
    const gone = this.all().filter(({ name }) => !names.has(name));
    const removed = gone.map((before) => this.#remove(before, journal));
    return [...removed, ...rows.flatMap((row) => this.apply(row, journal))];
  }

  /** One row; empty when nothing changed but, perhaps, presence. */
  apply(row: WireContact, journal: Journal): ContactChange[] {
    const before = this.byName.get(row.name);
    const status = STATUS[row.state];
    if (status === undefined) return [];
    if (status === 'removed') return before === undefined ? [] : [this.#remove(before, journal)];
    const contact = merged(row, status, before);
    this.#keep(contact);
    if (status === 'accepted') this.#present(contact.account, row.online);
    const changed = before === undefined || before.status !== status || before.changedKey?.join() !== contact.changedKey?.join();
    if (!changed) return [];
    journal.put('contacts', contact.name, { ...contact, online: false });
    return [{ contact, before }];
  }

  /** As it is: of somebody whom no server names. */
  put(contact: Contact, journal: Journal): void {
    this.#keep(contact);
    journal.put('contacts', contact.name, { ...contact, online: false });
  }

  /** The contact, if its presence changed. */
  presence(account: string, online: boolean): Contact | undefined {
    const before = this.byAccount(account);
    if (before === undefined || before.online === online) return undefined;
    const contact = { ...before, online };
    this.#keep(contact);
    this.#present(account, online);
    return contact;
  }

  /** Nothing is known of anyone while there is no connection. */
  forgetPresence(): void {
    this.#onlineSince.clear();
    for (const contact of this.all()) this.#keep({ ...contact, online: false });
  }

  /** The user has compared and trusts the new key. */
  confirmKey(contact: Contact, journal: Journal): Contact {
    const confirmed = { ...contact, identityKey: contact.changedKey ?? contact.identityKey, changedKey: undefined };
    this.put(confirmed, journal);
    return confirmed;
  }

  #keep(contact: Contact): void {
    this.#leaveIndex(contact.name);
    this.byName.set(contact.name, contact);
    if (contact.status === 'accepted') this.#accepted.set(contact.account, contact);
  }

  #leaveIndex(name: string): void {
    const { account } = this.byName.get(name) ?? {};
    if (account !== undefined && this.#accepted.get(account)?.name === name) this.#accepted.delete(account);
  }

  #present(account: string, online: boolean): void {
    if (!online) this.#onlineSince.delete(account);
    else if (!this.#onlineSince.has(account)) this.#onlineSince.set(account, Date.now());
  }

  #remove(before: Contact, journal: Journal): ContactChange {
    this.#leaveIndex(before.name);
    this.byName.delete(before.name);
    journal.remove('contacts', before.name);
    return { contact: { ...before, status: 'removed', online: false }, before };
  }
}

function merged(row: WireContact, status: ContactStatus, before: Contact | undefined): Contact {
  const pinned = before?.status === 'accepted' && before.identityKey.length > 0 ? before.identityKey : row.identityKey;
  const differs = row.identityKey.length > 0 && toHex(pinned) !== toHex(row.identityKey);
  return {
    name: row.name,
    status,
    // The server names no account of somebody who is blocked: who it was is to be known in groups that both are in.
    account: status === 'blocked' ? (before?.account ?? '') : toHex(row.account),
    identityKey: pinned,
    changedKey: differs ? row.identityKey : undefined,
    online: row.online,
    acceptedByMe: row.acceptedByMe,
  };
}
