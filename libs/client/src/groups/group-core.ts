import type { GroupData, LeafId, Member, StateId } from '@sotto/mls';
import { ID_BYTES, toHex } from '@sotto/protocol';
import { Branches } from './branches.js';
import type { Address, GroupPorts, Step } from './group-ports.js';
import type { FormerToken, GroupRecord, Pending, ToSeal } from './group-record.js';
import type { Intent } from './intent.js';
import { MessageLog } from './message-log.js';

/** Why nothing may be sealed just now. */
export type Hold = 'removal' | 'hello' | 'rejoin' | 'out' | 'closed';

const ANSWER_TIMEOUT_MS = 120_000;
const FORMER_TOKEN_MS = 86_400_000;
/** A step back leads no further than the states that are held. */
const MOST_WITHDRAWN = 64;

/** What the parts of a group share: its branches, its log, and the small record beside them. */
export class GroupCore {
  readonly branches: Branches;
  readonly log: MessageLog;
  intents: Intent[];
  pending: Pending | undefined;
  leaving: boolean;
  deadLeaf: LeafId | undefined;
  toSeal: ToSeal[];
  refreshAt: number;
  retired: boolean;
  /** The user was told that this device is out. */
  gone: boolean;
  /** When. Unix milliseconds; 0: it is in. */
  goneAt: number;
  /** Its leaf is dead, and others say that it was removed. */
  expelled: boolean;
  /** Leaves that came after this device did and have not shown themselves, with the time of their coming. */
  readonly unseen: Map<LeafId, number>;
  /** Capabilities that are to be withdrawn, with the time. */
  retiring: { readonly capability: string; readonly at: number }[];
  formerToken: FormerToken | undefined;
  /** Capabilities that were withdrawn: by a leaf that has one again, after a step back, this device can't be reached. */
  readonly withdrawn: Set<string>;
  /** Accounts whose word on a roll-back of this device was enough, and when. Unix milliseconds. */
  readonly believed: Map<string, number>;
  /** Leaves whose removal is not tried again before the user or an admin says so: the others can't judge its right, or none is known here yet. */
  readonly unjudged: Set<LeafId>;
  /** Leaves that are to go by a removal to which this device has no right, and since when it has seen that. Unix milliseconds. */
  readonly inDoubt: Map<LeafId, number>;
  /** A peer has answered a hello since this device started, or it could not be behind: it made or joined the group since. */
  confirmed = false;
  /** A member says that this device was rolled back, and that is not settled yet. */
  isDoubted = false;
  /** It can't compare the branch of others with its own: whose it is, and until when asking them is of use. */
  wantsRejoin = false;
  /** Its leaf is dead, and nobody can help but those whom it lets in again first; or nobody is to be left who could. */
  isLastHope = false;
  /** Commits or messages are known to exist that are not here. */
  isMissing = false;
  /** Since when nobody has answered. Unix milliseconds; 0: not online yet. */
  askingSince = 0;
  #spareToken: Uint8Array | undefined;
  #changed = false;

  constructor(
    readonly id: string,
    readonly ports: GroupPorts,
    record: GroupRecord,
    log?: MessageLog,
  ) {
    this.branches = new Branches(id, ports, record.root, record.head, new Map(record.roots));
    const { tree } = this.branches;
    for (const [leaf, by] of record.removed) tree.rememberRemoved(leaf, by);
    for (const [commit, leaves] of record.kept ?? []) tree.keepFrom(commit, leaves);
    this.log = log ?? new MessageLog(id);
    this.intents = [...record.intents];
    this.pending = record.pending;
    this.leaving = record.leaving;
    this.deadLeaf = record.deadLeaf;
    this.toSeal = [...record.toSeal];
    this.refreshAt = record.refreshAt;
    this.retired = record.retired;
    this.gone = record.gone;
    this.goneAt = record.goneAt ?? 0;
    this.expelled = record.expelled ?? false;
    this.unseen = new Map(record.unseen);
    this.retiring = [...record.retiring];
    this.formerToken = record.formerToken;
    this.withdrawn = new Set(record.withdrawn);
    this.believed = new Map(record.believed);
    this.unjudged = new Set(record.unjudged);
    this.inDoubt = new Map(record.inDoubt);
  }

