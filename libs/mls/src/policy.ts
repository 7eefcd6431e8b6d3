import type { Credential } from '#ts-mls/credential.js';
import type { LeafNode } from '#ts-mls/leafNode.js';
import type { Proposal } from '#ts-mls/proposal.js';
import type { RatchetTree } from '#ts-mls/ratchetTree.js';
import { toHex } from '@sotto/protocol';
import { sameBytes } from './crypto/bytes.js';
import { readDeviceIdentity } from './device-identity.js';
import { GROUP_DATA_EXTENSION, groupDataOf } from './group-data.js';
import { addressOf, checkLifetimeLength } from './key-package.js';
import { MlsError } from './mls-error.js';

const ALLOWED = new Set<unknown>(['add', 'remove', 'group_context_extensions']);

export function identityBytes(credential: Credential): Uint8Array {
  if (credential.credentialType !== 'basic') throw new MlsError('bad-credential', 'not a basic credential');
  return credential.identity;
}

/** Every leaf with its index, left to right. */
export function leavesOf(tree: RatchetTree): { index: number; leaf: LeafNode }[] {
  return tree.flatMap((node, nodeIndex) => (node?.nodeType === 'leaf' ? [{ index: nodeIndex / 2, leaf: node.leaf }] : []));
}

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

/** RFC 9420 §7.3: signature and encryption keys are unique among the members. The library compares the old leaves only. */
export function checkTree(tree: RatchetTree): void {
  const leaves = leavesOf(tree);
  const unique = leaves.flatMap(({ leaf }) => [toHex(leaf.signaturePublicKey), toHex(leaf.hpkePublicKey), addressOf(leaf).leaf]);
  if (new Set(unique).size !== unique.length) throw new MlsError('duplicate-key');
  for (const { leaf } of leaves) {
    const identity = readDeviceIdentity(identityBytes(leaf.credential));
    if (addressOf(leaf).device !== identity.device) throw new MlsError('bad-credential', 'an address of another device');
    if (!leaf.capabilities.extensions.includes(GROUP_DATA_EXTENSION)) throw new MlsError('unsupported', 'a leaf that knows no group data');
  }
}

/** A leaf's identity and id stand as long as the leaf: only Remove and Add change who sits there, and bring a fresh id. */
export function checkLeaves(before: RatchetTree, after: RatchetTree, proposals: readonly Proposal[]): void {
  const removed = new Set(removedBy(proposals));
  const old = leavesOf(before);
  const stayed = new Map(old.filter(({ index }) => !removed.has(index)).map(({ index, leaf }) => [index, leaf]));
  const known = new Set(old.map(({ leaf }) => addressOf(leaf).leaf));
  for (const { index, leaf } of leavesOf(after)) {
    const previous = stayed.get(index);
    if (previous !== undefined) checkSameLeaf(previous, leaf);
    else if (known.has(addressOf(leaf).leaf)) throw new MlsError('duplicate-key', 'a leaf id was used before');
  }
}

function checkSameLeaf(previous: LeafNode, leaf: LeafNode): void {
  const same = sameBytes(identityBytes(previous.credential), identityBytes(leaf.credential));
  if (!same || addressOf(previous).leaf !== addressOf(leaf).leaf) throw new MlsError('identity-changed');
}
