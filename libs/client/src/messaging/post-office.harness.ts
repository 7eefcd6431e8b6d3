import { accountKeyPair, deviceKeys, makeDeviceIdentity, MlsEngine, type Member, type MlsProvider, type SigningKeyPair } from '@sotto/mls';
import { nodeProvider } from '@sotto/mls/node';
import { fromBinary } from '@bufbuild/protobuf';
import { type Envelope, EnvelopeSchema, fromHex, Outcome, ReceiptStatus, toHex } from '@sotto/protocol';
import type { Rung, Step } from '../groups/group-ports.js';
import { GROUP_RULES, type GroupRules } from '../groups/group-rules.js';
import { KeyPackageStock, type StockedKeyPackage } from '../key-packages/key-package-stock.js';
import { load } from '../groups/stored-groups.js';
import { deliveryToken, sodiumReady } from '../sodium.js';
import { Journal } from '../storage/journal.js';
import { MemoryStore } from '../storage/memory.store.js';
import type { Change, Store } from '../storage/store.js';
import { Messenger } from './messenger.js';
import type { IncomingReceipt, MessengerNotice, MessengerPorts, OutgoingSend } from './messenger-ports.js';

const SERVER = 'chat.example';
const DAY_SECONDS = 86_400;
const RETRY_WINDOW_MS = 30_000;
export const COLLECTIONS = [
  ...['groups', 'commits', 'own-commits', 'epochs', 'ratchets', 'log', 'later'],
  ...['outbox', 'outbox-settled', 'contents', 'seen', 'invitations', 'join-packages'],
];
/** Deliveries after which a story counts as one that never ends. */
const ENDLESS = 3_000;

/** What travels, as the script of a story sees it. */
export interface Letter {
  readonly from: Phone;
  readonly to: Phone;
  readonly kind: NonNullable<Envelope['kind']['case']>;
  readonly payload: Uint8Array;
}

interface Parcel extends Letter {
  readonly id: string;
  readonly held: boolean;
  readonly until: number;
}

interface Assumed {
  readonly account: string;
  readonly accountName: string;
  readonly device: string;
  readonly key: SigningKeyPair;
  readonly provider?: MlsProvider;
}

/** The device has died in a step, and nothing of that is on its disk. */
export class Crash extends Error {}

/** Dies at one commit: with nothing of it on the disk, or with all of it and nothing of what was to follow. */
class MortalStore implements Store {
  commits = 0;
  diesAt: { readonly commit: number; readonly durable: boolean } | undefined;

  constructor(public disk: MemoryStore) {}

  load(collection: string): Promise<Map<string, Uint8Array>> {
    return this.disk.load(collection);
  }

  get(collection: string, keys: readonly string[]): Promise<Map<string, Uint8Array>> {
    return this.disk.get(collection, keys);
  }

  async commit(batch: readonly Change[]): Promise<void> {
    const dies = this.diesAt?.commit === ++this.commits;
    if (!dies || this.diesAt?.durable === true) await this.disk.commit(batch);
    if (!dies) return;
    this.diesAt = undefined;
    throw new Crash();
  }

  close(): Promise<void> {
    return this.disk.close();
  }
}

/** The same bytes for the same seed, so that a story goes the same way each time. */
function seeded(seed: string): MlsProvider {
  let state = nodeProvider.sha256(new TextEncoder().encode(seed));
  const randomBytes = (length: number) => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 32) {
      state = nodeProvider.sha256(state);
      bytes.set(nodeProvider.hmacSha256(state, state).subarray(0, length - at), at);
    }
    return bytes;
  };
  return { ...nodeProvider, randomBytes };
}

/** A relay, a directory and a clock, as simple as can be; what gets lost is up to the story. */
export class PostOffice {
  now = 1_800_000_000_000;
  /** What never arrives. */
  loses: (letter: Letter) => boolean = () => false;
  /** What never reaches the relay: it says nothing to it. */
  ignores: (letter: Letter) => boolean = () => false;
  /** What the relay refuses for good. */
  refuses: (letter: Letter) => boolean = () => false;
  /** What its recipient says to be unable to read, without having looked. */
  answersCannot: (letter: Letter) => boolean = () => false;
  forgetsSlots = false;
  /** Everything that was handed over, in order, as `welcome alice → bob`. */
  readonly journey: string[] = [];
  readonly phones: Phone[] = [];
  readonly slots = new Map<string, string>();
  readonly accounts = new Map<string, SigningKeyPair>();
  readonly #work: (() => Promise<void> | void)[] = [];
  #parcels: Parcel[] = [];
  #handles = new Map<bigint, Parcel>();
  #lastHandle = 0n;

