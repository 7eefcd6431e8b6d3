import type { CommitTree, StateId } from '@sotto/mls';
import type { StoredCommit } from './stored-commit.js';

/** Commits of one account off the followed branch that nobody needs: more than an honest account makes. */
export const MOST_COMMITS_OF_ACCOUNT = 256;
/** Of all commits off the followed branch but those that this device has used. */
export const MOST_LOSING_BYTES = 16 * 1024 * 1024;

/** What is known of a commit's state besides. */
export interface Uses {
  /** This device made it, or has sealed in it: forgotten and opened again, it would use its keys twice. */
  readonly isUsed: (state: StateId) => boolean;
  readonly hasMessages: (state: StateId) => boolean;
}

/**
 * Those off the followed branch that are to be forgotten, so that nobody fills a device by minting commits: the newest stay, and of an epoch the
 * best. Those on which others built, which let somebody in or remove somebody, or behind which there are messages, go by the last bound alone.
 */
export function surplusCommits(losing: readonly StoredCommit[], tree: CommitTree, { isUsed, hasMessages }: Uses): StateId[] {
  const newestFirst = [...losing].sort((a, b) => b.node.epoch - a.node.epoch || (a.node.id < b.node.id ? -1 : 1));
  const builtOnByOthers = new Set<StateId>();
  const ofAccount = new Map<string, number>();
  const surplus: StateId[] = [];
  let bytes = 0;
  for (const commit of newestFirst) {
    const { id, parent, author, adds, removes } = commit.node;
    const isAlone =
      !builtOnByOthers.has(id) &&
      adds.length === 0 &&
      removes.length === 0 &&
      commit.newcomers === undefined &&
      !isUsed(id) &&
      !hasMessages(id);
    if (!isAlone || tree.get(parent)?.author.account !== author.account) builtOnByOthers.add(parent);
    if (isUsed(id)) continue;
    const count = (ofAccount.get(author.account) ?? 0) + Number(isAlone);
    ofAccount.set(author.account, count);
    const isTooMany = isAlone && count > MOST_COMMITS_OF_ACCOUNT;
    if (!isTooMany) bytes += commit.bytes.length;
    if (isTooMany || bytes > MOST_LOSING_BYTES) surplus.push(id);
  }
  return surplus;
}
