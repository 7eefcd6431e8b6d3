import { directData, encodeGroupData, type GroupData, type Member, MlsError, newGroupData } from '@sotto/mls';
import { ReceiptStatus, toHex } from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import { genesis } from '../groups/stored-commit.js';
import { Claims } from '../groups/claims.js';
import { type Content, type ContentRecord, Contents, recordOf } from '../groups/contents.js';
import { type Begun, Group } from '../groups/group.js';
import { capabilityOf } from '../groups/group-core.js';
import type { ClaimedPackage, Dispatch, GroupPorts, Step } from '../groups/group-ports.js';
import type { Intent } from '../groups/intent.js';
import type { LaterRecord } from '../groups/later.js';
import type { JoinPackage } from '../groups/rejoining.js';
import { load, loadGroups, reading } from '../groups/stored-groups.js';
import { Outbox } from '../outbox/outbox.js';
import type { DeliveryStatus, EntryRecord, OutboxEntry, SettledRecord } from '../outbox/outbox-entry.js';
import type { Journal } from '../storage/journal.js';
import type { Store } from '../storage/store.js';
import { Deliveries } from './deliveries.js';
import { DirectConversations } from './direct-conversations.js';
import { Inbox } from './inbox.js';
import { type Invitation, Invitations } from './invitations.js';
import { Joining } from './joining.js';
import { type Claimed, type IncomingReceipt, type MessengerPorts, transmit } from './messenger-ports.js';
import { PublishedTokens } from './published-tokens.js';