  /** Contacts of each other, each with one device, and online. */
  async people(...names: string[]): Promise<Phone[]> {
    await sodiumReady();
    const phones = [];
    for (const name of names) phones.push(await this.phone(name));
    for (const a of phones) for (const b of phones) if (a !== b) a.befriend(b);
    for (const phone of phones) await phone.online();
    await this.settle();
    return phones;
  }

  /** A device of an account: `alice` or `alice/laptop`. */
  async phone(name: string): Promise<Phone> {
    await sodiumReady();
    const phone = await Phone.make(name, this);
    this.phones.push(phone);
    return phone;
  }

  later(work: () => Promise<void> | void): void {
    this.#work.push(work);
  }

  /** Until nothing is on its way any more. */
  async settle(): Promise<void> {
    for (let done = 0; this.#work.length > 0; done++) {
      if (done > ENDLESS) throw new Error(`this never ends: ${this.journey.slice(-20).join(', ')}`);
      await this.#work.shift()!();
    }
  }

  /** Time goes by, and everybody notices every second, or as rarely as the story says. */
  async pass(ms: number, everyMs = 1_000): Promise<void> {
    for (const end = this.now + ms; this.now < end;) {
      this.now = Math.min(end, this.now + everyMs);
      this.#expire();
      for (const phone of this.phones) await phone.tick();
      await this.settle();
    }
  }

  // --- relay

  take(from: Phone, send: OutgoingSend): void {
    this.later(() => this.#admit(from, send));
  }

  #admit(from: Phone, { id, recipients, payload, held, slot }: OutgoingSend): Promise<void> | void {
    const { case: kind } = fromBinary(EnvelopeSchema, payload).kind;
    if (kind === undefined) return;
    if (this.phones.some((to) => this.ignores({ from, to, kind, payload }))) return;
    if (this.phones.some((to) => this.refuses({ from, to, kind, payload }))) return from.receipt(id, ReceiptStatus.REFUSED);
    if (slot !== undefined && !this.forgetsSlots) {
      const key = toHex(slot.slot);
      const by = this.slots.get(key) ?? slot.commit;
      this.slots.set(key, by);
      if (by !== slot.commit) return from.receipt(id, ReceiptStatus.SLOT_TAKEN, '', by);
    }
    if (held) this.later(() => from.receipt(id, ReceiptStatus.ACCEPTED));
    for (const { device, token } of recipients) {
      const to = this.phones.find((phone) => phone.device === device);
      if (to === undefined || !to.accepts(token)) continue;
      this.#accept({ from, to, kind, payload, id, held, until: this.now + (held ? RETRY_WINDOW_MS : 1_000) });
    }
  }

