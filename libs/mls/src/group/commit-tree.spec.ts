import { describe, expect, it } from '@jest/globals';
import { THOROUGH } from '@sotto/testing/thoroughly';
import { type CommitNode, CommitTree, FORK_RULES, type StateId } from './commit-tree.js';

/** The state in which every tree begins. */
const ROOT = 'root';
/** The most commits of a tree that is looked at; a thorough run takes three hundred times as many trees. */
const MOST = THOROUGH ? 5 : 3;

interface Person {
  readonly leaf: string;
  readonly index: number;
  readonly account: string;
}

const people = (accounts: string[]): Person[] => accounts.map((account, index) => ({ leaf: `leaf ${index}`, index, account }));
const THREE_ACCOUNTS = people(['alice', 'bob', 'carol']);
const TWO_ACCOUNTS = people(['alice', 'bob', 'bob']);

interface Grown {
  readonly node: CommitNode;
  readonly members: readonly Person[];
}

/** Ids whose order has nothing to do with the order in which the commits were made. */
function scrambled(salt: number, at: number): StateId {
  return ((Math.imul(salt + 1, 0x9e3779b1) ^ Math.imul(at + 1, 0x85ebca6b)) >>> 0).toString(16).padStart(8, '0');
}

/** Every commit that could come next: any member of any state (from the given one on), changing nothing or removing another. */
function* extensions(tree: readonly Grown[], everyone: readonly Person[], id: StateId, from = 0): Generator<Grown & { at: number }> {
  for (let at = from; at <= tree.length; at++) {
    const parent = at === 0 ? ROOT : tree[at - 1]!.node.id;
    const members = at === 0 ? everyone : tree[at - 1]!.members;
    for (const author of members) {
      for (const target of [undefined, ...members.filter((each) => each !== author)]) {
        const node = { id, parent, epoch: 1, author, removes: target === undefined ? [] : [target.leaf], adds: [] };
        yield { node, members: members.filter((each) => each !== target), at };
      }
    }
  }
}

/** Visits every tree of at most `most` commits, each shape once: no commit hangs on an older state than the one before it. */
function forEachTree(everyone: readonly Person[], most: number, visit: (tree: readonly Grown[]) => void): void {
  let count = 0;
  const grow = (tree: readonly Grown[], from: number) => {
    for (const next of extensions(tree, everyone, scrambled(count++, tree.length), from)) {
      const grown = [...tree, next];
      visit(grown);
      if (grown.length < most) grow(grown, next.at);
    }
  };
  grow([], 0);
}

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length < 2) yield [...items];
  for (const [i, first] of items.entries()) for (const rest of permutations(items.toSpliced(i, 1))) yield [first, ...rest];
}

const nodesOf = (tree: readonly Grown[]): CommitNode[] => tree.map(({ node }) => node);
const choice = (nodes: Iterable<CommitNode>): StateId => new CommitTree(undefined, nodes).choose(ROOT);

/** Walks all trees and returns the first that breaks the rule: an expectation a tree would cost more than the trees. */
function firstThat(breaks: (tree: readonly Grown[], everyone: readonly Person[]) => boolean, most: number): unknown {
  let found: unknown;
  const walk = (everyone: readonly Person[], commits: number) =>
    forEachTree(everyone, commits, (tree) => (found ??= breaks(tree, everyone) ? tree : undefined));
  walk(THREE_ACCOUNTS, most);
  walk(TWO_ACCOUNTS, Math.min(most, 4));
  return found;
}

/** What the removed could add to a tree without removing anyone new, its id below or above all others. */
function* mintedByRemoved(tree: readonly Grown[], everyone: readonly Person[], { removed }: CommitTree): Generator<CommitNode> {
  if (removed.size === 0) return;
  for (const id of ['0', 'g']) {
    for (const { node } of extensions(tree, everyone, id)) {
      if (removed.has(node.author.leaf) && node.removes.every((leaf) => removed.has(leaf))) yield node;
    }
  }
}

const node = (id: StateId, parent: StateId, author: number, removes: string[] = [], account = `account ${author}`): CommitNode => ({
  id,
  parent,
  epoch: 1,
  author: { leaf: `leaf ${author}`, index: author, account },
  removes,
  adds: [],
});

