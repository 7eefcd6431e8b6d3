/** A leaf for good: updates keep it, a rejoin has a new one. Lower-case hex. */
export type LeafId = string;
/** The id of a commit, which also names the state that it makes: the first 16 bytes of its SHA-256, lower-case hex. */
export type StateId = string;

/** What the fork rule needs to know of a commit that proved valid on its parent state. */
export interface CommitNode {
  readonly id: StateId;
  readonly parent: StateId;
  /** MLS epoch of the state that it makes. */
  readonly epoch: number;
  readonly author: { readonly leaf: LeafId; readonly index: number; readonly account: string };
  /** Leaves that it removes for good: one that it adds again in the same commit (a rejoin) does not count. */
  readonly removes: readonly LeafId[];
  /** Accounts that it lets in. */
  readonly adds: readonly string[];
  /** Devices that rejoin by it; absent where none does. */
  readonly replaces?: readonly Replacement[] | undefined;
}

/** A device has another leaf. */
export interface Replacement {
  readonly old: LeafId;
  readonly fresh: LeafId;
}

interface Weight {
  readonly accounts: number;
  readonly commits: number;
}

/** The different accounts on a path, as a list that paths with the same beginning share. */
interface Accounts {
  readonly account: string;
  readonly before: Accounts | undefined;
  readonly count: number;
}

/** A path so far: what counts on it, and the commit that comes next. */
interface Path {
  readonly next: CommitNode;
  readonly accounts: Accounts | undefined;
  readonly commits: number;
}

/** Rules that a test may turn off, to show that each is needed. */
export interface ForkRules {
  /** What a removed leaf commits has no weight. */
  readonly removedWeighNothing: boolean;
  /** Different accounts count before the number of commits. */
  readonly accountsFirst: boolean;
  /** Whose leaf is removed is removed by all leaves that it has replaced, and by which it was replaced. */
  readonly removedWithReplacement: boolean;
}

export const FORK_RULES: ForkRules = { removedWeighNothing: true, accountsFirst: true, removedWithReplacement: true };

/**
 * Every valid commit that a device knows of, winning or not, and the rule by which all devices with the same tree choose the same branch
 * (docs/groups.md § Choosing between branches). Holds no state and no secret.
 */
export class CommitTree {
  readonly #nodes = new Map<StateId, CommitNode>();
  readonly #children = new Map<StateId, CommitNode[]>();
  readonly #removed = new Map<LeafId, StateId>();
  /** Those that have replaced it or that it has replaced, on whichever branch. */
  readonly #sameDevice = new Map<LeafId, LeafId[]>();
  /** By commit: leaves of those that it removes which are to stay. */
  readonly #kept = new Map<StateId, ReadonlySet<LeafId>>();

  constructor(
    private readonly rules: ForkRules = FORK_RULES,
    nodes: Iterable<CommitNode> = [],
  ) {
    for (const node of nodes) this.add(node);
  }

  add(node: CommitNode): void {
    if (this.#nodes.has(node.id)) return;
    this.#nodes.set(node.id, node);
    const siblings = this.#children.get(node.parent);
    if (siblings === undefined) this.#children.set(node.parent, [node]);
    else siblings.push(node);
    for (const replacement of node.replaces ?? []) this.#replace(replacement);
    const kept = this.#kept.get(node.id);
    for (const leaf of node.removes) if (kept?.has(leaf) !== true) this.rememberRemoved(leaf, node.id);
  }

  #replace({ old, fresh }: Replacement): void {
    if (!this.rules.removedWithReplacement) return;
    this.#sameDevice.set(old, [...(this.#sameDevice.get(old) ?? []), fresh]);
    this.#sameDevice.set(fresh, [...(this.#sameDevice.get(fresh) ?? []), old]);
    const by = this.#removed.get(old) ?? this.#removed.get(fresh);
    if (by !== undefined) this.rememberRemoved(old, by);
  }

  /** Forgets a commit that all members are past, or that nobody needs. What it removed stays removed. */
  forget(id: StateId): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    this.#nodes.delete(id);
    this.#kept.delete(id);
    const siblings = (this.#children.get(node.parent) ?? []).filter((each) => each !== node);
    if (siblings.length === 0) this.#children.delete(node.parent);
    else this.#children.set(node.parent, siblings);
    for (const { old, fresh } of node.replaces ?? []) {
      this.#forgetLink(old, fresh);
      this.#forgetLink(fresh, old);
    }
  }

