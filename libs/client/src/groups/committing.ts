import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type Committed, encodeGroupData, type LeafId, type Member, MlsError, MOST_LEAVES, type StateId } from '@sotto/mls';
import { CommitAuthenticatedDataSchema, EnvelopeSchema, fromHex, type LeaveStatement, LIMITS } from '@sotto/protocol';
import { commitId, effectOf } from './stored-commit.js';
import type { GroupCore } from './group-core.js';
import type { Dispatch, Refusal, Step } from './group-ports.js';
import { type Change, type Head, type Intent, judgeIntent, removalsDue } from './intent.js';
import { commitEnvelope, recipientsOf } from './sealing.js';

const SLOT_BYTES = 32;
/** How long the winner of a slot may take to show up before one goes on without a slot, and how much more for each live leaf before one's own. */
const WINNER_TIMEOUT_MS = 60_000;
const WINNER_TIMEOUT_PER_LEAF_MS = 10_000;
/** In a large group not all before one can have failed. */
const MOST_WINNER_TIMEOUT_MS = 300_000;

interface Wanted extends Change {
  readonly intents: readonly Intent[];
}

/** Added by one commit, as long as its Welcome with the whole tree travels. */
const MOST_ADDED = 100;
/** So many claims without a package of the device whose leaf is to be replaced, and it is taken to be gone; a sign of life makes the wish anew. */
const MOST_IN_VAIN = 5;
/** How long a removal to which this device has no right waits for what could give it one, and of that at least while it asks others. */
const DOUBT_MS = 3_600_000;
const ASKED_AT_LEAST_MS = 600_000;
/** For what an envelope has beside its messages. */
const ENVELOPE_BYTES = 1_024;

/** What could give a removal its right. */
interface Known {
  readonly head: StateId;
  readonly commits: number;
  /** Statements of those who leave. */
  readonly left: number;
}

/** Makes true what members want, one commit after the other (docs/groups.md § Committing). */
export class Committing {
  /** Where a removal that was due could not be committed. */
  #hopeless: Known | undefined;
  #mostAdded = MOST_ADDED;
  /** Leaves of whose removal, which others can't judge, the user was told since the start. */
  readonly #told = new Set<LeafId>();
  /** How many claims have brought no package of the device that has this leaf, which is to be replaced. */
  readonly #inVain = new Map<LeafId, number>();
  /** Leaves that this account's commits remove, which are refused by those whom this device is about to follow. */
  #refused: LeafId[] = [];
  /** The slot is held by a commit that is not here. */
  #blocked: { readonly by: StateId; readonly since: number } | undefined;

  constructor(
    private readonly core: GroupCore,
    /** Signed by those who said that they leave, by leaf. */
    private readonly left: ReadonlyMap<string, LeaveStatement>,
  ) {}

  get blockedBy(): StateId | undefined {
    return this.#blocked?.by;
  }

  /** Whether a commit of this device that lets the other in again would be valid, by what is known here. */
  mayLetIn(member: Member): boolean {
    const { branches, head, ownLeaf } = this.core;
    if (ownLeaf === undefined) return false;
    const authenticatedData = this.#right([], member.identity.account);
    const change = { authenticatedData, addedMembers: [member], removedMembers: [], groupDataChanged: false, groupData: new Uint8Array() };
    return branches.judge(head, ownLeaf, change) === undefined;
  }

  /** These commits are refused by those whom this device is about to follow; none: it is about to follow nobody. */
  refusedByOthers(commits: readonly StateId[]): void {
    this.#refused = this.restingElsewhere(commits).map(({ id }) => id);
  }

  /**
   * Where they are. A removal of this account that rests on nothing but what another branch did is not tried again: they all came in above that.
   * Whoever else knows of it may well be able to.
   */
  followedOthers(): void {
    for (const leaf of this.#refused.splice(0)) {
      this.core.inDoubt.delete(leaf);
      this.#setAside(leaf);
    }
  }

