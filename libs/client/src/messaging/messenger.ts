import { fromBinary } from '@bufbuild/protobuf';
import { decodeGroupData, directData, encodeGroupData, type GroupData, type LeafId, type Member, MlsError, newGroupData } from '@sotto/mls';
import {
  type Envelope,
  EnvelopeSchema,
  fromHex,
  type GreetingEnvelope,
  type HelloEnvelope,
  Outcome,
  ReceiptStatus,
  type SupplyEnvelope,
  toHex,
  type TypingEnvelope,
  type WelcomeEnvelope,
} from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import { commitId, genesis } from '../groups/branches.js';
import { Claims } from '../groups/claims.js';
import { type Content, type ContentRecord, Contents, recordOf } from '../groups/contents.js';
import { Group } from '../groups/group.js';
import { capabilityOf } from '../groups/group-core.js';
import type { Address, ClaimedPackage, Dispatch, GroupPorts, Step } from '../groups/group-ports.js';
import type { Intent } from '../groups/intent.js';
import { Later, type LaterRecord } from '../groups/later.js';
import type { JoinPackage } from '../groups/rejoining.js';
import { load, loadGroups } from '../groups/stored-groups.js';
import { Outbox, type OutboxEffect } from '../outbox/outbox.js';
import type { DeliveryStatus, EntryRecord, OutboxEntry, RecipientState, SettledRecord } from '../outbox/outbox-entry.js';
import type { Journal } from '../storage/journal.js';
import type { Store } from '../storage/store.js';
import { Joining, type Welcomed } from './joining.js';
import type { Claimed, IncomingReceipt, MessengerPorts } from './messenger-ports.js';
import { UnknownGroups } from './unknown-groups.js';

const GROUP_ID_BYTES = 32;
const ID_BYTES = 16;
/** Of groups that this device does not know: their Welcome may be on its way. */
const STRAYS = { count: 200, bytes: 4 * 1024 * 1024 };
const MOST_INVITATIONS = 50;
/** Between new conversations with a contact whose device could not open the Welcome to the one before; then doubled. */
const FIRST_RENEWAL_MS = 15_000;
const LAST_RENEWAL_MS = 3_600_000;
const MOST_RENEWED = 1_000;

/** A Welcome of somebody who is no contact, until the user decides. */
interface Invitation {
  readonly payload: Uint8Array;
  /** Who sent it. */
  readonly account: string;
  readonly at: number;
}

/** A group as the program sees it. */
export interface GroupView {
  readonly id: string;
  readonly data: GroupData;
  readonly members: readonly Member[];
  /** This device is no member any more, or has left. */
  readonly out: boolean;
  readonly retired: boolean;
  /** Why messages wait, if they do. */
  readonly hold: string | undefined;
}

/**
 * All conversations of a device, and its outbox: a core without I/O. Each method is one step: what is durable goes into the step's journal,
 * what leaves the device through the ports after it is committed.
 */
export class Messenger {
  readonly #groups = new Map<string, Group>();
  readonly #claims = new Claims();
  readonly #groupPorts: GroupPorts;
  /** By account, or group and device: when its conversation or leaf was last made anew, and how long the next waits. */
  readonly #renewed = new Map<string, { readonly at: number; readonly waitMs: number }>();
  /** Accounts with which a new direct conversation is to begin, as the Welcome to the one before can't be opened. */
  readonly #toRenew = new Set<string>();
  #strays = new Later('', STRAYS);
  readonly #unknown = new UnknownGroups();

  private constructor(
    private readonly ports: MessengerPorts,
    private readonly outbox: Outbox,
    private readonly contents: Contents,
    private readonly joining: Joining,
    private readonly invitations: Map<string, Invitation>,
  ) {
    this.#groupPorts = this.#portsOfGroups();
  }