  /** To be called by whoever changes what stands in the record: it is written once, at the end of the step. */
  touch(): void {
    this.#changed = true;
  }

  save(step: Step): void {
    if (!this.#changed) return;
    this.#changed = false;
    const { branches, intents, pending, leaving, deadLeaf, toSeal, refreshAt, retired, gone, goneAt, expelled, retiring } = this;
    const kept = [...branches.tree.kept].flatMap(([commit, leaves]) => (branches.tree.has(commit) ? [[commit, [...leaves]] as const] : []));
    const record: GroupRecord = {
      root: branches.root,
      head: branches.head,
      roots: [...branches.roots],
      removed: [...branches.tree.removed],
      intents,
      pending: this.ports.rules.durableBeforeSent ? pending : undefined,
      leaving,
      deadLeaf,
      toSeal,
      refreshAt,
      retired,
      gone,
      ...(goneAt > 0 && { goneAt }),
      expelled,
      unseen: [...this.unseen],
      retiring,
      ...(this.formerToken && { formerToken: this.formerToken }),
      ...(this.withdrawn.size > 0 && { withdrawn: [...this.withdrawn] }),
      ...(this.believed.size > 0 && { believed: [...this.believed] }),
      ...(this.unjudged.size > 0 && { unjudged: [...this.unjudged] }),
      ...(this.inDoubt.size > 0 && { inDoubt: [...this.inDoubt] }),
      ...(kept.length > 0 && { kept }),
    };
    step.journal.put('groups', this.id, record);
  }

  // --- the head

  get head(): StateId {
    return this.branches.head;
  }

  get members(): readonly Member[] {
    return this.branches.members(this.head);
  }

  get ownLeaf(): Member | undefined {
    return this.branches.ownLeaf(this.head);
  }

  /** Where this device can be reached now. Empty: it has no leaf. */
  get answerToken(): Uint8Array {
    const token = this.ownLeaf?.address.token ?? new Uint8Array();
    return this.hasWithdrawnToken ? (this.#spareToken ??= this.ports.newToken()) : token;
  }

  get hasWithdrawnToken(): boolean {
    if (this.withdrawn.size === 0) return false;
    const { ownLeaf } = this;
    return ownLeaf !== undefined && this.withdrawn.has(capabilityOf(ownLeaf));
  }

  /** By which those who were removed may answer this device: one at a time, and none that lasts. */
  tokenForFormer(now: number): Uint8Array {
    if (this.formerToken === undefined) {
      this.formerToken = { token: this.ports.newToken(), until: now + FORMER_TOKEN_MS };
      this.touch();
    }
    return this.formerToken.token;
  }

  withdrawFormerToken(step: Step): void {
    if (this.formerToken === undefined || step.now < this.formerToken.until) return;
    this.ports.revoke(toHex(this.formerToken.token.subarray(0, ID_BYTES)), step);
    this.formerToken = undefined;
    this.touch();
  }

  noteWithdrawn(capability: string): void {
    this.withdrawn.add(capability);
    if (this.withdrawn.size > MOST_WITHDRAWN) this.withdrawn.delete(this.withdrawn.values().next().value!);
    this.touch();
  }

  get data(): GroupData {
    return this.branches.data(this.head);
  }

  get others(): readonly Member[] {
    return this.branches.others(this.head);
  }

  member(device: string): Member | undefined {
    return this.members.find(({ identity }) => identity.device === device);
  }

  /** Members whose removal is not tried again, by whichever leaf. */
  get unjudgedInHead(): Member[] {
    if (this.unjudged.size === 0) return [];
    const leaves = this.branches.tree.lineage(this.unjudged);
    return this.removedInHead.filter(({ id }) => leaves.has(id));
  }

  /** Those whose devices are not in the head any more are out, whoever has brought that about. */
  forgetUnjudged(): void {
    if (this.unjudged.size === 0 && this.inDoubt.size === 0) return;
    const there = this.branches.tree.lineage(this.members.map(({ id }) => id));
    for (const leaf of this.unjudged) if (!there.has(leaf)) this.unjudged.delete(leaf);
    for (const leaf of this.inDoubt.keys()) if (!there.has(leaf)) this.inDoubt.delete(leaf);
    this.touch();
  }

  /** Leaves that some branch removes and the head still has. */
  get removedInHead(): Member[] {
    const { removed } = this.branches.tree;
    return this.members.filter(({ id }) => removed.has(id));
  }

  /** This device's leaf is removed, or on its way out: it says so, and sends and commits no more. */
  get out(): boolean {
    return this.leaving || this.expelled || (this.ports.rules.removedFallSilent && this.branches.removedHere);
  }

  /** This device's leaf may not be used: it waits for a new one. Alone, it may: nobody has the keys of that state besides, and nobody could help. */
  get dead(): boolean {
    return this.deadLeaf !== undefined && this.ownLeaf?.id === this.deadLeaf && this.others.length > 0;
  }

  /** It can't go on by itself, and is to be let in again. */
  get awaitsWelcome(): boolean {
    return !this.out && (this.dead || this.wantsRejoin || this.branches.isCutOff);
  }

  get hold(): Hold | undefined {
    const { rules } = this.ports;
    if (this.out) return 'out';
    if (this.isClosed) return 'closed';
    if (this.dead || this.wantsRejoin) return 'rejoin';
    if (rules.helloBeforeSealing && (!this.confirmed || this.isDoubted) && this.others.length > 0) return 'hello';
    return rules.hold && this.removedInHead.length > 0 ? 'removal' : undefined;
  }

  /**
   * In a conversation of two nothing goes to the other end once it is no contact: whatever it is, it would tell that this device is there.
   * One's own devices go on telling each other what was said.
   */
  isClosedTo(account: string): boolean {
    return this.data.kind === 'direct' && account !== this.ports.own.account && !this.ports.isContact(account);
  }

  get isClosed(): boolean {
    return this.data.kind === 'direct' && this.data.accounts.some((account) => this.isClosedTo(account));
  }

  /** Whoever is gone for good never answers: after a while a commit needs no answer, so that it can remove them. */
  mayCommit(now: number): boolean {
    if (this.out || this.isClosed || this.isDoubted) return false;
    if (this.dead) return this.isLastHope;
    const waited = this.askingSince > 0 && now - this.askingSince > ANSWER_TIMEOUT_MS;
    return this.confirmed || waited || !this.ports.rules.helloBeforeSealing || this.others.length === 0;
  }

  /** The leaf that this device has in `state` may not be used any more. */
  die(why: 'rolled-back' | 'own-commit-lost' | 'cut-off', state: StateId = this.head): void {
    const leaf = this.branches.ownLeaf(state)?.id;
    if (leaf === undefined || leaf === this.deadLeaf || leaf !== this.ownLeaf?.id) return;
    this.deadLeaf = leaf;
    this.ports.count(why);
    this.touch();
  }

  /** Who went on alone from `state` has made keys that it has never used. */
  reviveAlone(state: StateId): void {
    if (this.deadLeaf === undefined || this.branches.members(state).length !== 1 || this.ownLeaf?.id !== this.deadLeaf) return;
    this.deadLeaf = undefined;
    this.touch();
  }

  /** The member behind a leaf has shown itself. */
  show(leaf: LeafId): void {
    const isReplaced = (intent: Intent) => intent.kind === 'replace' && intent.leaf === leaf;
    if (!this.unseen.delete(leaf) && !this.intents.some(isReplaced)) return;
    this.intents = this.intents.filter((intent) => !isReplaced(intent));
    this.touch();
  }

  /** This device wishes all other members out. */
  get wantsToBeAlone(): boolean {
    const unwanted = this.branches.tree.lineage(this.intents.flatMap((intent) => (intent.kind === 'remove' ? intent.leaves : [])));
    return this.others.every(({ id }) => unwanted.has(id));
  }

  /** The device behind a leaf has never shown itself by it, as it seems: it is to be greeted. */
  noteUnseen(leaf: LeafId, now: number): void {
    if (this.unseen.has(leaf)) return;
    this.unseen.set(leaf, now);
    this.touch();
  }

  wish(intent: Intent): void {
    if (this.intents.some((each) => JSON.stringify(each) === JSON.stringify(intent))) return;
    this.intents.push(intent);
    this.touch();
  }
}

/** Hex. */
export function capabilityOf({ address }: Member): string {
  return toHex(address.token.subarray(0, ID_BYTES));
}

export const addressOf = ({ address }: Member): Address => ({ device: address.device, token: address.token });
