// MLS for one device: pure, and free of Node, so that browsers can run it. The provider over node:crypto is @sotto/mls/node.
export { browserProvider } from './crypto/browser-provider.js';
export type { MlsProvider } from './crypto/provider.js';
export {
  accountKeyPair,
  deviceKeys,
  makeDeviceIdentity,
  verifyDeviceIdentity,
  type DeviceIdentity,
  type SigningKeyPair,
} from './device-identity.js';
export { MlsEngine, type Changes, type Committed, type EngineOptions, type KeyPackageContents } from './engine.js';
export {
  CommitTree,
  FORK_RULES,
  type CommitNode,
  type ForkRules,
  type LeafId,
  type Replacement,
  type StateId,
} from './group/commit-tree.js';
export {
  decodeGroupData,
  directData,
  encodeGroupData,
  GROUP_NAME_BYTES,
  newGroupData,
  type GroupData,
  type Right,
} from './group/group-data.js';
export { adminsOf, hasRight, judgeChange, MOST_LEAVES, type ProposedChange } from './group/group-policy.js';
export { GROUP_DATA_EXTENSION, MAX_GROUP_DATA_BYTES } from './group-data.js';
export type { GroupState } from './group-state.js';
export {
  DELIVERY_ADDRESS_EXTENSION,
  MAX_LIFETIME_SECONDS,
  type DeliveryAddress,
  type Lifetime,
  type OwnKeyPackage,
} from './key-package.js';
export type { Member } from './member.js';
export { MlsError, type MlsErrorReason } from './mls-error.js';
export type { Applied, Opened, Sender } from './opened.js';
export { safetyNumber } from './safety-number.js';
export type { Peeked } from './wire.js';