describe(`the fork rule over every tree of up to ${MOST} commits`, () => {
  it('looks at all of them', () => {
    const count = (most: number) => {
      let trees = 0;
      forEachTree(THREE_ACCOUNTS, most, () => trees++);
      return trees;
    };
    const counts = [9, 141, 2_340, 41_628, 778_434].slice(0, MOST);
    // One commit: three authors, each changing nothing or removing one of two.
    expect(counts.map((_, i) => count(i + 1))).toEqual(counts);
  });

  it('chooses alike in whichever order the commits came: a state with nothing below it, and the same from every state on the way there', () => {
    const orders = (nodes: CommitNode[]) => (nodes.length < MOST ? permutations(nodes) : [nodes.toReversed()]);
    const differs = (tree: readonly Grown[]) => {
      const nodes = nodesOf(tree);
      const commits = new CommitTree(undefined, nodes);
      const chosen = commits.choose(ROOT);
      for (const order of orders(nodes)) if (choice(order) !== chosen) return true;
      return commits
        .path(chosen)
        .slice(0, -1)
        .some((state) => commits.choose(state) !== chosen);
    };
    expect(firstThat(differs, MOST)).toBeUndefined();
  }, 120_000);

  it('is turned from no commit of a member by what a removed leaf commits', () => {
    const turned = (tree: readonly Grown[], everyone: readonly Person[]) => {
      const nodes = nodesOf(tree);
      const before = new CommitTree(undefined, nodes);
      const path = before.path(before.choose(ROOT));
      const last = path.find((id) => id === ROOT || !before.removed.has(before.get(id)!.author.leaf))!;
      for (const minted of mintedByRemoved(tree, everyone, before)) {
        const after = new CommitTree(undefined, [...nodes, minted]);
        if (!after.descends(after.choose(ROOT), last)) return true;
      }
      return false;
    };
    expect(firstThat(turned, Math.min(MOST, 4))).toBeUndefined();
  }, 120_000);

  it('is not moved at all by the removed, once the chosen branch has carried the removals out', () => {
    const moved = (tree: readonly Grown[], everyone: readonly Person[]) => {
      const nodes = nodesOf(tree);
      const before = new CommitTree(undefined, nodes);
      const chosen = before.choose(ROOT);
      const { members } = tree.find(({ node }) => node.id === chosen)!;
      if (before.removed.size === 0 || members.some(({ leaf }) => before.removed.has(leaf))) return false;
      for (const minted of mintedByRemoved(tree, everyone, before)) if (choice([...nodes, minted]) !== chosen) return true;
      return false;
    };
    expect(firstThat(moved, Math.min(MOST, 4))).toBeUndefined();
  }, 120_000);
});

