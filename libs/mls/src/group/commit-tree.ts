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
}

interface Weight {
  readonly accounts: number;
  readonly commits: number;
}

/** Rules that a test may turn off, to show that each is needed. */
export interface ForkRules {
  /** What a removed leaf commits has no weight. */
  readonly removedWeighNothing: boolean;
  /** Different accounts count before the number of commits. */
  readonly accountsFirst: boolean;
}

export const FORK_RULES: ForkRules = { removedWeighNothing: true, accountsFirst: true };

/**
 * Every valid commit that a device knows of, winning or not, and the rule by which all devices with the same tree choose the same branch
 * (docs/groups.md § Choosing between branches). Holds no state and no secret.
 */
export class CommitTree {
  readonly #nodes = new Map<StateId, CommitNode>();
  readonly #children = new Map<StateId, CommitNode[]>();
  readonly #removed = new Map<LeafId, StateId>();

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
    for (const leaf of node.removes) if (!this.#removed.has(leaf)) this.#removed.set(leaf, node.id);
  }

  /** Forgets a commit that all members are past. What it removed stays removed. */
  forget(id: StateId): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    this.#nodes.delete(id);
    const siblings = (this.#children.get(node.parent) ?? []).filter((each) => each !== node);
    if (siblings.length === 0) this.#children.delete(node.parent);
    else this.#children.set(node.parent, siblings);
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

  /** Leaves that any commit removes, each with the first known commit that does. */
  get removed(): ReadonlyMap<LeafId, StateId> {
    return this.#removed;
  }

  /** Removals known from commits that are forgotten by now. */
  rememberRemoved(leaf: LeafId, by: StateId): void {
    if (!this.#removed.has(leaf)) this.#removed.set(leaf, by);
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
    return children.length < 2 ? children[0] : children.reduce((best, each) => (this.#isBetter(each, best) ? each : best));
  }

  #isBetter(a: CommitNode, b: CommitNode): boolean {
    const [weightOfA, weightOfB] = [this.#weight(a), this.#weight(b)];
    const order =
      compareWeights(weightOfA, weightOfB) ||
      Number(this.#counts(a)) - Number(this.#counts(b)) ||
      Number(a.removes.length > 0) - Number(b.removes.length > 0) ||
      b.author.index - a.author.index;
    return order === 0 ? a.id < b.id : order > 0;
  }

  /** Of the best path that begins with `first`. */
  #weight(first: CommitNode): Weight {
    let best: Weight = { accounts: 0, commits: 0 };
    const open: { node: CommitNode; accounts: ReadonlySet<string>; commits: number }[] = [{ node: first, accounts: new Set(), commits: 0 }];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const counts = this.#counts(at.node);
      const accounts = counts && this.rules.accountsFirst ? new Set(at.accounts).add(at.node.author.account) : at.accounts;
      const commits = at.commits + Number(counts);
      const weight = { accounts: accounts.size, commits };
      if (compareWeights(weight, best) > 0) best = weight;
      for (const node of this.#children.get(at.node.id) ?? []) open.push({ node, accounts, commits });
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
