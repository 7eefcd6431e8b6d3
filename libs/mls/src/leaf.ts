import type { Credential } from '#ts-mls/credential.js';
import type { LeafNode } from '#ts-mls/leafNode.js';
import type { RatchetTree } from '#ts-mls/ratchetTree.js';
import { toHex } from '@sotto/protocol';
import { readDeviceIdentity, type DeviceIdentity } from './device-identity.js';
import { addressOf, type DeliveryAddress } from './key-package.js';
import { MlsError } from './mls-error.js';

export interface LeafContents {
  readonly identity: DeviceIdentity;
  readonly address: DeliveryAddress;
}

// Nodes are never changed and most of them outlive many epochs: each is read once.
const readLeaves = new WeakMap<LeafNode, LeafContents>();
const hexKeys = new WeakMap<Uint8Array, string>();

export function identityBytes(credential: Credential): Uint8Array {
  if (credential.credentialType !== 'basic') throw new MlsError('bad-credential', 'not a basic credential');
  return credential.identity;
}

/** What a leaf says of its device; its account's signature is not judged here. Throws MlsError `bad-credential`. */
export function readLeaf(leaf: LeafNode): LeafContents {
  const known = readLeaves.get(leaf);
  if (known !== undefined) return known;
  const contents = { identity: readDeviceIdentity(identityBytes(leaf.credential)), address: addressOf(leaf) };
  if (contents.address.device !== contents.identity.device) throw new MlsError('bad-credential', 'an address of another device');
  readLeaves.set(leaf, contents);
  return contents;
}

/** Every leaf with its index, left to right. */
export function leavesOf(tree: RatchetTree): { index: number; leaf: LeafNode }[] {
  return tree.flatMap((node, nodeIndex) => (node?.nodeType === 'leaf' ? [{ index: nodeIndex / 2, leaf: node.leaf }] : []));
}

function hexOf(key: Uint8Array): string {
  const known = hexKeys.get(key) ?? toHex(key);
  hexKeys.set(key, known);
  return known;
}

/** The encryption keys of all nodes, the signature keys, ids and devices of all leaves: no two are to be the same. */
export function uniqueValuesOf(tree: RatchetTree): string[] {
  return tree.flatMap((node) => {
    if (node === undefined) return [];
    if (node.nodeType === 'parent') return hexOf(node.parent.hpkePublicKey);
    const { leaf, device } = readLeaf(node.leaf).address;
    return [hexOf(node.leaf.hpkePublicKey), hexOf(node.leaf.signaturePublicKey), leaf, `device ${device}`];
  });
}
