import type { CommitTree, StateId } from '@sotto/mls';
import type { StoredCommit } from './stored-commit.js';

/** Commits of one account off the followed branch, on which nobody else has built: more than an honest account makes. */
export const MOST_COMMITS_OF_ACCOUNT = 256;
/** Of all commits off the followed branch. */
export const MOST_LOSING_BYTES = 16 * 1024 * 1024;

/** Those off the followed branch that are to be forgotten, so that nobody fills a device by minting commits: the newest stay, and of an epoch the best. */
export function surplusCommits(losing: readonly StoredCommit[], tree: CommitTree, isNeeded: (state: StateId) => boolean): StateId[] {
  const newestFirst = [...losing].sort((a, b) => b.node.epoch - a.node.epoch || (a.node.id < b.node.id ? -1 : 1));
  const builtOnByOthers = new Set<StateId>();
  const ofAccount = new Map<string, number>();
  const surplus: StateId[] = [];
  let bytes = 0;
  for (const commit of newestFirst) {
    const { id, parent, author, adds, removes } = commit.node;
    const isAlone = !builtOnByOthers.has(id) && adds.length === 0 && removes.length === 0 && !isNeeded(id);
    if (!isAlone || tree.get(parent)?.author.account !== author.account) builtOnByOthers.add(parent);
    const count = (ofAccount.get(author.account) ?? 0) + Number(isAlone);
    ofAccount.set(author.account, count);
    if ((isAlone && count > MOST_COMMITS_OF_ACCOUNT) || bytes + commit.bytes.length > MOST_LOSING_BYTES) surplus.push(id);
    else bytes += commit.bytes.length;
  }
  return surplus;
}
