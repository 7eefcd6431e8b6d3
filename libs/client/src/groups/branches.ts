import {
  type CommitNode,
  CommitTree,
  type GroupData,
  type GroupState,
  type LeafId,
  type Member,
  type MlsEngine,
  MlsError,
  type StateId,
} from '@sotto/mls';
import { CommitJudge, type JudgedChange, type Judgement } from './commit-judge.js';
import { type Entered, Entering, openCommit } from './entering.js';
import type { GroupPorts, Step } from './group-ports.js';
import type { Root } from './group-record.js';
import { KEPT_COMMITS, KEPT_STATES } from './group-rules.js';
import { short } from './hello.js';
import { HeldStates } from './held-states.js';
import type { Intent } from './intent.js';
import { Membership } from './membership.js';
import { OutOfReach } from './out-of-reach.js';
import type { OwnCommit, OwnResult, StoredCommit } from './stored-commit.js';
import { surplusCommits } from './surplus-commits.js';
import { MOST_REOPENED, surplusOf } from './surplus-states.js';

export interface Adopted {
  readonly from: StateId;
  readonly to: StateId;
  /** What this device wanted by commits that lost. */
  readonly returned: readonly Intent[];
}

const HELLO_KEY_BYTES = 32;

/** All that a device holds of a group's branches: the tree of commits, the states of the last epochs on every branch, and which it follows. */
export class Branches {
  readonly tree: CommitTree;
  readonly commits = new Map<StateId, StoredCommit>();
  readonly own = new Map<StateId, OwnResult>();
  readonly membership = new Membership(this);
  readonly #states: HeldStates;
  readonly #outOfReach = new OutOfReach();
  readonly #judge: CommitJudge;
  readonly #entering: Entering;
  readonly #ownEntered: StateId[] = [];
  readonly #byShort = new Map<string, StateId>();
  #root: StateId;
  #head: StateId;
  #path: readonly StateId[] | undefined;
  #shortPath: readonly string[] | undefined;
  #revision = 0;
  /** The revision at which the head was chosen last. */
  #chosenAt = -1;
  #cutOff = false;
  /** Commits have come since surplus ones were last looked for. */
  #hasGrown = true;
  readonly #engine: MlsEngine;

  constructor(
    readonly group: string,
    private readonly ports: GroupPorts,
    root: StateId,
    head: StateId,
    /** States that no commit here made: where it began. */
    readonly roots: Map<StateId, Root>,
  ) {
    this.#root = root;
    this.#head = head;
    this.tree = new CommitTree(ports.rules.fork);
    for (const id of roots.keys()) this.#byShort.set(short(id), id);
    this.#engine = ports.engine;
    this.#states = new HeldStates(group, ports.engine);
    this.#judge = new CommitJudge(group, ports.engine, this.tree, this.#states, (state) => this.epoch(state));
    this.#entering = new Entering(ports, this, this.#judge, this.#outOfReach);
  }

  // --- what is held

  /** The oldest state of the branch that is followed, from which the fork rule starts. */
  get root(): StateId {
    return this.#root;
  }

  get head(): StateId {
    return this.#head;
  }