  #setAside(leaf: LeafId): void {
    this.core.unjudged.add(leaf);
    this.#told.delete(leaf);
    // What was due beside it may be committed without it.
    this.#hopeless = undefined;
    this.core.ports.count('removal-unjudged');
    this.core.touch();
  }

  /** Whom these commits of this account remove for no other reason than that another branch did. */
  restingElsewhere(commits: readonly StateId[]): readonly Member[] {
    return commits.flatMap((commit) => this.#removedForAnotherBranch(commit));
  }

  #removedForAnotherBranch(id: StateId): readonly Member[] {
    const { branches, ports } = this.core;
    const { node, removed = [] } = branches.commits.get(id) ?? {};
    if (node?.author.account !== ports.own.account || node.removes.length === 0 || !branches.holds(node.parent)) return [];
    return removed.filter((member) => !this.#mayRemove(member, node.parent));
  }

  /** Whether this device may remove the member from that state by its role, or as the member has said that it leaves. */
  #mayRemove(member: Member, from: StateId): boolean {
    return this.#isValid(member, from, encodedRight({ left: this.#statementsOf([member], from) }));
  }

  /** Or by any right that is known. */
  #hasRight(member: Member): boolean {
    return this.#isValid(member, this.core.head, this.#right([member]));
  }

  #isValid(removed: Member, from: StateId, authenticatedData: Uint8Array): boolean {
    const { branches } = this.core;
    const author = branches.ownLeaf(from);
    if (author === undefined) return false;
    const change = { authenticatedData, addedMembers: [], removedMembers: [removed], groupDataChanged: false, groupData: new Uint8Array() };
    return branches.judge(from, author, change) === undefined;
  }

  /** Starts the next commit, or goes on without a slot that was held for too long. */
  async tick(step: Step): Promise<void> {
    const { core } = this;
    for (const commit of core.branches.takeOwnEntered()) this.#entered(commit, step);
    if (core.pending !== undefined) {
      if (core.pending.parent !== core.head) this.#dropPending();
      else return this.#waitForWinner(core.pending.commit, step);
    }
    if (!core.mayCommit(step.now)) return;
    const wanted = this.#next(step);
    if (wanted !== undefined) await this.#build(wanted, step);
  }

  /** Nothing went out by this try. False: it need not be tried again. */
  taken(commit: StateId, by: StateId, step: Step): boolean {
    const { core } = this;
    core.ports.count('slot-taken');
    if (core.pending?.commit !== commit) return false;
    this.#blocked ??= { by, since: step.now };
    this.#waitForWinner(commit, step);
    return core.pending !== undefined;
  }

  /** Whatever was on its way is of a state that this device has left. */
  restart(): void {
    this.#dropPending();
  }

  #entered(commit: StateId, step: Step): void {
    if (this.core.pending?.commit === commit) this.#dropPending();
    this.#welcome(commit, step);
  }

  // --- what to commit

  #next(step: Step): Wanted | undefined {
    const { core } = this;
    if (core.intents.length === 0 && core.removedInHead.length === 0) return undefined;
    const head = this.#headView();
    if (head === undefined) return undefined;
    const due = core.ports.rules.removalsAddUp && !core.dead ? this.#removalsDue(head, step) : [];
    if (due.length > 0) {
      if (this.#isHopeless()) {
        this.#doubt(due, step.now);
        return undefined;
      }
      core.ports.count('removal-carried-over');
      return { intents: [], add: [], remove: due, refresh: false };
    }
    return this.#firstDue(head, step);
  }

  /** Without those that others can't judge, of which the user is told: nothing is sealed until an admin makes them, or the members are kept. */
  #removalsDue(head: Head, step: Step): Member[] {
    const { core } = this;
    const unjudged = core.unjudgedInHead.filter((member) => !this.#mayRemove(member, core.head) && !this.#isOutOfDoubt(member));
    const news = unjudged.filter(({ id }) => !this.#told.has(id));
    if (news.length > 0) core.ports.notify({ kind: 'unjudged', group: core.id, members: news }, step);
    for (const { id } of news) this.#told.add(id);
    return removalsDue(head).filter((member) => !unjudged.includes(member));
  }

  /** What has no right after so long has none soon: the user is asked, as about what others can't judge. */
  #doubt(due: readonly Member[], now: number): void {
    const { core } = this;
    for (const member of due) {
      const since = core.inDoubt.get(member.id);
      if (this.#hasRight(member)) {
        // What was set aside is out of doubt by this entry.
        if (!core.unjudged.has(member.id) && core.inDoubt.delete(member.id)) core.touch();
      } else if (since === undefined || since > now) {
        core.inDoubt.set(member.id, now);
        core.touch();
      } else if (now - since >= DOUBT_MS && now - core.askingSince >= ASKED_AT_LEAST_MS) this.#setAside(member.id);
    }
  }

  /** What gives its removal a right has come after all. */
  #isOutOfDoubt(member: Member): boolean {
    return this.core.inDoubt.has(member.id) && this.#hasRight(member);
  }

  #firstDue(head: Head, step: Step): Wanted | undefined {
    const { core } = this;
    let wanted: Wanted | undefined;
    let claiming = false;
    core.intents = core.intents.filter((intent) => {
      if (core.dead && !this.#endsNeed(intent)) return true;
      const judged = judgeIntent(intent, head, (account) => core.ports.packagesOf(account, step));
      if (judged.is === 'due') wanted = joined(wanted, judged, intent, this.#mostAdded);
      if (judged.is === 'waits' && judged.stale === true) core.ports.packagesUseless(judged.account);
      if (judged.is === 'waits' && judged.unused !== undefined) core.noteUnseen(judged.unused, step.now);
      if (judged.is === 'waits') claiming ||= core.ports.isClaiming(judged.account);
      const isOver = judged.is === 'met' || (judged.is === 'waits' && judged.stale === true && this.#isInVain(intent));
      if (isOver) core.touch();
      return !isOver;
    });
    // Who is about to be had is added by the same commit.
    return claiming && wanted?.intents[0]?.kind === 'add' ? undefined : wanted;
  }

  /** A device that is gone for good publishes no package ever: without an end it would be wished, and its account's packages claimed, for ever. */
  #isInVain(intent: Intent): boolean {
    if (intent.kind !== 'replace') return false;
    const claims = (this.#inVain.get(intent.leaf) ?? 0) + 1;
    if (claims < MOST_IN_VAIN) this.#inVain.set(intent.leaf, claims);
    else this.#inVain.delete(intent.leaf);
    return claims >= MOST_IN_VAIN;
  }

  /** By a leaf that should not be used there is one thing to do: to let in somebody who can help, or to remove all who can't. */
  #endsNeed({ kind }: Intent): boolean {
    return kind === 'rejoin' || kind === 'replace' || (kind === 'remove' && this.core.wantsToBeAlone);
  }

  #headView(): Head | undefined {
    const { branches, members, ownLeaf, data } = this.core;
    if (ownLeaf === undefined) return undefined;
    const devices = new Set(members.map(({ identity }) => identity.device));
    const removed = new Set(branches.tree.removed.keys());
    const lineage = (leaves: readonly LeafId[]) => branches.tree.lineage(leaves);
    return { members, devices, own: ownLeaf, data, removed, refreshed: branches.refreshed(), lineage };
  }

  // --- the commit

  async #build(wanted: Wanted, step: Step): Promise<void> {
    const { core } = this;
    const parent = core.head;
    const made = await this.#made(wanted, step);
    if (made === undefined) return;
    const id = commitId(made.commit, core.ports.provider);
    const before = new Set(core.members.map((each) => each.id));
    const added = core.ports.engine.members(made.state).filter((each) => !before.has(each.id));
    const own = core.ownLeaf!;
    const node = {
      id,
      parent,
      epoch: Number(made.state.epoch),
      author: { leaf: own.id, index: own.leaf, account: own.identity.account },
      ...effectOf(core.members, { added, removed: wanted.remove }),
    };
    const { intents } = wanted;
    for (const intent of intents) if (intent.kind === 'add' || intent.kind === 'replace') core.ports.packagesUsed(intent.account);
    const refresh = intents.find((intent) => intent.kind === 'refresh')?.id;
    const { commit: bytes, state, parent: parentState, welcome } = made;
    const removed = wanted.remove.filter((each) => node.removes.includes(each.id));
    const newcomers = added.length > 0 ? added : undefined;
    await core.branches.prepareOwn(
      { node, bytes, state, parent: parentState, welcome, added: recipientsOf(added), intents, refresh, removed, newcomers },
      step,
    );
    core.pending = { commit: id, parent, dispatch: '' };
    core.touch();
    this.#count(intents, node.adds);
    await this.#handOver(id, step);
  }

  #count(intents: readonly Intent[], letIn: readonly string[]): void {
    const { ports } = this.core;
    if (intents.some(({ kind }) => kind === 'replace')) ports.count('lost-replaced');
    // Whoever asks to rejoin and has no device in the head came in by another branch.
    if (intents.some((intent) => intent.kind === 'rejoin' && letIn.includes(intent.account))) ports.count('let-in-again');
  }

  /** What cannot be committed, say because a key package has expired or the right to it was lost, is not wanted for ever. */
  async #made(wanted: Wanted, step: Step): Promise<Committed | undefined> {
    const { core } = this;
    const { engine } = core.ports;
    const state = core.branches.state(core.head)!;
    const rejoining = wanted.intents.find((intent) => intent.kind === 'rejoin')?.account;
    const authenticatedData = this.#right(wanted.remove, rejoining);
    const groupData = wanted.data && encodeGroupData(wanted.data);
    const changes = {
      add: wanted.add,
      remove: wanted.remove.map(({ leaf }) => leaf),
      ...(groupData && { groupData }),
      ...(wanted.refresh && { token: core.ports.newToken() }),
    };
    let why: Refusal = wanted.add.length > 0 ? 'unusable' : 'not-allowed';
    try {
      const made = await engine.commit(state, changes, Math.floor(step.now / 1_000), authenticatedData);
      const before = new Set(core.members.map((each) => each.id));
      const addedMembers = engine.members(made.state).filter((each) => !before.has(each.id));
      const change = { authenticatedData, addedMembers, removedMembers: [...wanted.remove], groupDataChanged: groupData !== undefined };
      const judged = core.branches.judge(core.head, core.ownLeaf!, { ...change, groupData: groupData ?? new Uint8Array() });
      const isFull = engine.members(made.state).length > MOST_LEAVES;
      if (judged === undefined && travels(made)) return made;
      // Fewer at a time may fit and travel, unless it is one account's devices that don't.
      if ((judged === undefined || isFull) && wanted.intents.length > 1) {
        this.#mostAdded = Math.ceil(wanted.add.length / 2);
        return undefined;
      }
      why = judged === undefined ? 'too-large' : isFull ? 'full' : 'not-allowed';
    } catch (error) {
      if (!(error instanceof MlsError)) throw error;
    }
    this.#giveUp(wanted, why, step);
    if (wanted.intents.length === 0) this.#hopeless = this.#known();
    return undefined;
  }

  /** The removal that is due could not be committed, say for a right whose place is not known, and nothing has come since that could give one. */
  #isHopeless(): boolean {
    const [before, now] = [this.#hopeless, this.#known()];
    return before?.head === now.head && before.commits === now.commits && before.left === now.left;
  }

  #known(): Known {
    const { head, branches } = this.core;
    return { head, commits: branches.commits.size, left: this.left.size };
  }

  #giveUp({ intents }: Wanted, why: Refusal, step: Step): void {
    const { core } = this;
    const wanted = intents.map(({ kind }) => kind);
    if (wanted.length > 0) core.ports.notify({ kind: 'refused', group: core.id, wanted, why }, step);
    for (const intent of intents) if (intent.kind === 'add') core.ports.packagesUsed(intent.account);
    core.intents = core.intents.filter((each) => !intents.includes(each));
    core.touch();
  }

  async #handOver(id: StateId, step: Step): Promise<void> {
    const { core } = this;
    const parent = core.branches.state(core.head)!;
    if (core.others.length === 0) return void core.branches.enterOwn(id, step);
    const slot = await core.ports.engine.exporter(parent, 'sotto commit slot', new Uint8Array(0), SLOT_BYTES);
    const dispatch = core.ports.dispatch(this.#dispatchOf(id, slot), step);
    core.pending = { ...core.pending!, dispatch };
  }

  #dispatchOf(id: StateId, slot?: Uint8Array): Dispatch {
    const { core } = this;
    const { node, bytes } = core.branches.own.get(id) ?? core.branches.commits.get(id)!;
    const payload = commitEnvelope(node.parent, bytes);
    return { kind: 'commit', group: core.id, payload, recipients: recipientsOf(core.others), state: id, slot };
  }

  /** The Welcome goes out with a won commit only. */
  #welcome(id: StateId, step: Step): void {
    const { core } = this;
    const own = core.branches.own.get(id);
    if (own?.welcome === undefined) return;
    const value = { welcome: own.welcome, commit: { parent: fromHex(own.node.parent), message: own.bytes } };
    const payload = toBinary(EnvelopeSchema, create(EnvelopeSchema, { kind: { case: 'welcome', value } }));
    core.ports.dispatch({ kind: 'welcome', group: core.id, payload, recipients: own.added, state: id }, step);
  }

  #waitForWinner(commit: StateId, step: Step): void {
    const { core } = this;
    if (this.#blocked === undefined || !core.mayCommit(step.now) || core.branches.isCutOff) return;
    const { by, since } = this.#blocked;
    // The winner is known, and the fork rule or the policy left it aside: waiting for it would be for ever.
    if (core.branches.tree.has(by) || core.branches.refused(by)) return this.#withoutSlot(commit, step);
    if (!core.ports.rules.slotsAreNoPermission) return;
    const before = core.others.filter((each) => each.leaf < core.ownLeaf!.leaf && core.ports.isOnline(each.identity.account) !== false);
    const wait = Math.min(WINNER_TIMEOUT_MS + before.length * WINNER_TIMEOUT_PER_LEAF_MS, MOST_WINNER_TIMEOUT_MS);
    if (step.now - since >= wait) this.#withoutSlot(commit, step);
  }

  /** A slot avoids forks; it is no permission. */
  #withoutSlot(commit: StateId, step: Step): void {
    const { core } = this;
    core.ports.count('sent-without-slot');
    core.ports.withdraw(core.pending!.dispatch);
    core.ports.dispatch(this.#dispatchOf(commit), step);
    core.branches.enterOwn(commit, step);
    this.#dropPending();
  }

  /** Its result stays: a try that seemed lost may have gone out. */
  #dropPending(): void {
    this.core.pending = undefined;
    this.#blocked = undefined;
    this.core.touch();
  }

  /** By what right leaves are removed and an account is let in again, where the role alone does not give it. */
  #right(remove: readonly Member[], rejoining?: string): Uint8Array {
    const { tree } = this.core.branches;
    const removedBy = remove.flatMap(({ id }) => tree.removed.get(id) ?? []);
    const left = this.#statementsOf(remove, this.core.head);
    const isElsewhere = (id: StateId) => !tree.descends(this.core.head, id);
    const addedBy = [...tree.nodes()]
      .filter(({ id, adds }) => rejoining !== undefined && adds.includes(rejoining) && isElsewhere(id))
      .slice(0, 1);
    return encodedRight({ removedBy: [...new Set(removedBy)].map(fromHex), left, addedBy: addedBy.map(({ id }) => fromHex(id)) });
  }

  /** By which these members of a state have said that they leave. */
  #statementsOf(members: readonly Member[], state: StateId): LeaveStatement[] {
    const { tree } = this.core.branches;
    return [...this.left].flatMap(([leaf, statement]) => {
      const leaves = tree.withReplacements([leaf], state);
      return members.some(({ id }) => leaves.has(id)) ? statement : [];
    });
  }
}

function encodedRight(right: MessageInitShape<typeof CommitAuthenticatedDataSchema>): Uint8Array {
  return toBinary(CommitAuthenticatedDataSchema, create(CommitAuthenticatedDataSchema, right));
}

/** One commit makes true one intent, or adds for several. */
function joined(wanted: Wanted | undefined, due: Change, intent: Intent, mostAdded: number): Wanted {
  if (wanted === undefined) return { ...due, intents: [intent] };
  const add = [...wanted.add, ...due.add];
  if (intent.kind !== 'add' || wanted.intents[0]?.kind !== 'add' || add.length > mostAdded) return wanted;
  return { ...wanted, add, intents: [...wanted.intents, intent] };
}

function travels({ commit, welcome }: Committed): boolean {
  return commit.length + (welcome?.length ?? 0) + ENVELOPE_BYTES <= LIMITS.payloadBytes;
}