  /** Another branch may have replaced the leaf by the same one. */
  #forgetLink(from: LeafId, to: LeafId): void {
    const all = this.#sameDevice.get(from) ?? [];
    const left = all.toSpliced(all.indexOf(to), 1);
    if (left.length === 0) this.#sameDevice.delete(from);
    else this.#sameDevice.set(from, left);
  }

  get(id: StateId): CommitNode | undefined {
    return this.#nodes.get(id);
  }

  has(id: StateId): boolean {
    return this.#nodes.has(id);
  }

  /** Whether no commit follows on that state. */
  isEnd(state: StateId): boolean {
    return !this.#children.has(state);
  }

  nodes(): Iterable<CommitNode> {
    return this.#nodes.values();
  }

  /** Leaves that any commit removes, with all of their lineage, each with the first known commit that does. */
  get removed(): ReadonlyMap<LeafId, StateId> {
    return this.#removed;
  }

  /** Of a commit that is here, or is forgotten by now. */
  rememberRemoved(removed: LeafId, by: StateId): void {
    for (const leaf of this.lineage([removed])) if (!this.#removed.has(leaf)) this.#removed.set(leaf, by);
  }

  /** That the commits which are here remove these leaves, or others of their lineage, adds up no more. What comes later does. */
  keep(leaves: Iterable<LeafId>): void {
    const lineage = this.lineage(leaves);
    for (const { id, removes } of this.#nodes.values()) if (removes.some((leaf) => lineage.has(leaf))) this.keepFrom(id, lineage);
    for (const leaf of lineage) this.#removed.delete(leaf);
  }

  /** What this commit removes of these leaves does not add up, once it is here. */
  keepFrom(commit: StateId, leaves: Iterable<LeafId>): void {
    this.#kept.set(commit, new Set([...(this.#kept.get(commit) ?? []), ...leaves]));
  }

  /** By commit. */
  get kept(): ReadonlyMap<StateId, ReadonlySet<LeafId>> {
    return this.#kept;
  }

  /** These leaves, and those by which their devices have rejoined before and after, on whichever branch. */
  lineage(leaves: Iterable<LeafId>): Set<LeafId> {
    const all = new Set(leaves);
    for (const leaf of all) for (const other of this.#sameDevice.get(leaf) ?? []) all.add(other);
    return all;
  }

  /** These leaves, and those that have replaced them on the way to `state`. */
  withReplacements(leaves: Iterable<LeafId>, state: StateId): Set<LeafId> {
    const all = new Set(leaves);
    for (const { old, fresh } of this.#rejoinedOn(state).reverse()) if (all.has(old)) all.add(fresh);
    return all;
  }

  /** These leaves, and those that they have replaced on the way to `state`. */
  withReplaced(leaves: Iterable<LeafId>, state: StateId): Set<LeafId> {
    const all = new Set(leaves);
    for (const { old, fresh } of this.#rejoinedOn(state)) if (all.has(fresh)) all.add(old);
    return all;
  }

  /** The last first. */
  #rejoinedOn(state: StateId): Replacement[] {
    return this.rules.removedWithReplacement ? this.path(state).flatMap((id) => this.#nodes.get(id)?.replaces ?? []) : [];
  }

  /** From `state` down to the oldest known one, `state` first. */
  path(state: StateId): StateId[] {
    const path = [state];
    for (let node = this.#nodes.get(state); node !== undefined; node = this.#nodes.get(node.parent)) path.push(node.parent);
    return path;
  }

  /** Whether `ancestor` is `state` or lies above it, as far as the known commits reach. */
  descends(state: StateId, ancestor: StateId): boolean {
    for (let at: StateId | undefined = state; at !== undefined; at = this.#nodes.get(at)?.parent) if (at === ancestor) return true;
    return false;
  }

  /** The end of the best branch above `root`, by the fork rule. */
  choose(root: StateId): StateId {
    let at = root;
    for (let next = this.#bestChild(at); next !== undefined; next = this.#bestChild(at)) at = next.id;
    return at;
  }

  #bestChild(at: StateId): CommitNode | undefined {
    const children = this.#children.get(at) ?? [];
    let best = children[0];
    if (best === undefined || children.length === 1) return best;
    let bestWeight = this.#weight(best);
    for (let i = 1; i < children.length; i++) {
      const node = children[i]!;
      const weight = this.#weight(node);
      if (this.#compare(node, best, compareWeights(weight, bestWeight)) > 0) [best, bestWeight] = [node, weight];
    }
    return best;
  }

  /** Above 0 if `a` is better. */
  #compare(a: CommitNode, b: CommitNode, byWeight: number): number {
    return (
      byWeight ||
      Number(this.#counts(a)) - Number(this.#counts(b)) ||
      Number(a.removes.length > 0) - Number(b.removes.length > 0) ||
      b.author.index - a.author.index ||
      (a.id < b.id ? 1 : -1)
    );
  }

  /** Of the best path that begins with `first`. */
  #weight(first: CommitNode): Weight {
    let best: Weight = { accounts: 0, commits: 0 };
    const open: Path[] = [{ next: first, accounts: undefined, commits: 0 }];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      const { next } = path;
      const counts = this.#counts(next);
      const accounts = counts && this.rules.accountsFirst ? including(path.accounts, next.author.account) : path.accounts;
      const commits = path.commits + Number(counts);
      const weight = { accounts: accounts?.count ?? 0, commits };
      if (compareWeights(weight, best) > 0) best = weight;
      for (const node of this.#children.get(next.id) ?? []) open.push({ next: node, accounts, commits });
    }
    return best;
  }

  #counts({ author }: CommitNode): boolean {
    return !this.rules.removedWeighNothing || !this.#removed.has(author.leaf);
  }
}

function compareWeights(a: Weight, b: Weight): number {
  return a.accounts - b.accounts || a.commits - b.commits;
}

function including(accounts: Accounts | undefined, account: string): Accounts {
  for (let at = accounts; at !== undefined; at = at.before) if (at.account === account) return accounts!;
  return { account, before: accounts, count: (accounts?.count ?? 0) + 1 };
}
