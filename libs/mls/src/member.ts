import type { LeafNode } from '#ts-mls/leafNode.js';
import type { RatchetTree } from '#ts-mls/ratchetTree.js';
import { readDeviceIdentity, type DeviceIdentity } from './device-identity.js';
import { addressOf, type DeliveryAddress } from './key-package.js';
import { identityBytes, leavesOf } from './policy.js';

export interface Member {
  /** Its index in this epoch's tree: another member may have it later. */
  readonly leaf: number;
  /** Of the leaf, lower-case hex: never anybody else's, and no longer the device's once it joins again. */
  readonly id: string;
  readonly identity: DeviceIdentity;
  readonly address: DeliveryAddress;
  /** Ed25519, 32 bytes: what the device signs with. */
  readonly signatureKey: Uint8Array;
}

function memberOf(index: number, leaf: LeafNode): Member {
  const address = addressOf(leaf);
  return {
    leaf: index,
    id: address.leaf,
    identity: readDeviceIdentity(identityBytes(leaf.credential)),
    address,
    signatureKey: leaf.signaturePublicKey,
  };
}

export function membersOf(tree: RatchetTree): Member[] {
  return leavesOf(tree).map(({ index, leaf }) => memberOf(index, leaf));
}