  #accept(parcel: Parcel): void {
    if (this.loses(parcel)) return;
    if (!this.#parcels.some(({ id, to }) => id === parcel.id && to === parcel.to)) this.#parcels.push(parcel);
    this.later(() => this.#deliver(parcel));
  }

  async #deliver(parcel: Parcel): Promise<void> {
    const { to, from, kind, payload } = parcel;
    if (!this.#parcels.includes(parcel) || !to.isOnline) return;
    this.journey.push(`${kind} ${from.name} → ${to.name}`);
    if (this.answersCannot(parcel)) return this.#close(parcel, ReceiptStatus.CANNOT);
    this.#handles.set(++this.#lastHandle, parcel);
    await to.deliver(this.#lastHandle, payload);
  }

  acknowledged(handle: bigint, outcome: Outcome): void {
    const parcel = this.#handles.get(handle);
    if (parcel === undefined || outcome === Outcome.LATER) return;
    this.#handles.delete(handle);
    this.#close(parcel, outcome === Outcome.STORED ? ReceiptStatus.DELIVERED : ReceiptStatus.CANNOT);
  }

  /** Whoever comes back is given what was held. */
  connected(phone: Phone): void {
    for (const parcel of this.#parcels) if (parcel.to === phone) this.later(() => this.#deliver(parcel));
  }

  #expire(): void {
    for (const parcel of this.#parcels.filter(({ until }) => until <= this.now)) this.#close(parcel, ReceiptStatus.UNDELIVERED);
  }

  #close(parcel: Parcel, status: ReceiptStatus): void {
    if (!this.#parcels.includes(parcel)) return;
    this.#parcels = this.#parcels.filter((each) => each !== parcel);
    this.later(() => parcel.from.receipt(parcel.id, status, parcel.to.device));
  }

  // --- directory

  claimOf(account: string, by: Phone): { device: string; bytes: Uint8Array }[] {
    const others = this.phones.filter((phone) => phone.account === account && phone !== by);
    return others.flatMap((phone) => phone.handOut() ?? []);
  }
}

/** A device of somebody: a Messenger on a store, with the rest of the client played by a few lines. */
export class Phone {
  messenger!: Messenger;
  readonly account: string;
  readonly device: string;
  readonly store = new MortalStore(new MemoryStore());
  readonly notices: MessengerNotice[] = [];
  readonly rungs = new Map<Rung, number>();
  readonly acks: Outcome[] = [];
  /** Account ids whose key is pinned. */
  readonly contacts = new Map<string, Uint8Array>();
  readonly revoked = new Set<string>();
  /** A liar's are others. To be set before a restart. */
  rules: GroupRules = GROUP_RULES;
  isOnline = false;
  /** Nobody hears of its presence. */
  isInvisible = false;
  stock!: KeyPackageStock;
  engine!: MlsEngine;
  readonly #provider: MlsProvider;
  readonly #deliveryKey: Uint8Array;
  /** In the step that runs: kept with it, as a program keeps what it shows in the same journal. */
  #told: MessengerNotice[] = [];
  #handedOut = new Set<string>();

  private constructor(
    readonly name: string,
    readonly office: PostOffice,
  ) {
    this.#provider = seeded(name);
    this.#deliveryKey = this.#provider.randomBytes(32);
    this.account = idOf(name.split('/')[0]!);
    this.device = idOf(name);
  }

  static async make(name: string, office: PostOffice): Promise<Phone> {
    const phone = new Phone(name, office);
    await phone.#enrol();
    await phone.restart();
    return phone;
  }

  /** An engine under this device's name, or, for a liar, under any other. */
  async engineAs({ account, accountName, device, key, provider = this.#provider }: Assumed) {
    const signatureKeys = deviceKeys(this.#provider);
    const identity = { server: SERVER, account, accountName, device, accountKey: key.publicKey };
    const signed = makeDeviceIdentity(this.#provider, identity, key.secretKey, signatureKeys.publicKey);
    return MlsEngine.create({ provider, server: SERVER, identity: signed, signatureKeys });
  }

  async #enrol(): Promise<void> {
    const { accounts } = this.office;
    const key = accounts.get(this.account) ?? accountKeyPair(this.#provider);
    accounts.set(this.account, key);
    this.contacts.set(this.account, key.publicKey);
    this.engine = await this.engineAs({ account: this.account, accountName: this.name.split('/')[0]!, device: this.device, key });
    this.stock = new KeyPackageStock(new Map(), this.#deliveryKey);
    await this.publish(20);
  }

  /** One-time packages for whoever wants to let this device in. */
  async publish(count: number, lastResort = false): Promise<void> {
    const seconds = Math.floor(this.office.now / 1_000);
    for (let i = 0; i < count; i++) {
      const capability = this.#provider.randomBytes(16);
      const lifetime = { notBefore: seconds - DAY_SECONDS, notAfter: seconds + 60 * DAY_SECONDS };
      const made = await this.engine.generateKeyPackage({ token: deliveryToken(capability, this.#deliveryKey), lifetime, lastResort });
      this.stock.packages.set(toHex(capability), { ...made, lastResort, expires: lifetime.notAfter } satisfies StockedKeyPackage);
    }
  }

  handOut(): { device: string; bytes: Uint8Array } | undefined {
    const free = [...this.stock.packages].filter(([id, { lastResort }]) => lastResort || !this.#handedOut.has(id));
    const [id, stocked] = free.find(([, { lastResort }]) => !lastResort) ?? free[0] ?? [];
    if (id === undefined || stocked === undefined) return undefined;
    this.#handedOut.add(id);
    return { device: this.device, bytes: stocked.publicBytes };
  }

  /** The program starts (again) with what the store holds. The directory's packages stay: they are not this story's matter. */
  async restart(): Promise<void> {
    this.isOnline = false;
    this.messenger = await Messenger.load(this.#ports(), this.store);
    this.messenger.retryWindowMs = RETRY_WINDOW_MS;
  }

  /** What the disk holds now, for another day. */
  async backup(): Promise<MemoryStore> {
    const copy = new MemoryStore();
    for (const collection of COLLECTIONS) {
      const records = [...(await this.store.load(collection))];
      await copy.commit(records.map(([key, value]) => ({ collection, key, value })));
    }
    return copy;
  }

  /** The device wakes up with an old disk, offline. */
  async restore(backup: MemoryStore): Promise<void> {
    this.store.disk = backup;
    await this.restart();
  }

  /** It is never heard of again, and what it had published is cleared. */
  async die(): Promise<void> {
    await this.offline();
    this.stock.packages.clear();
  }

  ownLeaf(group: string): string {
    return this.view(group).members.find(({ identity }) => identity.device === this.device)!.id;
  }

  // --- the world

  befriend(other: Phone): void {
    this.contacts.set(other.account, this.office.accounts.get(other.account)!.publicKey);
  }

  accepts(token: Uint8Array): boolean {
    const capability = token.slice(0, 16);
    return toHex(deliveryToken(capability, this.#deliveryKey)) === toHex(token) && !this.revoked.has(toHex(capability));
  }

  async online(): Promise<void> {
    this.isOnline = true;
    await this.#quietStep((messenger, step) => messenger.online(step));
    this.office.connected(this);
    for (const other of this.office.phones) {
      if (other === this || !other.isOnline) continue;
      if (other.contacts.has(this.account) && !this.isInvisible)
        await other.#quietStep((messenger, step) => messenger.sighted(this.account, step));
      if (this.contacts.has(other.account) && !other.isInvisible)
        await this.#quietStep((messenger, step) => messenger.sighted(other.account, step));
    }
  }

  async offline(): Promise<void> {
    this.isOnline = false;
    await this.#quietStep((messenger, step) => messenger.offline(step));
  }

  async tick(): Promise<void> {
    if (this.isOnline) await this.#quietStep((messenger, step) => messenger.tick(step));
  }

  deliver(handle: bigint, payload: Uint8Array): Promise<void> {
    return this.#quietStep((messenger, step) => messenger.receive(handle, payload, step));
  }

  async receipt(id: string, status: ReceiptStatus, device = '', commit = ''): Promise<void> {
    const receipt: IncomingReceipt = { id, device, status, relay: 1, retryAfterMs: 0, final: status === ReceiptStatus.REFUSED, commit };
    if (this.isOnline) await this.#quietStep((messenger, step) => messenger.receipt(receipt, step));
  }

  /** One step, durable before anything of it leaves the device. Throws Crash if the device died in it and nothing of it is kept. */
  async step<T>(work: (messenger: Messenger, step: Step) => Promise<T> | T): Promise<T> {
    const journal = new Journal(this.store);
    const result = await work(this.messenger, { journal, now: this.office.now });
    const { diesAt } = this.store;
    const told = this.#told.splice(0);
    try {
      await journal.commit();
      this.notices.push(...told);
    } catch (error) {
      if (diesAt === undefined || this.store.diesAt !== undefined) throw error;
      if (diesAt.durable) this.notices.push(...told);
      await this.restart();
      this.office.later(() => this.online());
      if (!diesAt.durable) throw new Crash();
    }
    return result;
  }

  /** A step that nobody waits for: a dead device says nothing. */
  async #quietStep(work: (messenger: Messenger, step: Step) => Promise<unknown>): Promise<void> {
    await this.step(work).catch((error: unknown) => {
      if (!(error instanceof Crash)) throw error;
    });
  }

  // --- what its owner does, and sees

  async createGroup(name: string, ...members: Phone[]): Promise<string> {
    const accounts = members.map(({ account }) => account);
    const id = await this.step((messenger, step) => messenger.createGroup(name, accounts, step));
    await this.office.settle();
    return id;
  }

  async wish(group: string, intent: Parameters<Messenger['wish']>[1]): Promise<void> {
    await this.step((messenger, step) => messenger.wish(group, intent, step));
  }

  async add(group: string, other: Phone): Promise<void> {
    await this.wish(group, { kind: 'add', account: other.account });
  }

  async remove(group: string, other: Phone): Promise<void> {
    const leaves = this.view(group)
      .members.filter(({ identity }) => identity.account === other.account)
      .map(({ id }) => id);
    await this.wish(group, { kind: 'remove', leaves });
  }

  say(group: string, words: string): Promise<string> {
    return this.step((messenger, step) => messenger.compose(group, new TextEncoder().encode(words), step));
  }

  tell(other: Phone, words: string): Promise<string> {
    return this.step(async (messenger, step) => {
      const id = await messenger.composeTo(other.account, new TextEncoder().encode(words), step);
      if (messenger.directWith(other.account) === undefined) await messenger.beginDirect(other.account, step);
      return id;
    });
  }

  view(group: string) {
    const view = this.messenger.groups().find(({ id }) => id === group);
    if (view === undefined) throw new Error(`${this.name} knows no such group`);
    return view;
  }

  members(group: string): string[] {
    return this.view(group).members.map(nameOf).sort();
  }

  /** What it has shown, as `bob: hello`. */
  get shown(): string[] {
    return this.notices.flatMap((notice) =>
      notice.kind === 'message' ? [`${notice.from.name}: ${new TextDecoder().decode(notice.plaintext)}`] : [],
    );
  }

  told(kind: MessengerNotice['kind']): MessengerNotice[] {
    return this.notices.filter((notice) => notice.kind === kind);
  }

  get queue(): string[] {
    return this.messenger.queue().map(({ content, status }) => `${new TextDecoder().decode(content.plaintext)} (${status})`);
  }

  count(rung: Rung): number {
    return this.rungs.get(rung) ?? 0;
  }

  authenticator(group: string): string {
    const { branches } = this.messenger.unsafeGroup(group)!.core;
    return toHex(branches.state(branches.head)!.authenticator);
  }

  async stored<T>(collection: string): Promise<Map<string, T>> {
    return load<T>(this.store, collection);
  }

  // --- ports

  #ports(): MessengerPorts {
    const provider = this.#provider;
    return {
      engine: this.engine,
      provider,
      own: { account: this.account, device: this.device },
      rules: this.rules,
      stock: this.stock,
      random: (length) => provider.randomBytes(length),
      newToken: () => deliveryToken(provider.randomBytes(16), this.#deliveryKey),
      revoke: (capability) => void this.revoked.add(capability),
      send: (send) => this.office.take(this, send),
      ack: (handle, outcome) => {
        this.acks.push(outcome);
        this.office.acknowledged(handle, outcome);
      },
      claim: (account) => this.office.later(() => this.#claimed(account)),
      isOnline: (account) => this.#presenceOf(account),
      isContact: (account) => this.contacts.has(account),
      trusts: (account, key) => toHex(this.contacts.get(account) ?? new Uint8Array()) === toHex(key),
      notify: (notice) => this.#told.push(notice),
      count: (rung) => this.rungs.set(rung, this.count(rung) + 1),
    };
  }

  async #claimed(account: string): Promise<void> {
    const claimed = this.contacts.has(account) ? this.office.claimOf(account, this) : undefined;
    if (this.isOnline) await this.#quietStep((messenger, step) => messenger.claimed(account, claimed, step));
  }

  #presenceOf(account: string): boolean | undefined {
    // Nobody is told of his own devices.
    if (account === this.account || !this.contacts.has(account)) return undefined;
    return this.office.phones.some((phone) => phone.account === account && phone.isOnline && !phone.isInvisible);
  }
}

/** 16 bytes that spell the name. */
export function idOf(name: string): string {
  return toHex(new TextEncoder().encode(name.padEnd(16).slice(0, 16)));
}

export function nameOf({ identity }: Member): string {
  return new TextDecoder().decode(fromHex(identity.device)).trim();
}