const GROUP_ID_BYTES = 32;
const ID_BYTES = 16;

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
  readonly #published = new PublishedTokens();
  readonly #groupPorts: GroupPorts;
  readonly #directs: DirectConversations;
  readonly #deliveries: Deliveries;
  readonly #inbox: Inbox;

  private constructor(
    private readonly ports: MessengerPorts,
    private readonly outbox: Outbox,
    private readonly contents: Contents,
    private readonly joining: Joining,
    private readonly invitations: Invitations,
  ) {
    this.#directs = new DirectConversations(ports, outbox, contents, this.#groups);
    this.#deliveries = new Deliveries(ports, outbox, contents, this.#groups, this.#directs);
    this.#groupPorts = this.#portsOfGroups();
    this.#inbox = new Inbox(ports, this.#groups, this.#directs, joining, invitations, (begun, step) => this.#begin(begun, step));
  }

  /** Throws ClientError `storage-failed` for a store that can't be read. */
  static async load(ports: MessengerPorts, store: Store): Promise<Messenger> {
    const outbox = Outbox.load(await load<EntryRecord>(store, 'outbox'), await load<SettledRecord>(store, 'outbox-settled'));
    const seen = new Set((await store.load('seen')).keys());
    const contents = new Contents(await load<ContentRecord>(store, 'contents'), seen, ports.own.account);
    const joining = new Joining(ports, await load<JoinPackage>(store, 'join-packages'));
    const invitations = new Invitations(ports, joining, await load<Invitation>(store, 'invitations'));
    const messenger = new Messenger(ports, outbox, contents, joining, invitations);
    for (const entry of outbox.entries()) if (entry.content !== undefined) contents.restore(entry.content, entry.id);
    for (const [id, stored] of await loadGroups(store))
      messenger.#groups.set(
        id,
        reading(() => Group.restore(id, messenger.#groupPorts, contents, stored)),
      );
    messenger.#restoreWaiting();
    messenger.#inbox.restore(await load<LaterRecord>(store, 'later'));
    return messenger;
  }

  /** What is on its way nowhere: the program ended before it was sealed, or when nobody waited for it any more. */
  #restoreWaiting(): void {
    for (const [id, { group, owed }] of this.contents.all()) {
      const known = this.#groups.get(group ?? '');
      if (known === undefined || this.contents.entriesOf(id).size > 0 || this.#deliveries.isWaiting(id)) continue;
      if (owed === undefined) known.sealLater(id);
      else this.#deliveries.givenUp(id);
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
    this.#inbox.disconnected();
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
    for (const effect of this.outbox.tick(step.now)) this.#deliveries.apply(effect, step);
    if (!this.ports.rules.onceOwedOwed) this.#deliveries.forgetOffHead(step);
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
    this.#published.claimed(packages);
    const isAnswered = claimed !== undefined;
    this.#claims.claimed(account, isAnswered ? packages : undefined, step.now);
    for (const group of this.#groups.values()) if (isAnswered && group.core.intents.length > 0) await group.settle(step);
    this.#finish(step);
  }

  // --- what arrives

  /** One delivery. It is answered when the step is durable. */
  async receive(handle: bigint, payload: Uint8Array, step: Step): Promise<void> {
    await this.#inbox.receive(handle, payload, step);
    this.#finish(step);
  }

  async receipt(receipt: IncomingReceipt, step: Step): Promise<void> {
    const touched = new Set<Group>();
    const { id, status, device } = receipt;
    if (status === ReceiptStatus.DELIVERED && this.outbox.get(id) === undefined)
      for (const { sync } of this.#groups.values()) sync.arrived(id, device, step);
    for (const effect of this.outbox.receipt(receipt, (account) => this.ports.isOnline(account), step.now)) {
      const group = this.#deliveries.apply(effect, step);
      if (group !== undefined) touched.add(group);
    }
    for (const group of touched) await group.settle(step);
    for (const account of this.#deliveries.takeToRenew()) await this.beginDirect(account, step, true);
    this.#finish(step);
  }

  // --- being let in

  /** Whoever is a contact now needs no leave to let this device in. */
  async contactAccepted(account: string, step: Step): Promise<void> {
    await this.#inbox.contactAccepted(account, step);
    this.#finish(step);
  }

  /** The user knows who asks. Throws ClientError `unknown-group`. */
  async acceptInvitation(group: string, step: Step): Promise<void> {
    await this.#inbox.acceptInvitation(group, step);
    this.#finish(step);
  }

  async declineInvitation(group: string, step: Step): Promise<void> {
    await this.#inbox.declineInvitation(group, step);
    this.#finish(step);
  }

  /** Of strangers, to groups, oldest first; without those that hold no more. */
  async openInvitations(): Promise<{ readonly group: string; readonly name: string; readonly by: Member }[]> {
    return (await this.invitations.toGroups()).map(({ group, name, by }) => ({ group, name, by }));
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
    return this.#directs.otherEnd(group);
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
    const group = await this.#begin({ id: first, state, isFirst: true }, step);
    for (const account of [...accounts, this.ports.own.account]) group.wish({ kind: 'add', account });
    await group.settle(step);
    return group;
  }

  async #begin(begun: Begun, step: Step): Promise<Group> {
    const group = await Group.begin(this.#groupPorts, this.contents, begun, step);
    this.#groups.set(group.id, group);
    return group;
  }

  /** Made true by this device's commits, in order. Throws ClientError for a group that is not there. */
  async wish(group: string, intent: Intent, step: Step): Promise<void> {
    const known = this.#known(group);
    known.wish(intent);
    await known.settle(step);
    this.#finish(step);
  }

  /** A device of this account that this one has seen go out of the group: it has left. */
  hasLeft(group: string, device: string): boolean {
    const { branches, ownLeaf } = this.#groups.get(group)?.core ?? {};
    return branches !== undefined && ownLeaf !== undefined && branches.membership.wasRemovedSince(ownLeaf.id, device);
  }

  /** Into these groups, as soon as their key packages are to be had: those at hand are older than the device that is wanted. */
  async bringOwnDevices(groups: readonly string[], step: Step): Promise<void> {
    const { account } = this.ports.own;
    this.#claims.forget(account);
    for (const group of groups) await this.wish(group, { kind: 'add', account }, step);
  }

  /** Their key packages are not there yet, or the commit is not made. */
  isBringingOwnDevices(group: string): boolean {
    const { account } = this.ports.own;
    return this.#groups.get(group)?.core.intents.some((intent) => intent.kind === 'add' && intent.account === account) === true;
  }

  async leave(group: string, step: Step): Promise<void> {
    const known = this.#known(group);
    known.leave(step);
    await known.settle(step);
    this.#finish(step);
  }

  /** Throws ClientError `not-allowed`. */
  async keep(group: string, account: string, step: Step): Promise<void> {
    const known = this.#known(group);
    if (!known.keep(account)) throw new ClientError('not-allowed', 'no removal of this member is known that cannot be checked');
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

  /** The one that is written in now. */
  directWith(account: string): string | undefined {
    return this.#directs.current(account);
  }

  /** There were conversations with this account, and none is written any more. */
  needsNewDirect(account: string): boolean {
    return this.#directs.with(account).length > 0 && this.directWith(account) === undefined;
  }

  /** Makes one unless there is one; with `anew` in any case, and those before it are only read from then on. */
  async beginDirect(account: string, step: Step, anew = false): Promise<void> {
    if (anew) {
      this.#directs.retire(account, step);
      this.#claims.forget(account);
    }
    if (this.directWith(account) === undefined) {
      const data = directData([this.ports.own.account, account]);
      const group = await this.#create(this.#directs.newId(account), data, [account], step);
      await this.#directs.writeIn(group, account, step);
    }
    this.#finish(step);
  }

  /** Another account goes by the name of that one now, and the user trusts it: it gets what the one before was not given. */
  async directContinues(before: string, account: string, step: Step): Promise<void> {
    this.#directs.readdress(before, account, step);
    await this.endDirect(before, step);
    await this.beginDirect(account, step, true);
  }

  /** Nothing more is written to the account. Returns the capability ids under which it reaches this device there. */
  async endDirect(account: string, step: Step): Promise<string[]> {
    this.#directs.retire(account, step);
    for (const group of this.#directs.with(account)) await group.settle(step);
    this.#finish(step);
    return this.#directs.capabilitiesOf(account);
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

  // --- messages

  /** Into a group, under this content id, which it returns. */
  async compose(group: string, plaintext: Uint8Array, step: Step, id = toHex(this.ports.random(ID_BYTES))): Promise<string> {
    const known = this.#known(group);
    this.contents.put(id, { group, plaintext, at: step.now }, step);
    await known.compose(id, step);
    this.#deliveries.tellStatus(id, step);
    await known.settle(step);
    this.#finish(step);
    return id;
  }

  /** To a contact: in the conversation with it, or as soon as there is one. Returns the content id. */
  async composeTo(account: string, plaintext: Uint8Array, step: Step, id = toHex(this.ports.random(ID_BYTES))): Promise<string> {
    const group = this.directWith(account);
    if (group !== undefined) return this.compose(group, plaintext, step, id);
    this.contents.put(id, { account, plaintext, at: step.now }, step);
    this.#deliveries.tellStatus(id, step);
    return id;
  }

  /** Tells the others of a group that the user is writing. */
  async tellTyping(group: string, step: Step): Promise<void> {
    await this.#groups.get(group)?.typing.tell(step);
  }

  /** What is not delivered yet, oldest first. */
  queue(): { readonly id: string; readonly content: Content; readonly status: DeliveryStatus }[] {
    const all = [...this.contents.all()].map(([id, content]) => ({ id, content, status: this.#deliveries.statusOf(id) }));
    return all.filter(({ status }) => status !== 'delivered').sort((a, b) => a.content.at - b.content.at);
  }

  /** All that some device has yet to get, by content id. */
  owed(): Iterable<[string, Content]> {
    return this.contents.all();
  }

  /** Tries at once what waits of a message. */
  resend(id: string, step: Step): void {
    this.#deliveries.resend(id, step);
    this.#finish(step);
  }

  /** Gives a message up. What is on its way may still arrive. */
  discard(id: string, step: Step): void {
    this.#deliveries.discard(id, step);
    this.#finish(step);
  }

  /** The device is about to be another: what was written in its conversations of two waits for those of the next. */
  readdress(journal: Journal): void {
    for (const [id, { group, plaintext, at, owed }] of this.contents.all()) {
      const data = this.#groups.get(group ?? '')?.core.data;
      const account = data?.kind === 'direct' ? data.accounts.find((each) => each !== this.ports.own.account) : undefined;
      if (account !== undefined && owed?.size !== 0) journal.put('contents', id, recordOf({ account, plaintext, at }));
      else if (group !== undefined) journal.remove('contents', id);
    }
  }

  /** What the step has changed goes into its journal, and what is due out after it. */
  #finish({ journal, now }: Step): void {
    journal.lastly(this, () => {
      this.#deliveries.forgetGivenUp({ journal, now });
      for (const group of this.#groups.values()) group.core.save({ journal, now });
      const due = this.outbox.due(now, {
        token: (group, device) => this.#groups.get(group)?.core.member(device)?.address.token,
        isClosed: (group, account) => this.#groups.get(group)?.core.isClosedTo(account) === true,
      });
      this.outbox.save(journal);
      for (const send of due) journal.afterwards(() => this.ports.send(send));
    });
  }

  // --- for the groups

  async #checked(account: string, { device, bytes }: Claimed[number], { now }: Step): Promise<ClaimedPackage | undefined> {
    try {
      const { identity, address, leafId: leaf } = await this.ports.engine.readKeyPackage(bytes, Math.floor(now / 1_000));
      const isOf = identity.device === device && identity.account === account;
      return isOf && this.ports.trusts(account, identity.accountKey) ? { bytes, leaf, token: address.token } : undefined;
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
      release: (group, leaf, step) => this.#deliveries.release(group, leaf, step),
      tokenElsewhere: (group, device) => this.#tokenElsewhere(group, device),
      transmit: (payload, to, step) => transmit(ports, payload, to, step),
      publishedToken: (account, device, step) => this.#publishedToken(account, device, step),
      packagesOf: (account, step) => this.#claims.packagesOf(account, step.now, () => step.journal.afterwards(() => ports.claim(account))),
      isClaiming: (account) => this.#claims.isClaiming(account),
      packagesUsed: (account) => this.#claims.used(account),
      packagesUseless: (account) => this.#claims.useless(account),
      isOnline: (account) => ports.isOnline(account),
      isContact: (account) => ports.isContact(account),
      sighted: (device) => this.outbox.sighted(device),
      answer: (handle, outcome, step) => step.journal.afterwards(() => ports.ack(handle, outcome)),
      givenUp: (content) => this.#deliveries.givenUp(content),
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

  /** Of contacts and own devices alone: nobody else's key packages are to be had. Whether they are there, presence may not tell. */
  #publishedToken(account: string, device: string, step: Step): Uint8Array | undefined {
    if (account !== this.ports.own.account && !this.ports.isContact(account)) return undefined;
    return this.#published.of(account, device, step.now, () => step.journal.afterwards(() => this.ports.claim(account)));
  }

  #dispatch(dispatch: Dispatch, { now }: Step): string {
    const id = toHex(this.ports.random(ID_BYTES));
    this.outbox.add(id, dispatch, now);
    return id;
  }
}
