import type { LeafNode } from '#ts-mls/leafNode.js';
import type { Proposal } from '#ts-mls/proposal.js';
import type { RatchetTree } from '#ts-mls/ratchetTree.js';
import { sameBytes } from './crypto/bytes.js';
import { GROUP_DATA_EXTENSION, groupDataOf } from './group-data.js';
import { checkLifetimeLength } from './key-package.js';
import { identityBytes, leavesOf, readLeaf, uniqueValuesOf } from './leaf.js';
import { MlsError } from './mls-error.js';

const ALLOWED = new Set<unknown>(['add', 'remove', 'group_context_extensions']);

/** What a commit may contain, whoever sent it. */
export function checkProposals(proposals: readonly Proposal[]): void {
  for (const proposal of proposals) {
    if (!ALLOWED.has(proposal.proposalType)) throw new MlsError('unsupported', 'a proposal of a refused type');
    if (proposal.proposalType === 'add') checkLifetimeLength(proposal.add.keyPackage);
    if (proposal.proposalType === 'group_context_extensions') groupDataOf(proposal.groupContextExtensions.extensions);
  }
}

export function removedBy(proposals: readonly Proposal[]): number[] {
  return proposals.flatMap((proposal) => (proposal.proposalType === 'remove' ? [proposal.remove.removed] : []));
}

/**
 * RFC 9420 §7.3: keys are unique in a tree. Also between a leaf and a parent, which the library compares when one joins and not
 * when one follows a commit: or a commit could let nobody in after it.
 */
export function checkTree(tree: RatchetTree): void {
  const unique = uniqueValuesOf(tree);
  if (new Set(unique).size !== unique.length) throw new MlsError('duplicate-key');
  for (const { leaf } of leavesOf(tree)) {
    if (!leaf.capabilities.extensions.includes(GROUP_DATA_EXTENSION)) throw new MlsError('unsupported', 'a leaf that knows no group data');
  }
}

/** A leaf's identity and id stand as long as the leaf: only Remove and Add change who sits there, and bring a fresh id. */
export function checkLeaves(before: RatchetTree, after: RatchetTree, proposals: readonly Proposal[]): void {
  const removed = new Set(removedBy(proposals));
  const old = leavesOf(before);
  const stayed = new Map(old.filter(({ index }) => !removed.has(index)).map(({ index, leaf }) => [index, leaf]));
  const known = new Set(old.map(({ leaf }) => readLeaf(leaf).address.leaf));
  for (const { index, leaf } of leavesOf(after)) {
    const previous = stayed.get(index);
    if (previous !== undefined) checkSameLeaf(previous, leaf);
    else if (known.has(readLeaf(leaf).address.leaf)) throw new MlsError('duplicate-key', 'a leaf id was used before');
  }
}

function checkSameLeaf(previous: LeafNode, leaf: LeafNode): void {
  const same = sameBytes(identityBytes(previous.credential), identityBytes(leaf.credential));
  if (!same || readLeaf(previous).address.leaf !== readLeaf(leaf).address.leaf) throw new MlsError('identity-changed');
}
