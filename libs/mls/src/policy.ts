import type { Credential } from 'ts-mls/credential.js';
import type { LeafNode } from 'ts-mls/leafNode.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import type { ProposalWithSender } from 'ts-mls/unappliedProposals.js';
import { toHex } from '@sotto/protocol';
import { sameBytes } from './crypto/bytes.js';
import { addressOf, checkLifetimeLength } from './key-package.js';
import { readDeviceIdentity } from './device-identity.js';
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
export function checkProposals(proposals: readonly ProposalWithSender[]): void {
  for (const { proposal } of proposals) {
    if (!ALLOWED.has(proposal.proposalType)) throw new MlsError('unsupported', 'a proposal of a refused type');
    if (proposal.proposalType === 'add') checkLifetimeLength(proposal.add.keyPackage);
  }
}

/** RFC 9420 §7.3: signature and encryption keys are unique among the members. The library compares the old leaves only. */
export function checkTree(tree: RatchetTree): void {
  const leaves = leavesOf(tree);
  const keys = leaves.flatMap(({ leaf }) => [toHex(leaf.signaturePublicKey), toHex(leaf.hpkePublicKey)]);
  if (new Set(keys).size !== keys.length) throw new MlsError('duplicate-key');
  for (const { leaf } of leaves) {
    const identity = readDeviceIdentity(identityBytes(leaf.credential));
    if (addressOf(leaf).device !== identity.device) throw new MlsError('bad-credential', 'an address of another device');
  }
}

/** A leaf's identity stands as long as the leaf: only Remove and Add change who sits there. */
export function checkSameIdentities(before: RatchetTree, after: RatchetTree, proposals: readonly ProposalWithSender[]): void {
  const removed = new Set(proposals.flatMap(({ proposal }) => (proposal.proposalType === 'remove' ? [proposal.remove.removed] : [])));
  const old = new Map(leavesOf(before).map(({ index, leaf }) => [index, leaf]));
  for (const { index, leaf } of leavesOf(after)) {
    const previous = old.get(index);
    if (previous === undefined || removed.has(index)) continue;
    if (!sameBytes(identityBytes(previous.credential), identityBytes(leaf.credential))) throw new MlsError('identity-changed');
  }
}
