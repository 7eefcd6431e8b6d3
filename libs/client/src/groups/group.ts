import { fromBinary } from '@bufbuild/protobuf';
import { adminsOf, type GroupState, type LeafId, type Member, type StateId } from '@sotto/mls';
import { type Envelope, EnvelopeSchema, type LeaveStatement, Outcome, toHex } from '@sotto/protocol';
import type { Adopted } from './branches.js';
import { Committing } from './committing.js';
import type { Contents } from './contents.js';
import type { Entered } from './entering.js';
import { capabilityOf, GroupCore } from './group-core.js';
import type { Address, GroupPorts, Recipient, Step } from './group-ports.js';
import type { GroupRecord, Root } from './group-record.js';
import type { Intent } from './intent.js';
import { Later, type LaterRecord } from './later.js';
import { type LoggedMessage, MessageLog } from './message-log.js';
import { Rejoining } from './rejoining.js';
import { type Read, Sealing } from './sealing.js';
import { commitId, type OwnResult, type StoredCommit } from './stored-commit.js';
import { Sync } from './sync.js';
import { TypingNotices } from './typing.js';

const DAY_MS = 86_400_000;
const EXPIRE_EVERY_MS = 3_600_000;
const JUDGE_EVERY_MS = 300_000;
const OVER_MS = 14 * DAY_MS;
/** How long members are asked for what does not come. */
const ASKED_FOR_MS = 3_600_000;
/** Of that, without a break. */
const ASKED_AT_LEAST_MS = 600_000;
const ID_BYTES = 16;
const LATER = { count: 2_000, bytes: 16 * 1024 * 1024 };
/** Rounds of adopting, reading what waited and committing within one step; the next step goes on. */
const MOST_ROUNDS = 64;

type Kind = Envelope['kind'];

/** Where a group begins for this device: a state, the id that names it, and the commit that let it in. */
export interface Begun {
  readonly id: StateId;
  readonly state: GroupState;
  readonly commit?: Root['commit'];
  /** This device has sealed nothing there yet. Else it may have: a Welcome can come again, to a device whose disk was put back to a time before. */
  readonly isFirst: boolean;
}

/** What a store holds of one group. Keys without the group's id. */
export interface StoredGroup {
  readonly record: GroupRecord;
  readonly commits: ReadonlyMap<StateId, StoredCommit>;
  readonly ownCommits: ReadonlyMap<StateId, OwnResult>;
  readonly epochs: ReadonlyMap<StateId, Uint8Array>;
  readonly ratchets: ReadonlyMap<StateId, Uint8Array>;
  readonly log: ReadonlyMap<string, LoggedMessage>;
  readonly later: ReadonlyMap<string, LaterRecord>;
}

/** One MLS group of this device: takes envelopes and wishes, and goes where the rules of docs/groups.md lead. */
export class Group {
  readonly sync: Sync;
  readonly typing: TypingNotices;
  readonly #sealing: Sealing;
  readonly #committing: Committing;
  readonly #rejoining: Rejoining;
  readonly #left = new Map<LeafId, LeaveStatement>();
  #expireAt = 0;
  #judgeAt = 0;
  #isLetInAgain = false;
  #wasOut = false;