describe('the fork rule, step by step', () => {
  it('prefers the branch on which more accounts committed to the longer one', () => {
    const long = [node('a1', ROOT, 0), node('a2', 'a1', 0), node('a3', 'a2', 0)];
    expect(choice([...long, node('b1', ROOT, 1), node('b2', 'b1', 2)])).toBe('b2');
  });

  it('counts two devices of an account once', () => {
    const twoDevices = [node('a1', ROOT, 0, [], 'alice'), node('a2', 'a1', 1, [], 'alice')];
    const three = [node('b1', ROOT, 2), node('b2', 'b1', 2), node('b3', 'b2', 2)];
    expect(choice([...twoDevices, ...three])).toBe('b3');
  });

  it('prefers more commits where as many accounts committed', () => {
    expect(choice([node('a1', ROOT, 0), node('b1', ROOT, 1), node('b2', 'b1', 1)])).toBe('b2');
  });

  it('takes of equals the one whose author is not removed, then a removal, then the lower leaf, then the lower id', () => {
    expect(choice([node('a', ROOT, 0), node('b', ROOT, 1, ['leaf 0'])])).toBe('b');
    expect(choice([node('a', ROOT, 0), node('b', ROOT, 1, ['leaf 2'])])).toBe('b');
    expect(choice([node('b', ROOT, 0), node('a', ROOT, 1)])).toBe('b');
    expect(choice([node('b', ROOT, 0), node('a', ROOT, 0)])).toBe('a');
  });

  it.each(['leaf 0', 'leaf 3', 'leaf 4'])('takes with %s, removed on another branch, all that replace it or that it replaces', (leaf) => {
    const removal = node('r', ROOT, 1, [leaf]);
    const rejoin = { ...node('a1', ROOT, 2), replaces: [{ old: 'leaf 0', fresh: 'leaf 3' }] };
    const again = { ...node('a2', 'a1', 2), replaces: [{ old: 'leaf 3', fresh: 'leaf 4' }] };
    const byFresh = [node('b1', ROOT, 4), node('b2', 'b1', 4)];
    const orders = [...permutations([removal, rejoin, again])].map((order) => new CommitTree(undefined, [...order, ...byFresh]));
    for (const tree of orders) {
      expect(new Map(tree.removed)).toEqual(new Map(['leaf 0', 'leaf 3', 'leaf 4'].map((leaf) => [leaf, 'r'])));
      expect(tree.choose(ROOT)).toBe('a2');
    }
  });

  it('knows what has replaced a leaf on the way to a state and what it has replaced, and not what has on other branches', () => {
    const rejoin = { ...node('a1', ROOT, 2), replaces: [{ old: 'leaf 0', fresh: 'leaf 3' }] };
    const again = { ...node('a2', 'a1', 2), replaces: [{ old: 'leaf 3', fresh: 'leaf 4' }] };
    const tree = new CommitTree(undefined, [again, node('b1', ROOT, 1), rejoin]);
    expect(tree.withReplacements(['leaf 0', 'leaf 1'], 'a2')).toEqual(new Set(['leaf 0', 'leaf 1', 'leaf 3', 'leaf 4']));
    expect(tree.withReplacements(['leaf 3'], 'a2')).toEqual(new Set(['leaf 3', 'leaf 4']));
    expect(tree.withReplacements(['leaf 0'], 'b1')).toEqual(new Set(['leaf 0']));
    expect(tree.withReplaced(['leaf 4', 'leaf 1'], 'a2')).toEqual(new Set(['leaf 4', 'leaf 3', 'leaf 0', 'leaf 1']));
    expect(tree.withReplaced(['leaf 4'], 'a1')).toEqual(new Set(['leaf 4']));
    expect(tree.withReplaced(['leaf 0'], 'a2')).toEqual(new Set(['leaf 0']));
    expect(tree.lineage(['leaf 3'])).toEqual(new Set(['leaf 3', 'leaf 0', 'leaf 4']));
  });

  it('forgets what has replaced a leaf with the commit that did, unless another one did as well', () => {
    const replaces = [{ old: 'leaf 0', fresh: 'leaf 3' }];
    const [one, another] = [
      { ...node('a1', ROOT, 2), replaces },
      { ...node('b1', ROOT, 1), replaces },
    ];
    const removedAfter = (...forgotten: StateId[]) => {
      const tree = new CommitTree(undefined, [one, another]);
      for (const id of forgotten) tree.forget(id);
      tree.rememberRemoved('leaf 0', 'r');
      return [...tree.removed.keys()];
    };
    expect(removedAfter('a1')).toEqual(['leaf 0', 'leaf 3']);
    expect(removedAfter('a1', 'b1')).toEqual(['leaf 0']);
  });

  it('weighs what was removed by a commit that is forgotten by now', () => {
    const tree = new CommitTree(undefined, [
      node('r', 'older', 1, ['leaf 0']),
      node('a1', ROOT, 0),
      node('a2', 'a1', 0),
      node('b1', ROOT, 1),
    ]);
    tree.forget('r');
    expect(tree.choose(ROOT)).toBe('b1');
    const restored = new CommitTree(undefined, [node('a1', ROOT, 0), node('b1', ROOT, 1)]);
    expect(restored.choose(ROOT)).toBe('a1');
    restored.rememberRemoved('leaf 0', 'r');
    expect(restored.choose(ROOT)).toBe('b1');
  });

  describe('that keeps a leaf', () => {
    const removal = node('r', ROOT, 0, ['leaf 2', 'leaf 3']);
    const rejoin = { ...node('a1', ROOT, 1), replaces: [{ old: 'leaf 2', fresh: 'leaf 4' }] };

    it('by whichever leaf of its lineage goes by no commit that is here, and by what else those remove', () => {
      const tree = new CommitTree(undefined, [removal, rejoin]);
      expect([...tree.removed.keys()].sort()).toEqual(['leaf 2', 'leaf 3', 'leaf 4']);
      tree.keep(['leaf 4']);
      expect([...tree.removed.keys()]).toEqual(['leaf 3']);
      tree.add(node('b1', 'a1', 4));
      expect(tree.choose('a1')).toBe('b1');
    });

    it('goes by those that come later, and by one that was forgotten and comes again', () => {
      const tree = new CommitTree(undefined, [removal, rejoin]);
      tree.keep(['leaf 2']);
      tree.add(node('c1', 'a1', 1, ['leaf 2']));
      expect(tree.removed.get('leaf 4')).toBe('c1');
      tree.keep(['leaf 2']);
      tree.forget('r');
      expect([...tree.kept.keys()]).toEqual(['c1']);
      tree.add(removal);
      expect(tree.removed.get('leaf 4')).toBe('r');
    });

    it('keeps it when it is made anew from what it held', () => {
      const tree = new CommitTree(undefined, [removal, rejoin]);
      tree.keep(['leaf 2']);
      const restored = new CommitTree();
      for (const [commit, leaves] of tree.kept) restored.keepFrom(commit, leaves);
      for (const each of [removal, rejoin]) restored.add(each);
      expect([...restored.removed.keys()]).toEqual(['leaf 3']);
    });
  });

  it('needs its switches: without either, another branch wins', () => {
    const long = [node('a1', ROOT, 0), node('a2', 'a1', 0), node('a3', 'a2', 0)];
    const accounts = [...long, node('b1', ROOT, 1), node('b2', 'b1', 2)];
    const withoutAccounts = new CommitTree({ ...FORK_RULES, accountsFirst: false }, accounts);
    expect(withoutAccounts.choose(ROOT)).toBe('a3');
    const removed = [...long, node('r', ROOT, 1, ['leaf 0'])];
    expect(choice(removed)).toBe('r');
    const withoutRemoved = new CommitTree({ ...FORK_RULES, removedWeighNothing: false }, removed);
    expect(withoutRemoved.choose(ROOT)).toBe('a3');
  });
});
