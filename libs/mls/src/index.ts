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
export {
  MlsEngine,
  type Changes,
  type Committed,
  type EngineOptions,
  type KeyPackageContents,
  type Member,
  type Opened,
  type Sender,
} from './engine.js';
export type { GroupState } from './group-state.js';
export {
  DELIVERY_ADDRESS_EXTENSION,
  MAX_LIFETIME_SECONDS,
  type DeliveryAddress,
  type Lifetime,
  type OwnKeyPackage,
} from './key-package.js';
export { MlsError, type MlsErrorReason } from './mls-error.js';
export { safetyNumber } from './safety-number.js';