  private constructor(
    readonly core: GroupCore,
    private readonly later: Later,
    contents: Contents,
  ) {
    this.#sealing = new Sealing(core, contents);
    this.#committing = new Committing(core, this.#left);
    this.#rejoining = new Rejoining(core, (member) => this.#committing.mayLetIn(member));
    this.sync = new Sync(core, this.#rejoining, this.#committing, this.#left);
    this.typing = new TypingNotices(core);
  }

  /** The device made the group, or was let into it: `id` names the state where it begins. */
  static async begin(ports: GroupPorts, contents: Contents, begun: Begun, step: Step): Promise<Group> {
    const { id, state } = begun;
    const group = toHex(state.groupId);
    const record = {
      root: id,
      head: id,
      roots: [],
      removed: [],
      intents: [],
      leaving: false,
      toSeal: [],
      refreshAt: 0,
      retired: false,
      gone: false,
    };
    const core = new GroupCore(group, ports, { ...record, unseen: [], retiring: [] });
    await core.branches.begin(id, state, step, begun.commit);
    core.confirmed = begun.isFirst;
    core.touch();
    return new Group(core, new Later(group, LATER), contents);
  }

  static restore(id: string, ports: GroupPorts, contents: Contents, stored: StoredGroup): Group {
    const core = new GroupCore(id, ports, stored.record, new MessageLog(id, stored.log));
    core.branches.restore(stored.commits, stored.ownCommits);
    for (const [state, epoch] of stored.epochs) core.branches.restoreState(state, epoch, stored.ratchets.get(state)!);
    return new Group(core, new Later(id, LATER, stored.later), contents);
  }

  get id(): string {
    return this.core.id;
  }

  // --- what arrives

  /** Reads an envelope of this group, or keeps it until it can. Returns what its sender is to be told. */
  async receive(kind: Kind, payload: Uint8Array, handle: bigint | undefined, step: Step): Promise<Outcome> {
    const read = await this.#read(kind, step);
    const { ports } = this.core;
    if (read === 'stored') return Outcome.STORED;
    const id = commitId(payload, ports.provider);
    const outcome = read === 'cannot' || this.#waitsInVain(id, step) ? Outcome.CANNOT : Outcome.LATER;
    ports.count(outcome === Outcome.CANNOT ? 'cannot' : 'later');
    if (read !== 'cannot') this.later.keep(id, { payload, ...read }, outcome === Outcome.LATER ? handle : undefined, step);
    return outcome;
  }

  /** Nobody who was asked has its state: perhaps nobody has it any more, and a message is to be sealed again. It is read all the same if the state comes. */
  #waitsInVain(id: string, { now }: Step): boolean {
    const { awaitsWelcome, askingSince } = this.core;
    const since = this.later.since(id);
    const isAsked = since !== undefined && now - since > ASKED_FOR_MS && askingSince > 0 && now - askingSince > ASKED_AT_LEAST_MS;
    return isAsked && !awaitsWelcome;
  }

