import { browserProvider, makeDeviceIdentity, MlsEngine, type MlsProvider } from '@sotto/mls';
import { keyPairOf } from '../sodium.js';
import type { OwnDevice } from './session-record.js';

/** MLS for this device, as the account's identity key vouches for it. */
export function engineOf(
  own: OwnDevice,
  mlsSeed: Uint8Array,
  identitySeed: Uint8Array,
  provider: MlsProvider = browserProvider,
): Promise<MlsEngine> {
  const { server, account, device, name: accountName, identityKey: accountKey } = own;
  const { publicKey, seed } = keyPairOf(mlsSeed);
  const identity = makeDeviceIdentity(provider, { server, account, device, accountName, accountKey }, identitySeed, publicKey);
  return MlsEngine.create({ provider, server, identity, signatureKeys: { publicKey, secretKey: seed } });
}