  /** From the head down to the oldest known state. */
  get path(): readonly StateId[] {
    return (this.#path ??= this.tree.path(this.#head));
  }

  /** The same, cut as others are shown it. */
  get shortPath(): readonly string[] {
    return (this.#shortPath ??= this.path.map(short));
  }

  /** Another number after each change of what is here: commits, states, the head, what is out of reach. Messages don't count. */
  get revision(): number {
    return this.#revision + this.#states.revision + this.#outOfReach.revision;
  }

  /** To be called by whatever changes the commits, own results, roots, or the head. */
  #changed(): void {
    this.#revision++;
    this.#path = undefined;
    this.#shortPath = undefined;
  }

  holds(state: StateId): boolean {
    return this.#states.has(state);
  }

  state(state: StateId): GroupState | undefined {
    return this.#states.get(state);
  }

  heldStates(): Iterable<[StateId, GroupState]> {
    return this.#states.all();
  }

  members(state: StateId): readonly Member[] {
    return this.#states.members(state);
  }

  /** But for this device. */
  others(state: StateId): readonly Member[] {
    return this.#states.others(state);
  }

  ownLeaf(state: StateId): Member | undefined {
    return this.#states.ownLeaf(state);
  }

  data(state: StateId): GroupData {
    return this.#states.data(state);
  }

  epoch(state: StateId): number | undefined {
    const held = this.#states.get(state);
    return held === undefined ? (this.tree.get(state)?.epoch ?? this.roots.get(state)?.epoch) : Number(held.epoch);
  }

  get headEpoch(): number {
    return this.epoch(this.head)!;
  }

  /** The oldest epoch of which a state is held. */
  get heldFrom(): number {
    return this.#states.from;
  }

  refused(id: StateId): boolean {
    return this.refusedIds().includes(id);
  }

  refusedIds(): StateId[] {
    return this.#outOfReach.refused();
  }

  /** Commits that others may be able to process, and this device is not. */
  unprocessableIds(): StateId[] {
    return this.#outOfReach.unprocessable().filter((id) => !this.tree.has(id));
  }

  /** The state whose id begins with these 8 bytes. */
  byShort(shortId: string): StateId | undefined {
    return this.#byShort.get(shortId);
  }

  /** Of messages in a state that is held, by device: the next of this one, one past the highest opened of another. */
  generations(state: StateId): ReadonlyMap<string, number> {
    return this.#states.generations(state);
  }

  helloKey(state: StateId): Uint8Array | undefined {
    return this.commits.get(state)?.helloKey ?? this.roots.get(state)?.helloKey;
  }

  /** Ids of the refreshes on the way to the head. */
  refreshed(): ReadonlySet<string> {
    return new Set(this.path.flatMap((id) => this.commits.get(id)?.refresh ?? []));
  }

  // --- states

  /** A state that changed by sealing or opening a message: only its ratchets are written. */
  useState(id: StateId, state: GroupState, step: Step): void {
    this.#states.use(id, state, step);
  }

  restore(commits: ReadonlyMap<StateId, StoredCommit>, own: ReadonlyMap<StateId, OwnResult>): void {
    for (const [id, commit] of commits) {
      this.tree.add(commit.node);
      this.commits.set(id, commit);
      this.#byShort.set(short(id), id);
    }
    for (const [id, result] of own) this.own.set(id, result);
    this.#changed();
  }

  restoreState(id: StateId, epochPart: Uint8Array, ratchets: Uint8Array): void {
    this.#states.restore(id, epochPart, ratchets);
  }

  /** Whether a state is held, or can be had again for a message or a commit. */
  isInReach(id: StateId): boolean {
    return this.#states.has(id) || this.#wayTo(id, MOST_REOPENED) !== undefined;
  }

  /** States that were let go of and can be had again. */
  statesInReach(): StateId[] {
    return [...this.commits.keys()].filter((id) => !this.#states.has(id) && this.isInReach(id));
  }

  /** The state, opened again if it was let go of. Undefined: it can't be had. */
  async reach(id: StateId, step: Step, mostReopened = MOST_REOPENED): Promise<GroupState | undefined> {
    for (const { node, bytes } of this.#wayTo(id, mostReopened) ?? []) {
      const opened = await openCommit(this.#engine, this.#states.get(node.parent)!, bytes);
      if (opened instanceof MlsError || opened.state.removed) return undefined;
      this.#states.keep(node.id, opened.state, step);
      this.ports.count('state-reopened');
    }
    return this.#states.get(id);
  }

  /** Commits that lead to a state from one that is held, oldest first. Undefined: it is gone for good, or too far. */
  #wayTo(id: StateId, most: number): StoredCommit[] | undefined {
    const way: StoredCommit[] = [];
    for (let at = id; !this.#states.has(at);) {
      const commit = this.commits.get(at);
      const isGone = commit?.helloKey === undefined || commit.node.epoch < this.headEpoch - KEPT_STATES || this.own.has(at);
      if (isGone || way.length === most) return undefined;
      way.push(commit);
      at = commit.node.parent;
    }
    return way.reverse();
  }

  /** Not those of the followed branch, and none whose keys this device has used: opened again, it would use them twice. */
  letGoOfSurplus(step: Step): void {
    if (!this.#states.takeGrown()) return;
    const followed = new Set(this.path);
    const used = this.#usedStates();
    const others = [...this.#states.all().keys()].flatMap((id) =>
      followed.has(id) || used.has(id) ? [] : (this.commits.get(id)?.node ?? []),
    );
    for (const id of surplusOf(others)) {
      this.#states.drop(id, step);
      this.ports.count('state-let-go');
    }
  }

  /** Forgets commits off the followed branch that are more than the bounds allow. */
  forgetSurplus(hasMessages: (state: StateId) => boolean, step: Step): void {
    if (!this.#hasGrown) return;
    this.#hasGrown = false;
    const followed = new Set(this.path);
    const used = this.#usedStates();
    const losing = [...this.commits.values()].filter(({ node }) => !followed.has(node.id));
    const isUsed = (state: StateId) => used.has(state) || this.commits.get(state)?.intents !== undefined;
    for (const id of surplusCommits(losing, this.tree, { isUsed, hasMessages })) {
      this.#forget(id, step);
      this.ports.count('commit-let-go');
    }
  }

  /** Those that this device made, or has sealed in. */
  #usedStates(): ReadonlySet<StateId> {
    const sealedIn = [...this.#states.all()].flatMap(([id, state]) => (this.#engine.generationOf(state, state.ownLeaf) > 0 ? id : []));
    return new Set([...this.own.keys(), ...[...this.own.values()].map(({ node }) => node.parent), ...sealedIn]);
  }

  /** Where it begins for this device: the group is its own, or it was let in. */
  async begin(id: StateId, state: GroupState, step: Step, commit?: Root['commit']): Promise<void> {
    this.#states.keep(id, state, step);
    this.#byShort.set(short(id), id);
    this.roots.set(id, { epoch: Number(state.epoch), helloKey: await this.#helloKeyOf(state), commit });
    this.#root = id;
    this.#head = id;
    this.#changed();
    this.#outOfReach.beginAnew(id, Number(state.epoch));
  }

  #helloKeyOf(state: GroupState): Promise<Uint8Array> {
    return this.#engine.exporter(state, 'sotto hello', new Uint8Array(0), HELLO_KEY_BYTES);
  }

  // --- commits

  /** Judges a commit of another and, if it is valid, puts it into the tree. `isLastTry`: what gives it its right will not come any more. */
  enter(parent: StateId, bytes: Uint8Array, step: Step, { isLastTry = false } = {}): Promise<Entered> {
    return this.#entering.enter(parent, bytes, step, isLastTry);
  }

  isKnown(id: StateId): boolean {
    return this.tree.has(id) || this.roots.has(id);
  }

  /** A commit of this device, whose result is kept: it won, or came back from others. */
  enterOwn(id: StateId, step: Step): CommitNode | undefined {
    const own = this.own.get(id);
    if (own === undefined || this.tree.has(id)) return own?.node;
    this.#ownEntered.push(id);
    const { epochPart, ratchets, welcome: _, added: __, ...stored } = own;
    this.restoreState(id, epochPart, ratchets);
    this.#states.keep(id, this.#states.get(id)!, step);
    this.#putStored(stored, step);
    return own.node;
  }

  /** Makes the result of an own commit durable, before anyone else gets the commit. */
  async prepareOwn(made: OwnCommit, step: Step): Promise<void> {
    const { state, parent, ...rest } = made;
    const { id } = rest.node;
    this.useState(rest.node.parent, parent, step);
    const own: OwnResult = {
      ...rest,
      helloKey: await this.#helloKeyOf(state),
      epochPart: this.#engine.serialiseEpoch(state),
      ratchets: this.#engine.serialiseRatchets(state),
    };
    this.own.set(id, own);
    this.#changed();
    if (this.ports.rules.durableBeforeSent) step.journal.put('own-commits', `${this.group}/${id}`, own);
  }

  /** Of a state that is not held: whether it is gone for good here, was before this device came, or can't be reached by it. */
  isPast(state: StateId, message: Uint8Array): boolean {
    const epoch = Number(this.#engine.peek(message).epoch);
    return this.#outOfReach.has(state) || this.#isBelowRoot(state, epoch) || this.epoch(state) === epoch;
  }

  /** Or beside it, where no older state is held from which commits could still lead there. */
  #isBelowRoot(state: StateId, epoch: number): boolean {
    const rootEpoch = this.epoch(this.root)!;
    return epoch < rootEpoch || (epoch === rootEpoch && this.heldFrom >= rootEpoch && !this.own.has(state));
  }

  isUnreachable(state: StateId): boolean {
    return this.#outOfReach.has(state);
  }

  /** States behind commits that this device will never process: what follows from them is not for it either. */
  unreachableIds(): Iterable<StateId> {
    return this.#outOfReach.states();
  }

  /** Of a state that was held: others may still hold it. */
  isLetGo(state: StateId): boolean {
    const commit = this.commits.get(state);
    return commit?.helloKey !== undefined && commit.node.epoch >= this.headEpoch - KEPT_STATES;
  }

  /** Own commits that entered the tree since the last call, by whatever way. */
  takeOwnEntered(): StateId[] {
    return this.#ownEntered.splice(0);
  }

  forgetOwn(id: StateId, step: Step): void {
    if (!this.own.delete(id)) return;
    this.#changed();
    step.journal.remove('own-commits', `${this.group}/${id}`);
  }

  /** Whether a commit that this device is about to make may be. */
  judge(parent: StateId, author: Member, change: JudgedChange): Judgement {
    return this.#judge.judge(parent, author, change);
  }

  /** One that was judged. `state`: none where it removes this device. */
  async put(stored: StoredCommit, state: GroupState | undefined, step: Step): Promise<void> {
    if (state !== undefined) this.#states.keep(stored.node.id, state, step);
    this.#putStored({ ...stored, helloKey: state && (await this.#helloKeyOf(state)) }, step);
  }

  /** The user wants these leaves to stay, whatever commit has removed them so far. */
  keep(leaves: Iterable<LeafId>): void {
    this.tree.keep(leaves);
    this.#changed();
  }

  #putStored(stored: StoredCommit, step: Step): void {
    if (!this.tree.isEnd(stored.node.parent)) this.ports.count('fork');
    this.tree.add(stored.node);
    this.#changed();
    this.#hasGrown = true;
    this.#outOfReach.remove(stored.node.id);
    this.commits.set(stored.node.id, stored);
    this.#byShort.set(short(stored.node.id), stored.node.id);
    step.journal.put('commits', `${this.group}/${stored.node.id}`, stored);
  }

  // --- choosing

  /** Nothing has changed since the fork rule chose. */
  get isChosen(): boolean {
    return this.#chosenAt === this.revision;
  }

  /** Follows the branch that the fork rule chooses, as far as this device is a member of it. */
  async adopt(step: Step): Promise<Adopted | undefined> {
    if (this.isChosen) return undefined;
    const from = this.head;
    const to = await this.#chosenState(step);
    this.#chosenAt = this.revision;
    if (to === from) return undefined;
    this.#head = to;
    this.#changed();
    const lost = this.tree.descends(to, from) ? [] : this.tree.path(from).filter((id) => !this.tree.descends(to, id));
    if (lost.length > 0) this.ports.count('rewind');
    const returned = lost.flatMap((id) => this.commits.get(id)?.intents ?? []);
    if (returned.length > 0) this.ports.count('intent-returned');
    this.#prune(step);
    return { from, to, returned };
  }

  async #chosenState(step: Step): Promise<StateId> {
    const path = this.tree.path(this.tree.choose(this.root)).reverse();
    const chosen = path.slice(path.indexOf(this.root));
    const newest = chosen.findLast((id) => this.#states.has(id) || this.#wayTo(id, chosen.length) !== undefined);
    if (newest !== undefined) await this.reach(newest, step, chosen.length);
    const last = chosen.findLastIndex((id) => this.#states.has(id));
    this.#cutOff = last >= 0 && last < chosen.length - 1;
    return chosen[last] ?? this.head;
  }

  /** The chosen branch goes on without the leaf that this device has in its head. */
  get isCutOff(): boolean {
    return this.#cutOff;
  }

  /** Own leaf ids, on whichever branch: the leaf that this device has at its head, if some commit removes it. */
  get removedHere(): boolean {
    const own = this.ownLeaf(this.head);
    if (own === undefined) return true;
    return this.tree.removed.has(own.id);
  }

  #prune(step: Step): void {
    const oldest = this.headEpoch - KEPT_STATES;
    this.dropPassed(step);
    const path = this.path.filter((id) => this.#states.has(id) && this.epoch(id)! >= oldest);
    if (!path.includes(this.root)) this.#root = path.at(-1)!;
    for (const [id, { node }] of [...this.commits]) if (node.epoch < this.headEpoch - KEPT_COMMITS) this.#forget(id, step);
    for (const [id, { epoch }] of this.roots)
      if (id !== this.root && epoch < this.headEpoch - KEPT_COMMITS && !this.holds(id)) this.roots.delete(id);
    this.#changed();
    for (const [id, { node }] of [...this.own]) if (node.epoch < oldest) this.forgetOwn(id, step);
  }

  /** Lets go of states that are older than what can be compared, some time after they were passed. */
  dropPassed(step: Step): void {
    this.#states.dropPassed(this.headEpoch - KEPT_STATES, this.head, step);
  }

  /** What is left of a group that this device is in no more: who was in it, and that it is out. */
  keepHeadAlone(step: Step): void {
    for (const id of this.own.keys()) this.forgetOwn(id, step);
    for (const id of this.#states.all().keys()) if (id !== this.head) this.#states.drop(id, step);
    for (const id of this.commits.keys()) if (id !== this.head) this.#forget(id, step);
    for (const id of this.roots.keys()) if (id !== this.head) this.roots.delete(id);
    this.#root = this.head;
    this.#changed();
  }

  #forget(id: StateId, step: Step): void {
    this.tree.forget(id);
    this.commits.delete(id);
    this.#changed();
    this.#byShort.delete(short(id));
    if (this.#states.has(id)) this.#states.drop(id, step);
    step.journal.remove('commits', `${this.group}/${id}`);
  }
}