  async #read(kind: Kind, step: Step): Promise<Read> {
    if (kind.case === 'application') return this.#sealing.read(kind.value, step);
    if (kind.case !== 'commit') return 'cannot';
    const parent = toHex(kind.value.parent);
    const entered = await this.core.branches.enter(parent, kind.value.message, step);
    switch (entered.is) {
      case 'entered':
        this.core.show(entered.node.author.leaf);
        this.sync.committed(entered.node, step);
        return 'stored';
      case 'known':
        return 'stored';
      case 'later':
        return { waitsFor: entered.waitsFor };
      case 'too-old':
        return 'cannot';
      case 'refused':
        return this.#refused(entered, parent, step);
    }
  }

  #refused({ own, author }: Extract<Entered, { is: 'refused' }>, parent: StateId, step: Step): Read {
    if (own) this.core.die('own-commit-lost', parent);
    if (author !== undefined) {
      const { account, device, accountName: name } = author;
      this.core.ports.notify({ kind: 'unprocessable', group: this.id, author: { account, device, name } }, step);
    }
    return own ? 'stored' : 'cannot';
  }

  /** Goes on as far as what is here allows: adopts a branch, reads what waited for it, commits and seals what is wanted. */
  async settle(step: Step): Promise<void> {
    const { core } = this;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const adopted = core.branches.isChosen ? undefined : await core.branches.adopt(step);
      if (adopted !== undefined) this.#adopted(adopted, step);
      core.branches.letGoOfSurplus(step);
      const isJudgedAnew = this.#isJudgedAnew();
      const read = this.later.size > 0 && (await this.#readLater(isJudgedAnew, step));
      const before = core.branches.commits.size;
      await this.#committing.tick(step);
      if (adopted === undefined && !read && core.branches.commits.size === before) break;
    }
    core.branches.forgetSurplus((state) => core.log.hasOf(state), step);
    this.#checkMembership(step);
    const awaits = this.later.size > 0 && step.now - this.later.newestAt < ASKED_FOR_MS;
    core.isMissing = awaits || this.#committing.blockedBy !== undefined;
    if (core.toSeal.length > 0) await this.#sealing.flush(step);
    core.save(step);
  }

  /**
   * True when something of it could be read.
   * @param isJudgedAnew all of it is tried; else what waits for nothing any more
   */
  async #readLater(isJudgedAnew: boolean, step: Step): Promise<boolean> {
    let some = false;
    for (const wanted of this.later.wanted()) {
      if (!isJudgedAnew && !this.#isDecided(wanted)) continue;
      for (const [id, { payload }] of this.later.waitingFor(wanted)) {
        const read = await this.#read(fromBinary(EnvelopeSchema, payload).kind, step);
        if (typeof read === 'object') this.later.keep(id, { payload, ...read }, undefined, step);
        else this.#readAtLast(id, read === 'stored' ? Outcome.STORED : Outcome.CANNOT, step);
        some ||= typeof read === 'string';
      }
    }
    return some;
  }

  /** Nobody who was asked has the commits that give some their right: they can't be judged here. */
  async #judgeWithoutRight(step: Step): Promise<void> {
    this.#judgeAt = step.now + JUDGE_EVERY_MS;
    if (step.now - this.core.askingSince < ASKED_FOR_MS) return;
    for (const [id, { payload }] of this.later.olderThan(step.now - ASKED_FOR_MS)) {
      const { kind } = fromBinary(EnvelopeSchema, payload);
      if (kind.case !== 'commit' || !this.core.branches.isInReach(toHex(kind.value.parent))) continue;
      const entered = await this.core.branches.enter(toHex(kind.value.parent), kind.value.message, step, { isLastTry: true });
      if (entered.is !== 'later') this.#readAtLast(id, entered.is === 'refused' ? Outcome.CANNOT : Outcome.STORED, step);
    }
  }

  /** Whether all that waits has another standing now: this device has come back by another leaf, or is out. */
  #isJudgedAnew(): boolean {
    const { out } = this.core;
    const isNew = this.#isLetInAgain || (out && !this.#wasOut);
    this.#isLetInAgain = false;
    this.#wasOut = out;
    return isNew;
  }

  #isDecided(wanted: StateId): boolean {
    const { branches, awaitsWelcome } = this.core;
    return branches.tree.has(wanted) || branches.roots.has(wanted) || (!awaitsWelcome && branches.isUnreachable(wanted));
  }

  #readAtLast(id: string, outcome: Outcome, step: Step): void {
    const handle = this.later.take(id, step);
    if (handle !== undefined) this.core.ports.answer(handle, outcome, step);
  }

  #checkMembership(step: Step): void {
    const { core } = this;
    const { branches } = core;
    if ((branches.removedHere || core.expelled) && !core.gone) {
      core.gone = true;
      core.goneAt = step.now;
      core.touch();
      core.ports.notify({ kind: 'out', group: core.id }, step);
    } else if (branches.isCutOff && !branches.removedHere) core.die('cut-off');
  }

  // --- where it leads

  #adopted({ from, to, returned }: Adopted, step: Step): void {
    const { core } = this;
    core.touch();
    for (const intent of returned) core.wish(intent);
    this.sync.progress(step);
    core.reviveAlone(from);
    const [before, after] = [core.branches.members(from), core.branches.members(to)];
    const added = without(after, before);
    const removed = without(before, after);
    for (const { id, identity } of added) if (identity.device !== core.ports.own.device) core.unseen.set(id, step.now);
    core.forgetUnjudged();
    for (const { id } of removed) this.#forgetUnseen(id, step);
    if (removed.length > 0 && core.refreshAt === 0) core.refreshAt = step.now + this.#randomWithin(DAY_MS);
    this.#retireToken(from, to, step);
    this.#tell(from, to, added, removed, step);
  }

  /** Removed for good before it ever showed itself: nothing that was sealed for it can reach it. Who is let in again, or anew after a step back, gets it by the new leaf. */
  #forgetUnseen(leaf: LeafId, step: Step): void {
    const { core } = this;
    if (core.unseen.delete(leaf) && core.branches.tree.removed.has(leaf)) core.ports.release(core.id, leaf, step);
  }

  #tell(from: StateId, to: StateId, added: readonly Member[], removed: readonly Member[], step: Step): void {
    const { core } = this;
    const { name } = core.branches.data(to);
    const renamed = core.branches.data(from).name === name ? undefined : name;
    const { promoted, demoted } = this.#rolesChanged(from, to);
    if ([added, removed, promoted, demoted].every(({ length }) => length === 0) && renamed === undefined) return;
    const author = core.branches.tree.get(to)?.author.leaf;
    const by = [...core.branches.members(from), ...core.branches.members(to)].find(({ id }) => id === author);
    core.ports.notify({ kind: 'changed', group: core.id, by, added, removed, renamed, promoted, demoted }, step);
  }

  /** Of each account that is in both states one leaf. */
  #rolesChanged(from: StateId, to: StateId): { promoted: Member[]; demoted: Member[] } {
    const { branches } = this.core;
    if (branches.data(to).kind === 'direct') return { promoted: [], demoted: [] };
    const [before, after] = [adminsOf(branches.data(from), branches.members(from)), adminsOf(branches.data(to), branches.members(to))];
    const stayed = new Map(branches.members(from).map((member) => [member.identity.account, member]));
    const now = new Set(branches.members(to).map(({ identity }) => identity.account));
    const among = (accounts: ReadonlySet<string>, others: ReadonlySet<string>) =>
      [...accounts].filter((account) => !others.has(account) && now.has(account)).flatMap((account) => stayed.get(account) ?? []);
    return { promoted: among(after, before), demoted: among(before, after) };
  }

  /** The old token still reaches this device until all others may be past the change. */
  #retireToken(from: StateId, to: StateId, step: Step): void {
    const { branches, retiring } = this.core;
    const [before, after] = [branches.ownLeaf(from), branches.ownLeaf(to)].map((leaf) => leaf && capabilityOf(leaf));
    if (before !== undefined && after !== undefined && before !== after) retiring.push({ capability: before, at: step.now + DAY_MS });
  }

  // --- time

  async tick(step: Step): Promise<void> {
    const { core } = this;
    const isOver = this.#isOver(step.now);
    core.withdrawFormerToken(step);
    if (!isOver) this.sync.tick(step);
    if (!isOver) this.#rejoining.greet(step);
    if (step.now >= this.#expireAt) await this.#expire(step);
    if (isOver) return;
    if (step.now >= this.#judgeAt) await this.#judgeWithoutRight(step);
    const isUnreachable = core.hasWithdrawnToken && !core.intents.some(({ kind }) => kind === 'refresh');
    if ((core.refreshAt > 0 && step.now >= core.refreshAt) || isUnreachable) this.refresh();
    this.#withdrawTokens(step);
    await this.settle(step);
  }

  async #expire(step: Step): Promise<void> {
    const { core } = this;
    this.#expireAt = step.now + EXPIRE_EVERY_MS;
    core.log.expire(step);
    this.later.expire(step);
    if (this.#isOver(step.now)) return this.#close(step);
    core.branches.dropPassed(step);
    for (const each of this.sync.lostMembers(step.now)) {
      const { account } = each.identity;
      // No leaf is replaced there: another conversation has taken its place, or none is wanted.
      if (core.retired) this.#sealing.giveUp(each.identity.device, step);
      // Nobody but contacts has its key packages. Greeted, it can ask to be let in by one of its own making.
      else if (account === core.ports.own.account || core.ports.isContact(account)) this.replace(addressed(each));
      else core.noteUnseen(each.id, step.now);
    }
  }

  /** Out for so long that nobody who was away can need anything of this device, nor tell it that it is in after all. */
  #isOver(now: number): boolean {
    const { gone, goneAt } = this.core;
    return gone && goneAt > 0 && now - goneAt > OVER_MS;
  }

  #close(step: Step): void {
    const { core } = this;
    this.#sealing.giveUp(undefined, step);
    if (core.branches.commits.size > 1) {
      core.branches.keepHeadAlone(step);
      core.touch();
    }
    core.save(step);
  }

  #withdrawTokens(step: Step): void {
    const { core } = this;
    const due = core.retiring.filter(({ at }) => at <= step.now);
    if (due.length === 0) return;
    core.retiring = core.retiring.filter(({ at }) => at > step.now);
    core.touch();
    const own = core.ownLeaf && capabilityOf(core.ownLeaf);
    // In use again, after a step back.
    for (const { capability } of due) {
      if (capability === own) continue;
      core.ports.revoke(capability, step);
      core.noteWithdrawn(capability);
    }
  }

  /** Fresh keys and a fresh token for this device. */
  refresh(): void {
    const { core } = this;
    core.refreshAt = 0;
    core.wish({ kind: 'refresh', id: toHex(core.ports.random(ID_BYTES)) });
    core.touch();
  }

  // --- what the user wants

  wish(intent: Intent): void {
    this.core.wish(intent);
  }

  /** The device has lost what belongs to its leaf. */
  replace({ account, device, leaf }: Pick<Recipient, 'account' | 'device' | 'leaf'>): void {
    this.core.wish({ kind: 'replace', account, device, leaf });
  }

  /** Of those whose removal can't be judged: the user wants them to stay. False: there is none of this account. */
  keep(account: string): boolean {
    const { core } = this;
    const leaves = core.unjudgedInHead.filter(({ identity }) => identity.account === account).map(({ id }) => id);
    if (leaves.length === 0) return false;
    core.branches.keep(leaves);
    for (const leaf of core.branches.tree.lineage(leaves)) {
      core.unjudged.delete(leaf);
      core.inDoubt.delete(leaf);
    }
    core.touch();
    return true;
  }

  leave(step: Step): void {
    const { core } = this;
    core.leaving = true;
    core.touch();
    this.sync.start(step);
  }

  /** What is due comes first: nothing is sealed for whom this very step removes. */
  async compose(content: string, step: Step): Promise<void> {
    await this.settle(step);
    await this.#sealing.compose(content, step);
  }

  sealLater(content: string): void {
    this.#sealing.later(content);
  }

  sealAgain(content: string, to: Recipient, step: Step): void {
    this.#sealing.again(content, to, step);
  }

  isLostTo(content: string, to: Recipient): boolean {
    return this.#sealing.isLostTo(content, to);
  }

  /** It waits no more: to be sealed for all, nor once more for one device. */
  forget(content: string): void {
    this.#sealing.forget(content, () => true);
  }

  /** It waits no more to be sealed for all. Whoever could not read it here waits for it still. */
  forgetUnsealed(content: string): void {
    this.#sealing.forget(content, (device) => device === undefined);
  }

  /** It waits no more to be sealed once more for that device. */
  forgetFor(content: string, device: string): void {
    this.#sealing.forget(content, (each) => each === device);
  }

  /** To be sealed, for all or for one device. */
  isWaiting(content: string): boolean {
    return this.core.toSeal.some((each) => each.content === content);
  }

  /** What waits to be sealed once more for that device. */
  giveUp(device: string, step: Step): void {
    this.#sealing.giveUp(device, step);
  }

  withhold(payload: Uint8Array, step: Step): void {
    this.#sealing.withhold(payload, step);
  }

  retire(step: Step): void {
    this.core.retired = true;
    this.core.intents = this.core.intents.filter(({ kind }) => kind === 'remove');
    this.core.touch();
    this.core.save(step);
  }

  /** The relay will never take the commit: what it was to bring about would be refused again. */
  refused(commit: StateId, step: Step): void {
    const { core } = this;
    if (core.pending?.commit !== commit) return;
    const wanted = core.branches.own.get(commit)?.intents ?? [];
    core.intents = core.intents.filter((intent) => !wanted.includes(intent));
    core.ports.notify({ kind: 'refused', group: core.id, wanted: wanted.map(({ kind }) => kind), why: 'server' }, step);
    this.#committing.restart();
  }

  // --- what the outbox tells

  show(leaf: LeafId, step: Step): void {
    this.core.show(leaf);
    this.core.save(step);
  }

  won(commit: StateId, step: Step): void {
    this.core.branches.enterOwn(commit, step);
  }

  /** False: the commit need not be tried again. */
  taken(commit: StateId, by: StateId, step: Step): boolean {
    return this.#committing.taken(commit, by, step);
  }

  // --- being let in

  /** Whether a Welcome leads on from where this device is, and not back. */
  welcomes(state: GroupState): boolean {
    const { core } = this;
    return core.dead || core.wantsRejoin || core.branches.removedHere || Number(state.epoch) > core.branches.headEpoch;
  }

  knows(state: StateId): boolean {
    return this.core.branches.holds(state) || this.core.branches.roots.has(state);
  }

  async letInAgain({ id, state, commit, isFirst }: Begun, step: Step): Promise<void> {
    const { core } = this;
    await core.branches.begin(id, state, step, commit);
    core.wantsRejoin = false;
    core.leaving = false;
    core.expelled = false;
    core.gone = false;
    core.goneAt = 0;
    core.deadLeaf = undefined;
    this.#committing.followedOthers();
    core.forgetUnjudged();
    this.#committing.restart();
    core.confirmed = isFirst;
    core.unseen.clear();
    core.touch();
    this.#isLetInAgain = true;
    core.ports.count('rejoined');
    this.sync.restart(step);
  }

  /** Somebody asks whether this device knows the group: it shows itself. */
  answerGreeting(to: Address, step: Step): void {
    const member = this.core.member(to.device);
    if (member !== undefined) this.sync.show(member, to, step);
  }

  /** Whether a device that greets this one is to know that it is no member: this one stays where it is, and has not been put back. */
  disowns(device: string): boolean {
    const { core } = this;
    const isSettled = core.confirmed && !core.isDoubted && !core.out && !core.awaitsWelcome;
    return core.member(device) === undefined && isSettled && !core.isClosed;
  }

  disconnected(): void {
    this.later.forgetHandles();
  }

  #randomWithin(ms: number): number {
    return Math.floor((ms * Number.parseInt(toHex(this.core.ports.random(4)), 16)) / 2 ** 32);
  }
}

function without(all: readonly Member[], others: readonly Member[]): Member[] {
  const ids = new Set(others.map(({ id }) => id));
  return all.filter(({ id }) => !ids.has(id));
}

const addressed = ({ id: leaf, identity: { account, device } }: Member) => ({ account, device, leaf });
