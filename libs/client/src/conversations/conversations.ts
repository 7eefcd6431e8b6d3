import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type GroupState, type MlsEngine, MlsError } from '@sotto/mls';
import { EnvelopeSchema, fromHex, ID_BYTES, MessageAuthenticatedDataSchema, toHex } from '@sotto/protocol';
import type { Contact } from '../contacts/contact-list.js';
import type { KeyPackageStock } from '../key-packages/key-package-stock.js';
import { deliveryToken, randomBytes } from '../sodium.js';
import type { Journal } from '../storage/journal.js';

const DIRECT = 1;
const GROUP_ID_BYTES = 32;

export interface GroupRecord {
  /** Account id of the contact. */
  readonly account: string;
  readonly epoch: Uint8Array;
  readonly ratchets: Uint8Array;
  /** Delivery tokens of the contact's devices. */
  readonly devices: Readonly<Record<string, Uint8Array>>;
  /** A newer group reaches devices that this one does not: read, but not written any more. */
  readonly retired: boolean;
}

export interface SealedMessage {
  readonly group: string;
  readonly payload: Uint8Array;
  readonly tokens: Readonly<Record<string, Uint8Array>>;
}

export type Received =
  | {
      readonly kind: 'message';
      readonly account: string;
      readonly group: string;
      readonly device: string;
      readonly contentId: string;
      readonly plaintext: Uint8Array;
    }
  | { readonly kind: 'joined'; readonly account: string; readonly group: string; readonly renewed: boolean }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'cannot'; readonly cause: string };

/** Direct conversations: their MLS groups, and what is sealed and opened in them. Every new state goes into the journal before bytes leave. */
export class Conversations {
  readonly #states = new Map<string, GroupState>();

  constructor(
    readonly groups: Map<string, GroupRecord>,
    private readonly seen: Set<string>,
    private readonly engine: MlsEngine,
    private readonly stock: KeyPackageStock,
    private readonly deliveryKey: Uint8Array,
    /** Accepted contact whose account this is. */
    private readonly contactOf: (account: string) => Contact | undefined,
  ) {}

  /** Of two groups for a pair both ends write in the one with the lower id. */
  writableGroup(account: string): string | undefined {
    return this.#groupsOf(account)
      .filter(([, { retired }]) => !retired)
      .map(([id]) => id)
      .sort()[0];
  }

