import type { CommitNode, LeafId, StateId } from '@sotto/mls';

/** States that one author's commits keep off the branch that is followed: of one epoch, and in all. More than an honest device makes. */
export const MOST_STATES_OF_EPOCH = 4;
export const MOST_STATES_OF_AUTHOR = 64;
/** Commits that are opened again for the sake of one message or commit: it may be junk. */
export const MOST_REOPENED = 16;

/** Those whose states are to be let go of, so that nobody fills a device by minting commits: the first of an epoch stay, and an author's newest. */
export function surplusOf(held: readonly CommitNode[]): StateId[] {
  const [few, siblings] = parted(held, ({ epoch, author }) => `${author.leaf}/${epoch}`, MOST_STATES_OF_EPOCH);
  const newestFirst = [...few].sort((a, b) => b.epoch - a.epoch);
  const [, oldest] = parted(newestFirst, ({ author }): LeafId => author.leaf, MOST_STATES_OF_AUTHOR);
  return [...siblings, ...oldest].map(({ id }) => id);
}

/** The first so many of each kind, and the others. */
function parted(nodes: readonly CommitNode[], kindOf: (node: CommitNode) => string, most: number): [CommitNode[], CommitNode[]] {
  const counts = new Map<string, number>();
  const first: CommitNode[] = [];
  const others: CommitNode[] = [];
  for (const node of nodes) {
    const count = (counts.get(kindOf(node)) ?? 0) + 1;
    counts.set(kindOf(node), count);
    (count > most ? others : first).push(node);
  }
  return [first, others];
}
