import type { RatchetTree } from '#ts-mls/ratchetTree.js';
import type { DeviceIdentity } from './device-identity.js';
import type { DeliveryAddress } from './key-package.js';
import { leavesOf, readLeaf } from './leaf.js';

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

export function membersOf(tree: RatchetTree): Member[] {
  return leavesOf(tree).map(({ index, leaf }) => {
    const { identity, address } = readLeaf(leaf);
    return { leaf: index, id: address.leaf, identity, address, signatureKey: leaf.signaturePublicKey };
  });
}