  devicesOf(account: string): Set<string> {
    return new Set(this.#groupsOf(account).flatMap(([, { devices, retired }]) => (retired ? [] : Object.keys(devices))));
  }

  /** Nothing more is written to the contact in the groups there are. Returns the capability ids under which they reach this device. */
  leave(account: string, journal: Journal): string[] {
    this.#retire(account, journal);
    return this.#groupsOf(account).map(([id]) => this.#ownCapability(id));
  }

  /** Whoever else got the same capability with a last-resort package needs a new group to reach this device. */
  retireReachedBy(capabilities: readonly string[], journal: Journal): void {
    for (const [id, { account, retired }] of this.groups)
      if (!retired && capabilities.includes(this.#ownCapability(id))) this.#retire(account, journal);
  }

  /** There were groups with this account, and none is written any more. */
  needsNewGroup(account: string): boolean {
    return this.#groupsOf(account).length > 0 && this.writableGroup(account) === undefined;
  }

  /** A new group with these devices of the contact; groups before it are retired. The Welcome's payload comes back. Throws MlsError. */
  async begin(contact: Contact, keyPackages: readonly Uint8Array[], journal: Journal): Promise<SealedMessage> {
    const now = Math.floor(Date.now() / 1_000);
    for (const bytes of keyPackages) this.#mustBe(contact, (await this.engine.readKeyPackage(bytes, now)).identity);
    const token = deliveryToken(randomBytes(ID_BYTES), this.deliveryKey);
    const own = await this.engine.generateKeyPackage({ token, lifetime: { notBefore: now - 3_600, notAfter: now + 90 * 86_400 } });
    const alone = await this.engine.createGroup(this.#newGroupId(contact.account), own, new Uint8Array());
    const { state, welcome } = await this.engine.addMembers(alone, keyPackages, now);
    this.#retire(contact.account, journal);
    const group = this.#keep(contact.account, state, journal);
    const kind = { case: 'welcome', value: { welcome: welcome!, groupKind: DIRECT } } as const;
    return { group, payload: toBinary(EnvelopeSchema, create(EnvelopeSchema, { kind })), tokens: this.groups.get(group)!.devices };
  }

  async seal(group: string, contentId: string, plaintext: Uint8Array, journal: Journal): Promise<SealedMessage> {
    const { account } = this.groups.get(group)!;
    const authenticated = toBinary(
      MessageAuthenticatedDataSchema,
      create(MessageAuthenticatedDataSchema, { contentId: fromHex(contentId) }),
    );
    const { state, message } = await this.engine.seal(this.#state(group), plaintext, authenticated);
    this.#keep(account, state, journal);
    const payload = toBinary(EnvelopeSchema, create(EnvelopeSchema, { kind: { case: 'message', value: message } }));
    return { group, payload, tokens: this.groups.get(group)!.devices };
  }

  async open(payload: Uint8Array, journal: Journal): Promise<Received> {
    try {
      const { kind } = fromBinary(EnvelopeSchema, payload);
      if (kind.case === 'welcome') return await this.#join(kind.value.welcome, journal);
      if (kind.case === 'message') return await this.#read(kind.value, journal);
      return { kind: 'cannot', cause: 'an envelope of an unknown kind' };
    } catch (error) {
      if (error instanceof MlsError && error.reason === 'used-generation') return { kind: 'duplicate' };
      return { kind: 'cannot', cause: error instanceof MlsError ? error.reason : 'malformed' };
    }
  }

  async #join(welcome: Uint8Array, journal: Journal): Promise<Received> {
    const hash = `welcome/${toHex(new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', new Uint8Array(welcome))))}`;
    if (this.seen.has(hash)) return { kind: 'duplicate' };
    const { state, used } = await this.engine.joinFromWelcome(welcome, this.stock.candidates());
    const creator = this.engine.members(state).find(({ leaf }) => leaf === 0);
    const contact = creator && this.contactOf(creator.identity.account);
    if (creator === undefined || contact === undefined) return { kind: 'cannot', cause: 'a Welcome of someone who is no contact' };
    this.#mustBe(contact, creator.identity);
    const known = this.#groupsOf(contact.account);
    const renewed = known.length > 0 && !known.some(([, { devices, retired }]) => !retired && creator.identity.device in devices);
    if (renewed) this.#retire(contact.account, journal);
    const group = this.#keep(contact.account, state, journal);
    this.stock.spend(used, journal);
    this.#remember(hash, journal);
    return { kind: 'joined', account: contact.account, group, renewed };
  }

  async #read(message: Uint8Array, journal: Journal): Promise<Received> {
    const group = groupIdOf(message);
    const record = group === undefined ? undefined : this.groups.get(group);
    if (group === undefined || record === undefined) return { kind: 'cannot', cause: 'a message of an unknown group' };
    const opened = await this.engine.open(this.#state(group), message);
    if (opened.kind === 'future-epoch' || opened.kind === 'past-epoch') return { kind: 'cannot', cause: opened.kind };
    this.#keep(record.account, opened.state, journal);
    if (opened.kind === 'commit') return { kind: 'duplicate' };
    const { contentId } = fromBinary(MessageAuthenticatedDataSchema, opened.authenticatedData);
    const { device, account } = opened.senderIdentity;
    if (account !== record.account || contentId.length !== ID_BYTES) return { kind: 'cannot', cause: 'not from the contact' };
    // Not by group as well: a message that was sealed again for a renewed group is the same message.
    const key = `${device}/${toHex(contentId)}`;
    if (this.seen.has(key)) return { kind: 'duplicate' };
    this.#remember(key, journal);
    return { kind: 'message', account, group, device, contentId: toHex(contentId), plaintext: opened.plaintext };
  }

  #remember(key: string, journal: Journal): void {
    this.seen.add(key);
    journal.put('seen', key, Date.now());
  }

  #groupsOf(account: string): [string, GroupRecord][] {
    return [...this.groups].filter(([, record]) => record.account === account);
  }

  /** Below those before it: so the other end writes in the new one as well (see writableGroup). */
  #newGroupId(account: string): Uint8Array {
    const lowest = this.#groupsOf(account)
      .map(([id]) => id)
      .sort()[0];
    if (lowest === undefined) return randomBytes(GROUP_ID_BYTES);
    const below = BigInt(`0x${toHex(randomBytes(2 * GROUP_ID_BYTES))}`) % BigInt(`0x${lowest}`);
    return fromHex(below.toString(16).padStart(2 * GROUP_ID_BYTES, '0'));
  }

  #ownCapability(group: string): string {
    const { device } = this.engine.ownIdentity;
    const own = this.engine.members(this.#state(group)).find(({ address }) => address.device === device);
    return own === undefined ? '' : toHex(own.address.token.slice(0, ID_BYTES));
  }

  #retire(account: string, journal: Journal): void {
    for (const [id, record] of this.#groupsOf(account)) {
      if (record.retired) continue;
      this.groups.set(id, { ...record, retired: true });
      journal.put('groups', id, { ...record, retired: true });
    }
  }

  #state(group: string): GroupState {
    const known = this.#states.get(group);
    if (known !== undefined) return known;
    const { epoch, ratchets } = this.groups.get(group)!;
    const state = this.engine.deserialiseParts(epoch, ratchets);
    this.#states.set(group, state);
    return state;
  }

  #keep(account: string, state: GroupState, journal: Journal): string {
    const id = toHex(state.groupId);
    const others = this.engine.members(state).filter(({ identity }) => identity.account === account);
    const devices = Object.fromEntries(others.map(({ address }) => [address.device, address.token]));
    const [epoch, ratchets] = [this.engine.serialiseEpoch(state), this.engine.serialiseRatchets(state)];
    const record = { account, epoch, ratchets, devices, retired: this.groups.get(id)?.retired ?? false };
    this.#states.set(id, state);
    this.groups.set(id, record);
    journal.put('groups', id, record);
    return id;
  }

  #mustBe(contact: Contact, identity: { account: string; accountKey: Uint8Array }): void {
    if (identity.account !== contact.account) throw new MlsError('bad-credential', 'a device of another account');
    if (toHex(identity.accountKey) !== toHex(contact.identityKey))
      throw new MlsError('bad-credential', 'not under the key that was pinned');
  }
}

/** MLSMessage: version (2), wire format (2), PrivateMessage.group_id<V> (RFC 9420 §6, §6.3). Our ids are shorter than 64 bytes: one length byte. */
function groupIdOf(message: Uint8Array): string | undefined {
  const length = message[4] ?? 0;
  return length < 64 && message.length > 5 + length ? toHex(message.slice(5, 5 + length)) : undefined;
}