  /** Throws ClientError `storage-failed` for a store that can't be read. */
  static async load(ports: MessengerPorts, store: Store): Promise<Messenger> {
    const outbox = Outbox.load(await load<EntryRecord>(store, 'outbox'), await load<SettledRecord>(store, 'outbox-settled'));
    const seen = new Set((await store.load('seen')).keys());
    const contents = new Contents(await load<ContentRecord>(store, 'contents'), seen, ports.own.account);
    const joining = new Joining(ports, await load<JoinPackage>(store, 'join-packages'));
    const messenger = new Messenger(ports, outbox, contents, joining, await load<Invitation>(store, 'invitations'));
    for (const entry of outbox.entries()) if (entry.content !== undefined) contents.restore(entry.content, entry.id);
    for (const [id, stored] of await loadGroups(store))
      messenger.#groups.set(id, Group.restore(id, messenger.#groupPorts, contents, stored));
    messenger.#restoreWaiting();
    const strays = [...(await load<LaterRecord>(store, 'later'))].filter(([key]) => key.startsWith('/'));
    messenger.#strays = new Later(
      '',
      STRAYS,
      strays.map(([key, record]) => [key.slice(1), record] as const),
    );
    return messenger;
  }

  /** What was written and is on its way nowhere: the program ended before it was sealed. */
  #restoreWaiting(): void {
    for (const [id, { group }] of this.contents.all()) {
      const known = this.#groups.get(group ?? '');
      if (known !== undefined && this.contents.entriesOf(id).size === 0) known.sealLater(id);
    }
  }

  // --- the connection

  async online(step: Step): Promise<void> {
    this.outbox.online();
    for (const group of this.#groups.values()) {
      group.sync.start(step);
      await group.settle(step);
    }
    this.#finish(step);
  }

  /** How long the server holds a message for a device that is away. */
  set retryWindowMs(value: number) {
    this.outbox.retryWindowMs = value;
  }

  async offline(step: Step): Promise<void> {
    this.outbox.offline();
    this.#claims.disconnected();
    this.#strays.forgetHandles();
    for (const group of this.#groups.values()) group.disconnected();
    this.#finish(step);
  }

  /** An account has come online. */
  async sighted(account: string, step: Step): Promise<void> {
    this.outbox.sighted(account);
    this.#claims.sighted(account);
    for (const group of this.#groups.values()) {
      for (const { identity } of group.core.others) if (identity.account === account) group.sync.sighted(identity.device, step);
      if (group.core.intents.length > 0) await group.settle(step);
    }
    this.#finish(step);
  }

  async tick(step: Step): Promise<void> {
    for (const effect of this.outbox.tick(step.now)) this.#effect(effect, step);
    if (!this.ports.rules.onceOwedOwed) this.#forgetOffHead();
    for (const group of this.#groups.values()) await group.tick(step);
    this.#finish(step);
  }

  /** Key packages of an account, as claimed; undefined: the claim failed. */
  async claimed(account: string, claimed: Claimed | undefined, step: Step): Promise<void> {
    const packages = new Map<string, ClaimedPackage>();
    for (const each of claimed ?? []) {
      const usable = await this.#checked(account, each, step);
      if (usable !== undefined) packages.set(each.device, usable);
    }
    // Of one's own account an empty answer says that there is no other device.
    const usable = packages.size > 0 || (claimed !== undefined && account === this.ports.own.account);
    this.#claims.claimed(account, usable ? packages : undefined, step.now);
    for (const group of this.#groups.values()) if (usable && group.core.intents.length > 0) await group.settle(step);
    this.#finish(step);
  }

  // --- what arrives

  /** One delivery. It is answered when the step is durable. */
  async receive(handle: bigint, payload: Uint8Array, step: Step): Promise<void> {
    const envelope = parse(payload);
    const outcome = envelope === undefined ? Outcome.CANNOT : await this.#receive(envelope.kind, payload, handle, step);
    if (outcome !== Outcome.LATER || this.ports.rules.later) this.#answer(handle, outcome, step);
    this.#finish(step);
  }

  async receipt(receipt: IncomingReceipt, step: Step): Promise<void> {
    const touched = new Set<Group>();
    const { id, status, device } = receipt;
    if (status === ReceiptStatus.DELIVERED && this.outbox.get(id) === undefined)
      for (const { sync } of this.#groups.values()) sync.arrived(id, device, step);
    for (const effect of this.outbox.receipt(receipt, (account) => this.ports.isOnline(account), step.now)) {
      const group = this.#effect(effect, step);
      if (group !== undefined) touched.add(group);
    }
    for (const group of touched) await group.settle(step);
    for (const account of this.#toRenew) await this.beginDirect(account, step, true);
    this.#toRenew.clear();
    this.#finish(step);
  }

  async #receive(kind: Envelope['kind'], payload: Uint8Array, handle: bigint | undefined, step: Step): Promise<Outcome> {
    switch (kind.case) {
      case 'welcome':
        return this.#welcome(kind.value, payload, step);
      case 'application':
      case 'commit':
        return this.#message(kind, payload, handle, step);
      case 'hello':
        await this.#hello(kind.value, step);
        return Outcome.STORED;
      case 'supply':
        await this.#supply(kind.value, step);
        return Outcome.STORED;
      case 'greeting':
        await this.#greeting(kind.value, step);
        return Outcome.STORED;
      case 'typing':
        await this.#typing(kind.value, step);
        return Outcome.STORED;
      default:
        return Outcome.CANNOT;
    }
  }

  async #message(
    kind: Envelope['kind'] & { case: 'application' | 'commit' },
    payload: Uint8Array,
    handle: bigint | undefined,
    step: Step,
  ): Promise<Outcome> {
    const id = this.#groupOf(kind.value.message);
    if (id === undefined) return Outcome.CANNOT;
    const group = this.#groups.get(id);
    if (group === undefined) return this.#stray(id, payload, handle, step);
    const outcome = await group.receive(kind, payload, handle, step);
    await group.settle(step);
    return outcome;
  }

  /** Of a group that is not known: kept as long as its Welcome, a greeting or the user's leave may come. After that this device is lost to it. */
  #stray(group: string, payload: Uint8Array, handle: bigint | undefined, step: Step): Outcome {
    if (this.#unknown.isLost(group, step.now) && !this.invitations.has(group)) return Outcome.CANNOT;
    this.#strays.keep(commitId(payload, this.ports.provider), { payload, waitsFor: group }, handle, step);
    return Outcome.LATER;
  }

  async #hello(envelope: HelloEnvelope, step: Step): Promise<void> {
    const group = this.#groups.get(toHex(envelope.group));
    const heard = group?.sync.open(envelope);
    if (group === undefined || heard === undefined) return;
    await group.sync.hear(heard.hello, heard.from, step);
    await group.settle(step);
  }

  async #supply({ group: id, envelopes }: SupplyEnvelope, step: Step): Promise<void> {
    const group = this.#groups.get(toHex(id));
    if (group === undefined) return;
    for (const payload of envelopes) {
      const kind = parse(payload)?.kind;
      if (kind?.case !== 'application' && kind?.case !== 'commit') continue;
      if (this.#groupOf(kind.value.message) !== group.id) continue;
      const outcome = await group.receive(kind, payload, undefined, step);
      if (outcome === Outcome.STORED) this.ports.count(kind.case === 'commit' ? 'supplied-commit' : 'supplied-message');
    }
    // Not before: what this device would commit or seal between them may belong to a past that the next one proves.
    await group.settle(step);
  }

  async #greeting({ sealed }: GreetingEnvelope, step: Step): Promise<void> {
    const greeting = this.joining.openGreeting(sealed);
    if (greeting === undefined) return;
    const group = this.#groups.get(toHex(greeting.group));
    const sender = toHex(greeting.sender);
    if (group !== undefined && !group.core.branches.removedHere) return group.answerGreeting(sender, greeting.token, step);
    if (group?.core.leaving === true) return;
    this.#transmit(await this.joining.askIn(greeting, step), [{ device: sender, token: greeting.token }], step);
  }

  async #typing(envelope: TypingEnvelope, step: Step): Promise<void> {
    const group = toHex(envelope.group);
    const member = await this.#groups.get(group)?.typing.hear(envelope, step);
    if (member === undefined) return;
    const { account, device, accountName: name } = member.identity;
    this.ports.notify({ kind: 'typing', group, from: { account, device, name } }, step);
  }

  #groupOf(message: Uint8Array): string | undefined {
    try {
      return toHex(this.ports.engine.peek(message).groupId);
    } catch (error) {
      if (error instanceof MlsError) return undefined;
      throw error;
    }
  }

  #answer(handle: bigint, outcome: Outcome, step: Step): void {
    step.journal.afterwards(() => this.ports.ack(handle, outcome));
  }

  // --- being let in

  async #welcome(envelope: WelcomeEnvelope, payload: Uint8Array, step: Step): Promise<Outcome> {
    const id = commitId(envelope.commit?.message ?? new Uint8Array(), this.ports.provider);
    const known = this.#groups.get(this.#groupOf(envelope.commit?.message ?? new Uint8Array()) ?? '');
    if (known?.knows(id) === true) return Outcome.STORED;
    try {
      const welcomed = await this.joining.open(envelope);
      if (known === undefined && !this.#mayJoin(welcomed)) return this.#invited(welcomed, payload, step);
      if (known !== undefined && !known.welcomes(welcomed.state)) return Outcome.STORED;
      await this.#join(welcomed, step);
      return Outcome.STORED;
    } catch (error) {
      if (!(error instanceof MlsError)) throw error;
      if (error.reason === 'no-key-package') this.ports.stock.outdated(step.journal);
      return Outcome.CANNOT;
    }
  }

  /**
   * Without asking the user a device follows its own account and contacts, into a direct conversation the other end alone. A member who is
   * no contact may finish what a contact began: only a contact can have claimed the key package whose leaf was greeted.
   */
  #mayJoin({ by, state, asked }: Welcomed): boolean {
    const trusted = ({ identity }: Member) => this.ports.trusts(identity.account, identity.accountKey);
    const hasContact = () =>
      this.ports.engine.members(state).some((each) => each.identity.account !== this.ports.own.account && trusted(each));
    if (!trusted(by) && !(asked && hasContact())) return false;
    const data = this.#dataOf(state);
    return (data.kind === 'group' && this.ports.directOnly !== true) || this.#isDirectBetween(data, by, this.ports.engine.members(state));
  }

  /** Of this account and one other, whose devices are all that is in it: nobody begins a conversation in another's name. */
  #isDirectBetween({ accounts }: GroupData, by: Member, members: readonly Member[]): boolean {
    const { account: own } = this.ports.own;
    const other = accounts.find((each) => each !== own);
    const ends = accounts.includes(own) && other !== undefined && accounts.includes(by.identity.account);
    return (
      ends &&
      members.every(({ identity }) => accounts.includes(identity.account) && this.ports.trusts(identity.account, identity.accountKey))
    );
  }

  #dataOf(state: Welcomed['state']): GroupData {
    return decodeGroupData(this.ports.engine.groupData(state));
  }

  #invited({ group, by, name, state }: Welcomed, payload: Uint8Array, step: Step): Outcome {
    const { kind, accounts } = this.#dataOf(state);
    if (kind === 'group' && this.ports.directOnly === true) return Outcome.CANNOT;
    const oldest = this.invitations.keys().next().value;
    if (this.invitations.size >= MOST_INVITATIONS && oldest !== undefined) this.#forgetInvitation(oldest, step);
    const invitation = { payload, account: by.identity.account, at: step.now };
    this.invitations.set(group, invitation);
    step.journal.put('invitations', group, invitation);
    // That of two may be faster than the news that the other is a contact now: it is not shown, and waits for that.
    if (kind === 'direct' && !accounts.includes(this.ports.own.account)) return Outcome.CANNOT;
    if (kind === 'group') this.ports.notify({ kind: 'invited', group, by, name }, step);
    return Outcome.STORED;
  }

  #forgetInvitation(group: string, step: Step): void {
    if (this.invitations.delete(group)) step.journal.remove('invitations', group);
  }

  async #join(welcomed: Welcomed, step: Step): Promise<void> {
    const { group: id, by } = welcomed;
    const known = this.#groups.get(id);
    if (known !== undefined) await known.letInAgain(welcomed, step);
    const group = known ?? (await Group.begin(this.#groupPorts, this.contents, welcomed, step));
    this.#groups.set(id, group);
    this.#unknown.forget(id);
    const lastResort = this.joining.spend(welcomed, step);
    if (lastResort) group.refresh();
    const replaces = known === undefined && (await this.#begun(group, by, step));
    this.ports.notify({ kind: 'joined', group: id, by, again: known !== undefined, replaces }, step);
    await this.#readStrays(id, step);
    group.sync.start(step);
    await group.settle(step);
  }

  /** What came before its Welcome. */
  async #readStrays(id: string, step: Step): Promise<void> {
    for (const [key, { payload }] of this.#strays.waitingFor(id)) {
      const kind = parse(payload)?.kind;
      if (kind === undefined) continue;
      const handle = this.#strays.take(key, step);
      const outcome = await this.#receive(kind, payload, handle, step);
      if (handle !== undefined && outcome !== Outcome.LATER) this.#answer(handle, outcome, step);
    }
  }

  /** Whoever is a contact now needs no leave to let this device in. */
  async contactAccepted(account: string, step: Step): Promise<void> {
    for (const [group, invitation] of [...this.invitations]) {
      const welcomed = invitation.account === account ? await this.#opened(group) : undefined;
      if (welcomed === undefined || !this.#mayJoin(welcomed)) continue;
      this.#forgetInvitation(group, step);
      await this.#join(welcomed, step);
    }
    this.#finish(step);
  }

  /** The user knows who asks. Throws ClientError `unknown-group`. */
  async acceptInvitation(group: string, step: Step): Promise<void> {
    const welcomed = await this.#opened(group);
    if (welcomed === undefined || this.#dataOf(welcomed.state).kind === 'direct')
      throw new ClientError('unknown-group', 'there is no such invitation, or it does not hold any more: ask to be added again');
    this.#forgetInvitation(group, step);
    await this.#join(welcomed, step);
    this.#finish(step);
  }

  async #opened(group: string): Promise<Welcomed | undefined> {
    const invitation = this.invitations.get(group);
    const kind = invitation && parse(invitation.payload)?.kind;
    if (kind?.case !== 'welcome') return undefined;
    try {
      return await this.joining.open(kind.value);
    } catch (error) {
      if (error instanceof MlsError) return undefined;
      throw error;
    }
  }

  /** Its device is a member already, so it leaves: or the others would owe it their messages, and it be sent them. */
  async declineInvitation(group: string, step: Step): Promise<void> {
    const welcomed = await this.#opened(group);
    this.#forgetInvitation(group, step);
    if (welcomed === undefined) return;
    const left = await Group.begin(this.#groupPorts, this.contents, welcomed, step);
    this.#groups.set(left.id, left);
    this.joining.spend(welcomed, step);
    left.leave(step);
    await this.#readStrays(left.id, step);
    await left.settle(step);
    this.#finish(step);
  }

  /** Of strangers, to groups, oldest first; without those that hold no more. */
  async openInvitations(): Promise<{ readonly group: string; readonly name: string; readonly by: Member }[]> {
    const opened = await Promise.all([...this.invitations.keys()].map((group) => this.#opened(group)));
    const groups = opened.filter((each) => each !== undefined && this.#dataOf(each.state).kind === 'group');
    return groups.map((each) => ({ group: each!.group, name: each!.name, by: each!.by }));
  }

  // --- groups

  groups(): GroupView[] {
    return [...this.#groups.values()].map(({ core }) => ({
      id: core.id,
      data: core.data,
      members: core.members,
      out: core.leaving || core.expelled || core.branches.removedHere,
      retired: core.retired,
      hold: core.hold,
    }));
  }

  /** The other end of a direct conversation. */
  otherEnd(group: string): string | undefined {
    const { core } = this.#groups.get(group) ?? {};
    return core?.data.kind === 'direct' ? core.data.accounts.find((account) => account !== this.ports.own.account) : undefined;
  }

  /** For those who look inside: the simulation. */
  unsafeOutbox(): Iterable<OutboxEntry> {
    return this.outbox.entries();
  }

  unsafeGroup(id: string): Group | undefined {
    return this.#groups.get(id);
  }

  /** With all devices of these accounts, and of one's own, as soon as their key packages are to be had. */
  async createGroup(name: string, accounts: readonly string[], step: Step): Promise<string> {
    const data = newGroupData(name, this.ports.own.account);
    const group = await this.#create(this.ports.random(GROUP_ID_BYTES), data, accounts, step);
    this.#finish(step);
    return group.id;
  }

  async #create(id: Uint8Array, data: GroupData, accounts: readonly string[], step: Step): Promise<Group> {
    const state = await this.ports.engine.createGroup(id, await this.joining.generate(step.now), encodeGroupData(data));
    const first = genesis(toHex(id), this.ports.provider);
    const group = await Group.begin(this.#groupPorts, this.contents, { id: first, state }, step);
    this.#groups.set(group.id, group);
    for (const account of [...accounts, this.ports.own.account]) group.wish({ kind: 'add', account });
    await group.settle(step);
    return group;
  }

  /** Made true by this device's commits, in order. Throws ClientError for a group that is not there. */
  async wish(group: string, intent: Intent, step: Step): Promise<void> {
    const known = this.#known(group);
    known.wish(intent);
    await known.settle(step);
    this.#finish(step);
  }

  /** Into these groups, as soon as their key packages are to be had: those at hand are older than the device that is wanted. */
  async bringOwnDevices(groups: readonly string[], step: Step): Promise<void> {
    const { account } = this.ports.own;
    this.#claims.forget(account);
    for (const group of groups) await this.wish(group, { kind: 'add', account }, step);
  }

  async leave(group: string, step: Step): Promise<void> {
    const known = this.#known(group);
    known.leave(step);
    await known.settle(step);
    this.#finish(step);
  }

  #known(id: string): Group {
    const group = this.#groups.get(id);
    if (group === undefined || group.core.leaving || group.core.expelled || group.core.branches.removedHere)
      throw new ClientError('unknown-group', 'there is no such group');
    return group;
  }

  // --- direct conversations

  /** Of two groups for a pair both ends write in the one with the lower id. */
  directWith(account: string): string | undefined {
    return this.#directsWith(account)
      .filter(({ core }) => !core.retired && !core.expelled && !core.branches.removedHere)
      .map(({ id }) => id)
      .sort()[0];
  }

  /** There were conversations with this account, and none is written any more. */
  needsNewDirect(account: string): boolean {
    return this.#directsWith(account).length > 0 && this.directWith(account) === undefined;
  }

  /** Makes one unless there is one; with `anew` in any case, and those before it are only read from then on. */
  async beginDirect(account: string, step: Step, anew = false): Promise<void> {
    if (anew) {
      this.#retire(account, step);
      this.#claims.forget(account);
    }
    if (this.directWith(account) === undefined) {
      const data = directData([this.ports.own.account, account]);
      const group = await this.#create(this.#newDirectId(account), data, [account], step);
      await this.#writeIn(group, account, step);
    }
    this.#finish(step);
  }

  /** Another account goes by the name of that one now, and the user trusts it: it gets what the one before was not given. */
  async directContinues(before: string, account: string, step: Step): Promise<void> {
    for (const [id, { group, account: to, plaintext, at, owed }] of [...this.contents.all()]) {
      const isOwed = to === before || (this.otherEnd(group ?? '') === before && owed?.size !== 0);
      if (!isOwed) continue;
      for (const entry of [...this.contents.entriesOf(id)]) this.outbox.withdraw(entry);
      this.#groups.get(group ?? '')?.forget(id);
      this.contents.put(id, { account, plaintext, at }, step);
    }
    await this.endDirect(before, step);
    await this.beginDirect(account, step, true);
  }

  /** Nothing more is written to the account. Returns the capability ids under which it reaches this device there. */
  async endDirect(account: string, step: Step): Promise<string[]> {
    this.#retire(account, step);
    const groups = this.#directsWith(account);
    for (const group of groups) await group.settle(step);
    this.#finish(step);
    return groups.flatMap(({ core: { ownLeaf } }) => (ownLeaf === undefined ? [] : capabilityOf(ownLeaf)));
  }

  /** By which devices of this account are reached in groups with others: when a contact ends, those stay good, whoever claimed them. */
  sharedCapabilities(): string[] {
    const shared = [...this.#groups.values()].filter(({ core }) => core.data.kind !== 'direct' && !core.retired);
    const own = shared.flatMap(({ core }) => core.members.filter(({ identity }) => identity.account === this.ports.own.account));
    return own.map(capabilityOf);
  }

  /** Whoever got one of these capabilities elsewhere reaches this device no more: fresh tokens for the groups that use them. */
  async capabilitiesRevoked(capabilities: readonly string[], step: Step): Promise<void> {
    for (const group of this.#groups.values()) {
      const { ownLeaf, retired } = group.core;
      if (retired || ownLeaf === undefined || !capabilities.includes(capabilityOf(ownLeaf))) continue;
      group.core.noteWithdrawn(capabilityOf(ownLeaf));
      group.refresh();
      await group.settle(step);
    }
    this.#finish(step);
  }

  #directsWith(account: string): Group[] {
    return [...this.#groups.values()].filter(({ core }) => core.data.kind === 'direct' && core.data.accounts.includes(account));
  }

  /** Below those before it: so the other end writes in the new one as well. */
  #newDirectId(account: string): Uint8Array {
    const lowest = this.#directsWith(account)
      .map(({ id }) => id)
      .sort()[0];
    if (lowest === undefined) return this.ports.random(GROUP_ID_BYTES);
    const below = BigInt(`0x${toHex(this.ports.random(2 * GROUP_ID_BYTES))}`) % BigInt(`0x${lowest}`);
    return fromHex(below.toString(16).padStart(2 * GROUP_ID_BYTES, '0'));
  }

  #retire(account: string, step: Step): void {
    for (const group of this.#directsWith(account)) group.retire(step);
  }

  /** A new group of two: one that is made by a device nobody knew replaces those before it. */
  async #begun(group: Group, by: Member, step: Step): Promise<boolean> {
    const { kind, accounts } = group.core.data;
    const account = accounts.find((each) => each !== this.ports.own.account);
    if (kind !== 'direct' || account === undefined) return false;
    const before = this.#directsWith(account).filter((each) => each !== group);
    const isNew = !before.some(({ core }) => !core.retired && core.member(by.identity.device) !== undefined);
    if (isNew) for (const each of before) each.retire(step);
    await this.#writeIn(group, account, step);
    return isNew && before.length > 0;
  }

  /** What waited for a conversation with the account, and what reached none of its devices in those before. */
  async #writeIn(group: Group, account: string, step: Step): Promise<void> {
    if (this.directWith(account) !== group.id) return;
    for (const [id, content] of [...this.contents.all()]) {
      const lost = content.group !== undefined && content.group !== group.id && this.#isRetiredDirect(content.group, account);
      if (content.account !== account && !lost) continue;
      if (content.owed?.size === 0) continue;
      for (const entry of [...this.contents.entriesOf(id)]) this.outbox.withdraw(entry);
      this.#groups.get(content.group ?? '')?.forget(id);
      this.contents.put(id, { group: group.id, plaintext: content.plaintext, at: content.at }, step);
      await group.compose(id, step);
    }
  }

  #isRetiredDirect(id: string, account: string): boolean {
    const { core } = this.#groups.get(id) ?? {};
    return core !== undefined && core.retired && core.data.kind === 'direct' && core.data.accounts.includes(account);
  }

  // --- messages

  /** Into a group, under this content id, which it returns. */
  async compose(group: string, plaintext: Uint8Array, step: Step, id = toHex(this.ports.random(ID_BYTES))): Promise<string> {
    const known = this.#known(group);
    this.contents.put(id, { group, plaintext, at: step.now }, step);
    await known.compose(id, step);
    this.#tellStatus(id, step);
    await known.settle(step);
    this.#finish(step);
    return id;
  }

  /** To a contact: in the conversation with it, or as soon as there is one. Returns the content id. */
  async composeTo(account: string, plaintext: Uint8Array, step: Step, id = toHex(this.ports.random(ID_BYTES))): Promise<string> {
    const group = this.directWith(account);
    if (group !== undefined) return this.compose(group, plaintext, step, id);
    this.contents.put(id, { account, plaintext, at: step.now }, step);
    this.#tellStatus(id, step);
    return id;
  }

  /** Tells the others of a group that the user is writing. */
  async tellTyping(group: string, step: Step): Promise<void> {
    await this.#groups.get(group)?.typing.tell(step);
  }

  /** What is not delivered yet, oldest first. */
  queue(): { readonly id: string; readonly content: Content; readonly status: DeliveryStatus }[] {
    const all = [...this.contents.all()].map(([id, content]) => ({ id, content, status: this.#statusOf(id) }));
    return all.filter(({ status }) => status !== 'delivered').sort((a, b) => a.content.at - b.content.at);
  }

  /** All that some device has yet to get, by content id. */
  owed(): Iterable<[string, Content]> {
    return this.contents.all();
  }

  /** Gives a message up. What is on its way may still arrive. */
  discard(id: string, step: Step): void {
    const group = this.contents.get(id)?.group ?? '';
    if (this.contents.get(id) === undefined) return;
    for (const entry of this.contents.entriesOf(id)) this.outbox.withdraw(entry);
    this.#groups.get(group)?.forget(id);
    this.#groups.get(group)?.core.save(step);
    this.contents.forget(id, step);
    this.#tell(group, id, 'discarded', step);
    this.#finish(step);
  }

  /** The device is about to be another: what was written in its conversations of two waits for those of the next. */
  readdress(journal: Journal): void {
    for (const [id, { group, plaintext, at }] of this.contents.all()) {
      const data = this.#groups.get(group ?? '')?.core.data;
      const account = data?.kind === 'direct' ? data.accounts.find((each) => each !== this.ports.own.account) : undefined;
      if (account !== undefined) journal.put('contents', id, recordOf({ account, plaintext, at }));
      else if (group !== undefined) journal.remove('contents', id);
    }
  }

  // --- the outbox

  /** Returns the group in which something may have to follow. */
  #effect(effect: OutboxEffect, step: Step): Group | undefined {
    const { entry } = effect;
    const group = this.#groups.get(entry.group);
    switch (effect.kind) {
      case 'won':
        group?.won(entry.state, step);
        return group;
      case 'taken':
        if (group?.taken(entry.state, effect.by, step) !== true) this.outbox.withdraw(entry.id);
        return group;
      case 'delivered':
        group?.show(effect.to.leaf, step);
        if (entry.content !== undefined) this.contents.delivered(entry.content, effect.to.account, step);
        this.#moved(entry, step);
        return undefined;
      case 'cannot':
        return this.#cannot(entry, effect.to, group, step);
      case 'undelivered':
        if (entry.content !== undefined && effect.to.account !== this.ports.own.account)
          this.#tell(entry.group, entry.content, 'undelivered', step);
        this.#moved(entry, step);
        return undefined;
      case 'refused':
        if (entry.kind === 'commit') group?.refused(entry.state, step);
        this.#moved(entry, step);
        return group;
      case 'moved':
        this.#moved(entry, step);
        return undefined;
    }
  }

  #cannot(entry: OutboxEntry, to: RecipientState, group: Group | undefined, step: Step): Group | undefined {
    if (entry.kind === 'message' && entry.content !== undefined && this.contents.get(entry.content) !== undefined) {
      group?.sealAgain(entry.content, to, step);
      // It could read nothing that was sealed for it since, and does not ask to be let in again: its store has lost the group.
      if (group?.isLostTo(entry.content, to) === true) this.#replaceLeaf(group, to, step);
    }
    // The key package to which it was sealed is lost.
    if (entry.kind === 'welcome' && group !== undefined && (group.core.data.kind === 'direct' || group.core.unseen.has(to.leaf)))
      this.#replace(group, to, step);
    this.#moved(entry, step);
    return group;
  }

  /** Only then its key packages are to be had. */
  #isKnown({ account, device }: RecipientState, { core }: Group): boolean {
    return this.ports.trusts(account, core.member(device)?.identity.accountKey ?? new Uint8Array());
  }

  #replace(group: Group, to: RecipientState, step: Step): void {
    const { account } = to;
    const isDirect = group.core.data.kind === 'direct' && account !== this.ports.own.account;
    if (!isDirect) return this.#replaceLeaf(group, to, step);
    if (this.directWith(account) === group.id && this.#mayRenew(account, step)) this.#toRenew.add(account);
  }

  #replaceLeaf(group: Group, to: RecipientState, step: Step): void {
    if (this.#isKnown(to, group) && this.#mayRenew(`${group.id}/${to.device}`, step)) group.replace(to);
  }

  /** A device that can open nothing, whatever it is given, costs others ever less. */
  #mayRenew(what: string, { now }: Step): boolean {
    const { at, waitMs } = this.#renewed.get(what) ?? { at: 0, waitMs: FIRST_RENEWAL_MS };
    if (now - at < waitMs) return false;
    this.#renewed.delete(what);
    this.#renewed.set(what, { at: now, waitMs: Math.min(2 * waitMs, LAST_RENEWAL_MS) });
    if (this.#renewed.size > MOST_RENEWED) this.#renewed.delete(this.#renewed.keys().next().value!);
    return true;
  }

  #moved({ content, id }: OutboxEntry, step: Step): void {
    if (content === undefined || this.contents.get(content) === undefined) return;
    if (this.outbox.get(id) === undefined) this.contents.settled(content, id);
    this.#tellStatus(content, step);
    const group = this.#groups.get(this.contents.get(content)?.group ?? '');
    const waits = this.contents.entriesOf(content).size > 0 || group?.core.toSeal.some((each) => each.content === content) === true;
    if (waits) return;
    const given = this.#statusOf(content) === 'delivered' ? undefined : this.contents.get(content);
    this.contents.forget(content, step);
    if (given !== undefined) this.#tell(given.group ?? '', content, 'discarded', step);
  }

  #statusOf(content: string): DeliveryStatus {
    return this.contents.statusOf(content, (id) => this.outbox.get(id));
  }

  #tellStatus(content: string, step: Step): void {
    const status = this.contents.changedStatus(content, (id) => this.outbox.get(id));
    if (status !== undefined) this.#tell(this.contents.get(content)?.group ?? '', content, status, step);
  }

  #tell(group: string, content: string, status: DeliveryStatus, step: Step): void {
    this.ports.notify({ kind: 'delivery', group, content, status }, step);
  }

  #transmit(payload: Uint8Array, recipients: readonly Address[], step: Step): string {
    const id = toHex(this.ports.random(ID_BYTES));
    step.journal.afterwards(() => this.ports.send({ id, recipients, payload, held: false }));
    return id;
  }

  #forgetOffHead(): void {
    for (const entry of [...this.outbox.entries()]) {
      const group = this.#groups.get(entry.group);
      if (group !== undefined && [...entry.recipients.keys()].every((device) => group.core.member(device) === undefined))
        this.outbox.withdraw(entry.id);
    }
  }

  /** What the step has changed goes into its journal, and what is due out after it. */
  #finish({ journal, now }: Step): void {
    journal.lastly(this, () => {
      for (const group of this.#groups.values()) group.core.save({ journal, now });
      const due = this.outbox.due(now, (group, device) => this.#groups.get(group)?.core.member(device)?.address.token);
      this.outbox.save(journal);
      for (const send of due) journal.afterwards(() => this.ports.send(send));
    });
  }

  // --- for the groups

  async #checked(account: string, { device, bytes }: Claimed[number], { now }: Step): Promise<ClaimedPackage | undefined> {
    try {
      const { identity, leafId: leaf } = await this.ports.engine.readKeyPackage(bytes, Math.floor(now / 1_000));
      const isOf = identity.device === device && identity.account === account;
      return isOf && this.ports.trusts(account, identity.accountKey) ? { bytes, leaf } : undefined;
    } catch (error) {
      if (error instanceof MlsError) return undefined;
      throw error;
    }
  }

  #portsOfGroups(): GroupPorts {
    const { ports } = this;
    return {
      engine: ports.engine,
      provider: ports.provider,
      own: ports.own,
      rules: ports.rules,
      random: (length) => ports.random(length),
      newToken: () => ports.newToken(),
      revoke: (capability, step) => ports.revoke(capability, step),
      newJoinPackage: (group, step) => this.joining.newPackage(group, step),
      dispatch: (dispatch, step) => this.#dispatch(dispatch, step),
      withdraw: (id) => this.outbox.withdraw(id),
      release: (group, leaf, step) => this.#release(group, leaf, step),
      tokenElsewhere: (group, device) => this.#tokenElsewhere(group, device),
      transmit: (payload, to, step) => this.#transmit(payload, to, step),
      packagesOf: (account, step) => this.#claims.packagesOf(account, step.now, () => step.journal.afterwards(() => ports.claim(account))),
      isClaiming: (account) => this.#claims.isClaiming(account),
      packagesUsed: (account) => this.#claims.used(account),
      packagesUseless: (account) => this.#claims.useless(account),
      isOnline: (account) => ports.isOnline(account),
      sighted: (device) => this.outbox.sighted(device),
      answer: (handle, outcome, step) => this.#answer(handle, outcome, step),
      notify: (notice, step) => ports.notify(notice, step),
      count: (rung) => ports.count(rung),
    };
  }

  #tokenElsewhere(group: string, device: string): Uint8Array | undefined {
    const others = [...this.#groups.values()].filter(({ id, core }) => id !== group && !core.out && !core.dead);
    for (const { core } of others) {
      const member = core.member(device);
      if (member !== undefined) return member.address.token;
    }
    return undefined;
  }

  #release(group: string, leaf: LeafId, step: Step): void {
    for (const entry of this.outbox.release(group, leaf)) {
      const theirs = [...entry.recipients.values()].find((each) => each.leaf === leaf);
      const isStillThere =
        theirs && this.#groups.get(entry.group)?.core.members.some(({ identity }) => identity.account === theirs.account);
      if (theirs && entry.content !== undefined && !isStillThere) this.contents.delivered(entry.content, theirs.account, step);
      this.#moved(entry, step);
    }
  }

  #dispatch(dispatch: Dispatch, { now }: Step): string {
    const id = toHex(this.ports.random(ID_BYTES));
    this.outbox.add(id, dispatch, now);
    return id;
  }
}

function parse(payload: Uint8Array): Envelope | undefined {
  try {
    return fromBinary(EnvelopeSchema, payload);
  } catch {
    return undefined;
  }
}
