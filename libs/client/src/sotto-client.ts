import { browserProvider, makeDeviceIdentity, MlsEngine, type MlsProvider, safetyNumber } from '@sotto/mls';
import {
  Accounts,
  AckSchema,
  type Contact as WireContact,
  Contacts,
  ContactState,
  type Event,
  type Frame,
  fromHex,
  Invites,
  KeyPackages,
  Outcome,
  type Receipt,
  Remedy,
  remedyOf,
  SendSchema,
  type Session,
  toHex,
} from '@sotto/protocol';
import { create } from '@bufbuild/protobuf';
import { ClientError, ServerError } from './client-error.js';
import { Connection, type ConnectionState } from './connection/connection.js';
import type { PinPolicy } from './connection/handshake.js';
import type { Link } from './connection/link.js';
import { globalSocketFactory, type SocketFactory } from './connection/socket.js';
import { type Contact, type ContactChange, ContactList } from './contacts/contact-list.js';
import { decodeContent, encodeContent } from './content/content.js';
import { Conversations, type Received } from './conversations/conversations.js';
import { Emitter } from './events.js';
import { CIPHER_SUITE, KeyPackageStock, type StockedKeyPackage } from './key-packages/key-package-stock.js';
import {
  type DeliveryStatus,
  emptyOutbox,
  type OutboxEffect,
  type OutboxEntry,
  type OutboxEvent,
  type OutboxState,
  reduceOutbox,
  restored,
  statusOf,
} from './outbox/outbox.js';
import { exportRecoveryFile, importRecoveryFile } from './session/recovery-file.js';
import { type DeviceSecrets, newSecrets, recordOf, type SessionRecord } from './session/session-record.js';
import { RevokedCapabilities } from './session/revoked-capabilities.js';
import * as signIn from './session/sign-in.js';
import { keyPairOf, newKeyPair, randomBytes, sodiumReady } from './sodium.js';
import { Journal } from './storage/journal.js';
import { decodeRecord } from './storage/record.js';
import type { Store } from './storage/store.js';

const TICK_MS = 1_000;
const ONLINE_RETRY_MS = 5_000;
const RENEW_EVERY_MS = 15_000;
const MAX_TEXT_BYTES = 64 * 1024;

export interface ClientOptions {
  /** wss://… or ws://… */
  readonly url: string;
  /** SHA-256 of the server's identity key, lower-case hex, as an invite link or the operator tells it. */
  readonly pin?: string | undefined;
  /** Asked when no pin is known, before anything secret is sent. Without it such a server is refused. */
  readonly onNewPin?: ((pin: string) => boolean | Promise<boolean>) | undefined;
  readonly store: Store;
  readonly socket?: SocketFactory | undefined;
  /** Defaults to the one that runs everywhere; @sotto/client/node brings a faster one. */
  readonly mlsProvider?: MlsProvider | undefined;
}

export interface Message {
  /** The content id: the same on all devices. */
  readonly id: string;
  /** The sender's name. */
  readonly from: string;
  readonly text: string;
  /** Unix milliseconds by the sender's clock. */
  readonly sentAt: number;
  readonly receivedAt: number;
  /** The contact whose conversation it is. */
  readonly conversation: string;
}

export interface QueuedMessage {
  readonly id: string;
  readonly to: string;
  readonly text: string;
  readonly sentAt: number;
  readonly status: DeliveryStatus;
}

export interface ClientEvents {
  state: ConnectionState;
  contact: Contact;
  presence: { name: string; online: boolean };
  message: Message;
  delivery: { id: string; status: DeliveryStatus };
  /** Something the user should know; `code` is stable, `text` is for people. */
  problem: {
    code: 'key-changed' | 'device-renewed' | 'unreadable' | 'storage-failed' | 'call-failed' | 'session-revoked' | 'pending-device';
    text: string;
    contact?: string;
  };
}

export interface Account {
  readonly name: string;
  readonly account: string;
  readonly device: string;
  readonly server: string;
  /** The account's identity key must confirm this device first: recovery file, or reset. */
  readonly pending: boolean;
}

/** One device of one account. Everything that changes its state runs one step after the other. */
export class SottoClient {
  readonly #events = new Emitter<ClientEvents>();
  readonly #connection: Connection;
  #steps: Promise<unknown> = Promise.resolve();
  #secrets: DeviceSecrets | undefined;
  #session: SessionRecord | undefined;
  #pin: string | undefined;
  #engine: MlsEngine | undefined;
  #contacts = new ContactList(new Map());
  #stock = new KeyPackageStock(new Map(), new Uint8Array());
  #conversations: Conversations | undefined;
  #revoked = new RevokedCapabilities(new Map());
  /** The last re-attachment that a revocation asked for. */
  #reattached: Promise<void> = Promise.resolve();
  #outbox: OutboxState = emptyOutbox();
  #order = 0;
  readonly #renewed = new Map<string, number>();
  readonly #ticker: ReturnType<typeof setInterval>;
  #closed = false;

  private constructor(private readonly options: ClientOptions) {
    this.#connection = new Connection({
      url: options.url,
      socket: options.socket ?? globalSocketFactory(),
      pinPolicy: () => this.#pinPolicy(),
      attach: (link) => this.#resume(link),
      onFrames: (frames) => void this.#step((journal) => this.#receive(frames, journal)).catch(() => undefined),
      onState: (state) => this.#connectionState(state),
    });
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Opens the store. `resume`, `logIn` or `register` connects. */
  static async open(options: ClientOptions): Promise<SottoClient> {
    await sodiumReady();
    const client = new SottoClient(options);
    try {
      await client.#load();
    } catch (error) {
      await client.close();
      throw error;
    }
    return client;
  }

  on<Name extends keyof ClientEvents>(event: Name, listener: (value: ClientEvents[Name]) => void): () => void {
    return this.#events.on(event, listener);
  }

  /** The account of this device, or undefined before the first log-in. */
  get account(): Account | undefined {
    const session = this.#session;
    if (session === undefined) return undefined;
    const { name, account, device, server, pending } = session;
    return { name, account, device, server, pending };
  }

  /** The pin of the server, once it is known. */
  get pin(): string | undefined {
    return this.#pin ?? this.options.pin;
  }

  // --- session

  /** Makes an account; the name that it got may carry a tag. Throws ServerError, ClientError. */
  async register(name: string, password: string, invite = ''): Promise<Account> {
    const secrets = newSecrets(newKeyPair().seed);
    return this.#signIn(secrets, false, (link) => signIn.register(link, secrets, { name, password, invite }));
  }

  /** Makes a new device of an account. It is pending until it is confirmed, unless this store holds the account's identity key. */
  async logIn(name: string, password: string): Promise<Account> {
    const secrets = newSecrets(this.#secrets?.identitySeed);
    const account = await this.#signIn(secrets, true, (link) => signIn.logIn(link, secrets, { name, password }));
    const ours =
      secrets.identitySeed !== undefined && toHex(keyPairOf(secrets.identitySeed).publicKey) === toHex(this.#session!.identityKey);
    if (account.pending && ours) return this.#confirm(secrets);
    if (account.pending) this.#problem('pending-device', 'this device waits: give the recovery file, or reset the account key');
    return account;
  }

  /** Connects the device that the store holds, and keeps it connected. False when the store holds none. */
  async resume(): Promise<boolean> {
    if (this.#session === undefined) return false;
    await this.#connection.connect();
    return true;
  }

  async confirmByRecoveryFile(file: Uint8Array, passphrase: string): Promise<Account> {
    const identitySeed = await importRecoveryFile(file, passphrase);
    const { session, secrets } = this.#signedIn();
    if (toHex(keyPairOf(identitySeed).publicKey) !== toHex(session.identityKey)) {
      throw new ClientError('bad-recovery-file', "this recovery file is of another account, or older than the account's key");
    }
    return this.#confirm({ ...secrets, identitySeed });
  }

  /** A new identity key: every contact sees a change that it must confirm. */
  async resetIdentity(password: string): Promise<Account> {
    const secrets = { ...this.#signedIn().secrets, identitySeed: newKeyPair().seed };
    await this.#step(async (journal) => journal.put('session', 'next-secrets', secrets));
    const session = await signIn.resetIdentity(this.#link(), secrets, password);
    return this.#becomes(session, secrets, true);
  }

  async recoveryFile(passphrase: string): Promise<Uint8Array> {
    const { identitySeed } = this.#signedIn().secrets;
    if (identitySeed === undefined) throw new ClientError('not-logged-in', "this device does not hold the account's identity key");
    return exportRecoveryFile(identitySeed, passphrase);
  }

  /** Ends all other sessions of the account. */
  async changePassword(oldPassword: string, newPassword: string): Promise<void> {
    const { secrets, session: before } = this.#signedIn();
    const deviceAuthKey = keyPairOf(secrets.authSeed).publicKey;
    const session = await this.#link().call(Accounts.method.changePassword, { oldPassword, newPassword, deviceAuthKey });
    await this.#keepSession(session, secrets, before.fresh);
  }

  async deleteAccount(password: string): Promise<void> {
    await this.#link().call(Accounts.method.deleteAccount, { password });
    this.#connection.refuse('the account is deleted');
  }

  /** An invite code; the link is made of the server's address, this and the pin. */
  async invite(name = '', lifetimeSeconds = 0): Promise<{ code: string; expires: Date }> {
    const { code, expires } = await this.#link().call(Invites.method.create, { name, lifetime: lifetimeSeconds });
    return { code, expires: new Date(Number(expires) * 1_000) };
  }

  // --- contacts

  contacts(): Contact[] {
    return this.#contacts.all();
  }

  async requestContact(name: string): Promise<void> {
    await this.#link().call(Contacts.method.request, { name });
    await this.#refreshContacts();
  }

  async accept(name: string): Promise<void> {
    const { contact } = await this.#link().call(Contacts.method.accept, { name });
    if (contact !== undefined) await this.#step((journal) => this.#contactRows([contact], journal));
  }

  async decline(name: string): Promise<void> {
    await this.#link().call(Contacts.method.decline, { name });
    await this.#refreshContacts();
  }

  async remove(name: string): Promise<void> {
    await this.#link().call(Contacts.method.remove, { name });
    await this.#refreshContacts();
  }

  /** Once it resolves, nothing that the contact holds reaches this device: a fresh connection has told the server. */
  async block(name: string): Promise<void> {
    const { revokeCapabilities } = await this.#link().call(Contacts.method.block, { name });
    await this.#step(async (journal) => {
      this.#revoke(revokeCapabilities.map(toHex), journal);
      await this.#fetchContacts(journal);
    });
    await this.#reattached;
  }

  async unblock(name: string): Promise<void> {
    await this.#link().call(Contacts.method.unblock, { name });
    await this.#refreshContacts();
  }

  /** For two people to compare; the same on both sides. */
  safetyNumber(name: string): string {
    const contact = this.#accepted(name);
    return safetyNumber(this.#signedIn().session.identityKey, contact.changedKey ?? contact.identityKey);
  }

  /** Trusts the key that a contact has now, after its account key changed. */
  async confirmKey(name: string): Promise<void> {
    await this.#step(async (journal) => {
      const contact = this.#contacts.confirmKey(this.#accepted(name), journal);
      await this.#begin(contact, journal);
    });
  }

  // --- messages

  /** Resolves with the content id once the message is durable here; `delivery` tells the rest. */
  async send(name: string, text: string): Promise<string> {
    const contact = this.#accepted(name);
    if (new TextEncoder().encode(text).length > MAX_TEXT_BYTES) throw new ClientError('too-long', 'a message has at most 64 KiB');
    const id = toHex(randomBytes(16));
    await this.#step(async (journal) => {
      const now = Date.now();
      const plaintext = encodeContent({ text, sentAt: now });
      this.#add(
        { id, kind: 'message', account: contact.account, order: this.#nextOrder(), plaintext, createdAt: now, recipients: {} },
        journal,
      );
      this.#keepMessage({ id, from: this.#signedIn().session.name, text, sentAt: now, receivedAt: now, conversation: name }, journal);
      await this.#sealWaiting(contact.account, journal);
      if (this.#conversations?.writableGroup(contact.account) === undefined && this.#mayBegin(contact)) await this.#begin(contact, journal);
    });
    return id;
  }

  /** What is not yet delivered, oldest first. */
  queue(): QueuedMessage[] {
    return this.#entries()
      .filter(({ kind }) => kind === 'message')
      .map((entry) => {
        const content = decodeContent(entry.plaintext);
        const to = this.#contacts.byAccount(entry.account)?.name ?? entry.account;
        return { id: entry.id, to, text: content?.text ?? '', sentAt: entry.createdAt, status: statusOf(entry) };
      });
  }

  /** Gives up a queued message. What is on its way may still arrive. */
  async discard(id: string): Promise<void> {
    await this.#step(async (journal) => this.#reduce({ kind: 'discarded', id }, journal));
  }

  /** Messages of a conversation in the order in which this device stored them. */
  async history(name: string): Promise<Message[]> {
    const records = await this.options.store.load('messages');
    const all = [...records.values()].map((bytes) => decodeRecord<Message>(bytes));
    return all.filter(({ conversation }) => conversation === name).sort((a, b) => a.receivedAt - b.receivedAt);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    clearInterval(this.#ticker);
    await this.#steps;
    this.#closed = true;
    this.#connection.close();
    await this.options.store.close();
  }

  // --- steps

  /** One after the other; its effects are durable before anything of it leaves the device. */
  #step<T>(work: (journal: Journal) => Promise<T>): Promise<T> {
    const run = async (): Promise<T> => {
      if (this.#closed) throw new ClientError('closed', 'the client is closed');
      const journal = new Journal(this.options.store);
      try {
        const result = await work(journal);
        await journal.commit();
        return result;
      } catch (error) {
        await this.#keepWhatHappened(error, journal);
        throw error;
      }
    };
    const result = this.#steps.then(run);
    this.#steps = result.catch(() => undefined);
    return result;
  }

  /** A step that ends early, say by a call that was refused, has moved the state in memory: the disk must follow, or an MLS generation is used twice. */
  async #keepWhatHappened(error: unknown, journal: Journal): Promise<void> {
    if (error instanceof ClientError && error.reason === 'storage-failed') return this.#storageFailed(error);
    await journal.commit().catch((failure: unknown) => this.#storageFailed(failure as ClientError));
  }

  /** Memory is ahead of the disk now: nothing may be acknowledged or sent from it. */
  #storageFailed(error: ClientError): void {
    this.#problem('storage-failed', error.message);
    clearInterval(this.#ticker);
    this.#connection.refuse(error.message);
    this.#closed = true;
  }

  async #load(): Promise<void> {
    const { store } = this.options;
    const [session, contacts, groups, packages, seen, outbox, revoked] = await Promise.all(
      ['session', 'contacts', 'groups', 'key-packages', 'seen', 'outbox', 'revoked'].map((collection) => store.load(collection)),
    );
    const one = <T>(key: string): T | undefined => (session!.has(key) ? decodeRecord<T>(session!.get(key)!) : undefined);
    this.#secrets = one<DeviceSecrets>('secrets');
    this.#session = one<SessionRecord>('session');
    this.#pin = one<{ pin: string }>('pin')?.pin;
    this.#contacts = new ContactList(recordsOf<Contact>(contacts!));
    this.#revoked = new RevokedCapabilities(recordsOf<number>(revoked!));
    const entries = [...recordsOf<OutboxEntry>(outbox!)].map(([id, entry]) => [id, restored(entry)] as const);
    this.#outbox = { ...emptyOutbox(), entries: new Map(entries) };
    this.#order = Math.max(0, ...entries.map(([, { order }]) => order));
    if (this.#secrets !== undefined) await this.#prepare(recordsOf(packages!), recordsOf(groups!), new Set(seen!.keys()));
  }

  /** Engine and conversations, as far as the device has what they need. */
  async #prepare(packages: Map<string, StockedKeyPackage>, groups: Conversations['groups'], seen: Set<string>): Promise<void> {
    const session = this.#session;
    const secrets = this.#secrets!;
    this.#stock = new KeyPackageStock(packages, secrets.deliveryKey);
    if (session === undefined || session.pending || secrets.identitySeed === undefined) return;
    const provider = this.options.mlsProvider ?? browserProvider;
    const { publicKey, seed } = keyPairOf(secrets.mlsSeed);
    const { server, account, device, name, identityKey } = session;
    const identity = makeDeviceIdentity(
      provider,
      { server, account, device, accountName: name, accountKey: identityKey },
      secrets.identitySeed,
      publicKey,
    );
    this.#engine = await MlsEngine.create({ provider, server, identity, signatureKeys: { publicKey, secretKey: seed } });
    const contactOf = (id: string) => this.#contacts.byAccount(id);
    this.#conversations = new Conversations(groups, seen, this.#engine, this.#stock, secrets.deliveryKey, contactOf);
  }

  // --- connection

  #pinPolicy(): PinPolicy {
    return { pin: this.options.pin ?? this.#pin, onNewPin: this.options.onNewPin };
  }

  async #signIn(secrets: DeviceSecrets, fresh: boolean, ask: (link: Link) => Promise<Session>): Promise<Account> {
    const link = await this.#connection.openLink();
    try {
      // Kept before the server knows them: an account must not end up with a key that nobody has.
      await this.#step(async (journal) => {
        journal.put('session', 'next-secrets', secrets);
        journal.put('session', 'pin', { pin: link.pin });
        this.#pin = link.pin;
      });
      const session = await ask(link);
      await this.#keepSession(session, secrets, fresh);
      await this.#attach(link, session.accessToken);
      this.#connection.adopt(link);
      return this.account!;
    } catch (error) {
      link.close(new ClientError('closed', 'not signed in'));
      throw error;
    }
  }

  async #resume(link: Link): Promise<void> {
    const { session, secrets } = this.#signedIn();
    const next = await signIn.resume(link, secrets, session);
    await this.#keepSession(next, secrets, session.fresh);
    await this.#attach(link, next.accessToken);
  }

  async #attach(link: Link, accessToken: string): Promise<void> {
    this.#outbox = { ...this.#outbox, retryWindowMs: await signIn.attach(link, this.#secrets!, accessToken, this.#revoked.wire()) };
  }

  async #confirm(secrets: DeviceSecrets): Promise<Account> {
    const session = await signIn.confirmDevice(this.#link(), secrets, this.#signedIn().session);
    return this.#becomes(session, secrets, true);
  }

  /** The device's standing has changed: a new connection carries it. */
  async #becomes(session: Session, secrets: DeviceSecrets, fresh: boolean): Promise<Account> {
    await this.#keepSession(session, secrets, fresh);
    await this.#connection.connect();
    return this.account!;
  }

  #keepSession(session: Session, secrets: DeviceSecrets, fresh: boolean): Promise<void> {
    return this.#step(async (journal) => {
      const before = this.#session;
      const sameDevice = before?.device === toHex(session.device);
      const record = recordOf(session, fresh, before);
      const sameStanding = sameDevice && before.pending === record.pending && toHex(before.identityKey) === toHex(record.identityKey);
      if (this.#secrets !== undefined && toHex(this.#secrets.deliveryKey) !== toHex(secrets.deliveryKey)) this.#revoked.clear(journal);
      this.#session = record;
      this.#secrets = secrets;
      journal.put('session', 'session', record);
      journal.put('session', 'secrets', secrets);
      journal.remove('session', 'next-secrets');
      if (sameStanding && this.#engine !== undefined) return;
      const keep = sameDevice && this.#conversations !== undefined;
      if (!keep) this.#forgetDevice(journal);
      await this.#prepare(new Map(keep ? this.#stock.packages : []), new Map(keep ? this.#conversations!.groups : []), new Set());
    });
  }

  /** Another device from here on: what belonged to the keys of the one before is of no use. */
  #forgetDevice(journal: Journal): void {
    for (const capability of this.#stock.packages.keys()) journal.remove('key-packages', capability);
    for (const group of this.#conversations?.groups.keys() ?? []) journal.remove('groups', group);
    for (const { id, kind, sealed } of this.#entries()) {
      if (kind === 'welcome') this.#reduce({ kind: 'discarded', id }, journal);
      else if (sealed !== undefined) this.#reduce({ kind: 'unsealed', id }, journal);
    }
    this.#conversations = undefined;
    this.#engine = undefined;
  }

  #connectionState(state: ConnectionState): void {
    this.#events.emit('state', state);
    if (state.state === 'online') this.#goOnline();
    else if (this.#outbox.online) void this.#step(async (journal) => this.#offline(journal)).catch(() => undefined);
  }

  #goOnline(): void {
    const link = this.#connection.link;
    void this.#step((journal) => this.#online(journal)).catch((error: unknown) => {
      this.#failed(error);
      // Part of the server is away: the link stands, so only this is tried again.
      if (!this.#closed && link !== undefined && !link.closed)
        setTimeout(() => link === this.#connection.link && this.#goOnline(), ONLINE_RETRY_MS);
    });
  }

  #offline(journal: Journal): void {
    this.#reduce({ kind: 'detached' }, journal);
    this.#contacts.forgetPresence();
  }

  async #online(journal: Journal): Promise<void> {
    const link = this.#connection.link;
    if (link === undefined || this.#engine === undefined) return;
    this.#reduce({ kind: 'attached', retryWindowMs: this.#outbox.retryWindowMs }, journal);
    // Before the contacts: whoever sees us online may claim at once.
    await this.#stock.topUp(link, this.#engine, journal).catch((error: unknown) => this.#topUpFailed(error));
    const { contacts } = await link.call(Contacts.method.list, {});
    await this.#contactChanges(this.#contacts.replace(contacts, journal), journal);
    for (const contact of this.#contacts.all()) {
      if (contact.status !== 'accepted' || !contact.online) continue;
      journal.afterwards(() => this.#events.emit('presence', { name: contact.name, online: true }));
      await this.#contactOnline(contact, journal);
    }
  }

  // --- what arrives

  async #receive(frames: Frame[], journal: Journal): Promise<void> {
    const link = this.#connection.link;
    for (const { kind } of frames) {
      if (kind.case === 'deliver') {
        const outcome = await this.#deliver(kind.value.payload, journal);
        const ack = create(AckSchema, { handle: kind.value.handle, outcome });
        journal.afterwards(() => link?.send({ case: 'ack', value: ack }));
      } else if (kind.case === 'receipt') this.#receipt(kind.value, journal);
      else if (kind.case === 'event') await this.#event(kind.value, journal);
    }
  }

  async #deliver(payload: Uint8Array, journal: Journal): Promise<Outcome> {
    if (this.#conversations === undefined) return Outcome.CANNOT;
    let received = await this.#conversations.open(payload, journal);
    if (received.kind === 'cannot' && received.cause.startsWith('a Welcome')) {
      // The Welcome may be faster than the news that the contact accepted.
      await this.#fetchContacts(journal).catch(() => undefined);
      received = await this.#conversations.open(payload, journal);
    }
    return this.#received(received, journal);
  }

  async #received(received: Received, journal: Journal): Promise<Outcome> {
    if (received.kind === 'duplicate') return Outcome.STORED;
    if (received.kind === 'cannot') {
      journal.afterwards(() => this.#problem('unreadable', `a message could not be read: ${received.cause}`));
      return Outcome.CANNOT;
    }
    const name = this.#contacts.byAccount(received.account)?.name ?? received.account;
    if (received.kind === 'joined') {
      if (received.renewed)
        journal.afterwards(() => this.#problem('device-renewed', `${name} has a new device: a new conversation begins`, name));
      await this.#sealWaiting(received.account, journal, received.renewed);
      return Outcome.STORED;
    }
    const content = decodeContent(received.plaintext);
    if (content === undefined) {
      journal.afterwards(() => this.#problem('unreadable', `${name} sent what this version cannot show`, name));
      return Outcome.STORED;
    }
    this.#keepMessage({ id: received.contentId, from: name, ...content, receivedAt: Date.now(), conversation: name }, journal, true);
    return Outcome.STORED;
  }

  #keepMessage(message: Message, journal: Journal, tell = false): void {
    journal.put('messages', `${message.conversation}/${message.id}`, message);
    if (tell) journal.afterwards(() => this.#events.emit('message', message));
  }

  #receipt({ id, device, status, relay, error }: Receipt, journal: Journal): void {
    this.#reduce(
      {
        kind: 'receipt',
        sendId: toHex(id),
        device: toHex(device),
        status,
        relay,
        retryAfterMs: error?.retryAfterMs ?? 0,
        final: error !== undefined && remedyOf(error.code) === Remedy.NEVER_RETRY,
        onlineSince: (account) => this.#contacts.onlineSince(account),
      },
      journal,
    );
  }

  async #event({ kind }: Event, journal: Journal): Promise<void> {
    switch (kind.case) {
      case 'contact':
        return this.#contactRows([kind.value], journal);
      case 'presence':
        return this.#presence(toHex(kind.value.account), kind.value.online, journal);
      case 'keyPackagesLow': {
        const link = this.#connection.link;
        if (link && this.#engine) await this.#stock.topUp(link, this.#engine, journal).catch((error: unknown) => this.#topUpFailed(error));
        return;
      }
      case 'sessionRevoked':
        this.#problem('session-revoked', 'this session was ended: log in again');
        return this.#connection.refuse('the session was revoked');
      case 'goingAway':
        return this.#connection.goAway(kind.value.withinMs);
      default:
        return;
    }
  }

  // --- contacts

  #refreshContacts(): Promise<void> {
    return this.#step((journal) => this.#fetchContacts(journal));
  }

  async #fetchContacts(journal: Journal): Promise<void> {
    const { contacts } = await this.#link().call(Contacts.method.list, {});
    await this.#contactChanges(this.#contacts.replace(contacts, journal), journal);
  }

  async #contactRows(rows: WireContact[], journal: Journal): Promise<void> {
    for (const row of rows) {
      await this.#contactChanges(this.#contacts.apply(row, journal), journal);
      const contact = this.#contacts.get(row.name);
      if (row.state === ContactState.ACCEPTED && row.online && contact) await this.#contactOnline(contact, journal);
    }
  }

  async #contactChanges(changes: ContactChange[], journal: Journal): Promise<void> {
    for (const { contact, before } of changes) {
      journal.afterwards(() => this.#events.emit('contact', contact));
      if (contact.changedKey !== undefined) {
        const text = `the key of ${contact.name} has changed: compare safety numbers, then confirm`;
        journal.afterwards(() => this.#problem('key-changed', text, contact.name));
      }
      if (before?.status === 'accepted' && contact.status !== 'accepted')
        this.#revoke(this.#conversations?.leave(before.account, journal) ?? [], journal);
      if (contact.status === 'accepted' && before?.status !== 'accepted' && this.#mayBegin(contact))
        await this.#beginIfNone(contact, journal);
    }
  }

  /** Attach is what tells the server: a fresh connection makes it effective at once. */
  #revoke(capabilities: readonly string[], journal: Journal): void {
    const fresh = this.#revoked.add(capabilities, journal);
    if (fresh.length === 0) return;
    this.#stock.discard(fresh, journal);
    this.#conversations?.retireReachedBy(fresh, journal);
    journal.afterwards(() => {
      this.#reattached = this.#connection.connect();
    });
  }

  async #presence(account: string, online: boolean, journal: Journal): Promise<void> {
    const contact = this.#contacts.presence(account, online);
    if (contact === undefined) return;
    journal.afterwards(() => this.#events.emit('presence', { name: contact.name, online }));
    if (online) await this.#contactOnline(contact, journal);
  }

  async #contactOnline(contact: Contact, journal: Journal): Promise<void> {
    if (this.#mayBegin(contact)) await this.#beginIfNone(contact, journal);
    this.#reduce({ kind: 'contact-online', account: contact.account }, journal);
  }

  // --- conversations

  /** The side that accepted makes the group; so does a device that nobody knows yet. */
  #mayBegin(contact: Contact): boolean {
    if (contact.changedKey !== undefined) return false;
    return contact.acceptedByMe || this.#session?.fresh === true || this.#conversations?.needsNewGroup(contact.account) === true;
  }

  async #beginIfNone(contact: Contact, journal: Journal): Promise<void> {
    if (this.#conversations?.writableGroup(contact.account) === undefined) await this.#begin(contact, journal);
  }

  /** A new group with all devices of the contact, if key packages are to be had; else at its next online event. */
  async #begin(contact: Contact, journal: Journal, onlyIfNewDevices = false): Promise<void> {
    const link = this.#connection.link;
    if (link === undefined || this.#conversations === undefined) return;
    try {
      const { keyPackages } = await link.call(KeyPackages.method.claim, { account: fromHex(contact.account), cipherSuite: CIPHER_SUITE });
      if (keyPackages.length === 0) return;
      const known = this.#conversations.devicesOf(contact.account);
      if (onlyIfNewDevices && keyPackages.every(({ device }) => known.has(toHex(device)))) return;
      const { group, payload, tokens } = await this.#conversations.begin(
        contact,
        keyPackages.map(({ keyPackage }) => keyPackage),
        journal,
      );
      this.#dropWelcomes(contact.account, journal);
      const id = toHex(randomBytes(16));
      const first =
        Math.min(
          this.#order,
          ...this.#entries()
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
      this.#reduce({ kind: 'sealed', id, sealed: { sendId: toHex(randomBytes(16)), group, payload }, tokens }, journal);
      await this.#sealWaiting(contact.account, journal, true);
    } catch (error) {
      if (error instanceof ClientError && error.reason === 'storage-failed') throw error;
      this.#failed(error);
    }
  }

  #dropWelcomes(account: string, journal: Journal): void {
    for (const entry of this.#entries()) {
      if (entry.kind === 'welcome' && entry.account === account) this.#reduce({ kind: 'discarded', id: entry.id }, journal);
    }
  }

  /** Seals what has no sealing yet; with `again`, also what no device has taken, for the group that is written now. */
  async #sealWaiting(account: string, journal: Journal, again = false): Promise<void> {
    const group = this.#conversations?.writableGroup(account);
    if (group === undefined) return;
    for (const entry of this.#entries()) {
      if (entry.account !== account || entry.kind !== 'message') continue;
      const lost = again && entry.sealed !== undefined && entry.sealed.group !== group && statusOf(entry) !== 'delivered';
      if (entry.sealed !== undefined && !lost) continue;
      const { payload, tokens } = await this.#conversations!.seal(group, entry.id, entry.plaintext, journal);
      this.#reduce({ kind: 'sealed', id: entry.id, sealed: { sendId: toHex(randomBytes(16)), group, payload }, tokens }, journal);
    }
  }

  /** At most once in a while for a contact: each try spends key packages. */
  #renew(account: string, force: boolean): void {
    const now = Date.now();
    if (now - (this.#renewed.get(account) ?? 0) < RENEW_EVERY_MS) return;
    this.#renewed.set(account, now);
    void this.#step(async (journal) => {
      const contact = this.#contacts.byAccount(account);
      if (contact !== undefined && contact.changedKey === undefined) await this.#begin(contact, journal, !force);
    }).catch((error: unknown) => this.#failed(error));
  }

  // --- outbox

  #entries(): OutboxEntry[] {
    return [...this.#outbox.entries.values()].sort((a, b) => a.order - b.order);
  }

  #nextOrder(): number {
    return ++this.#order;
  }

  #add(entry: OutboxEntry, journal: Journal): void {
    this.#reduce({ kind: 'added', entry }, journal);
  }

  #tick(): void {
    if (this.#outbox.online && this.#outbox.entries.size > 0) {
      void this.#step(async (journal) => this.#reduce({ kind: 'ticked' }, journal)).catch(() => undefined);
    }
  }

  #reduce(event: OutboxEvent, journal: Journal): void {
    const { state, effects } = reduceOutbox(this.#outbox, event, Date.now());
    this.#outbox = state;
    const cannot = [...state.entries.values()].some(({ recipients }) =>
      Object.values(recipients).some(({ status }) => status === 'cannot'),
    );
    for (const effect of effects) this.#effect(effect, cannot, journal);
  }

  #effect(effect: OutboxEffect, cannot: boolean, journal: Journal): void {
    switch (effect.kind) {
      case 'save':
        return journal.put('outbox', effect.entry.id, effect.entry);
      case 'remove':
        return journal.remove('outbox', effect.id);
      case 'status':
        return journal.afterwards(() => this.#events.emit('delivery', { id: effect.id, status: effect.status }));
      case 'renew':
        return journal.afterwards(() => this.#renew(effect.account, cannot));
      case 'send': {
        const recipients = effect.devices.map((device, i) => ({ device: fromHex(device), token: effect.tokens[i]! }));
        const ttl = Math.ceil(this.#outbox.retryWindowMs / 1_000);
        const value = create(SendSchema, { id: fromHex(effect.sendId), recipients, payload: effect.payload, ttl });
        return journal.afterwards(() => this.#connection.link?.send({ case: 'send', value }));
      }
    }
  }

  // --- small things

  #link(): Link {
    const { link } = this.#connection;
    if (link === undefined) throw new ClientError('offline', 'there is no connection to the server');
    return link;
  }

  #signedIn(): { session: SessionRecord; secrets: DeviceSecrets } {
    if (this.#session === undefined || this.#secrets === undefined) throw new ClientError('not-logged-in', 'log in first');
    return { session: this.#session, secrets: this.#secrets };
  }

  #accepted(name: string): Contact {
    const contact = this.#contacts.get(name);
    if (contact === undefined) throw new ClientError('unknown-contact', `${name} is no contact`);
    if (contact.status !== 'accepted') throw new ClientError('not-accepted', `${name} is not a contact yet (${contact.status})`);
    return contact;
  }

  #problem(code: ClientEvents['problem']['code'], text: string, contact?: string): void {
    this.#events.emit('problem', contact === undefined ? { code, text } : { code, text, contact });
  }

  /** Counted again at the next attach. */
  #topUpFailed(error: unknown): void {
    if (error instanceof ClientError && error.reason === 'storage-failed') throw error;
    this.#failed(error);
  }

  #failed(error: unknown): void {
    if (this.#closed || (error instanceof ClientError && (error.reason === 'offline' || error.reason === 'closed'))) return;
    const text = error instanceof ServerError || error instanceof ClientError ? error.message : 'a step of the client failed';
    this.#problem('call-failed', text);
  }
}

function recordsOf<T>(records: Map<string, Uint8Array>): Map<string, T> {
  return new Map([...records].map(([key, bytes]) => [key, decodeRecord<T>(bytes)]));
}
