import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { DeviceIdentitySchema, fromHex, ID_BYTES, KEY_BYTES, signedBytes, toHex } from '@sotto/protocol';
import { sameBytes } from './crypto/bytes.js';
import type { MlsProvider } from './crypto/provider.js';
import type { DeviceIdentity } from './identity.js';
import { MlsError } from './mls-error.js';

export type { DeviceIdentity } from './identity.js';

/** Ed25519; the secret key is the 32-byte seed. */
export interface SigningKeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

function signingKeyPair(provider: MlsProvider): SigningKeyPair {
  const secretKey = provider.randomBytes(KEY_BYTES);
  return { secretKey, publicKey: provider.ed25519PublicKey(secretKey) };
}

/** The account's identity key, made on its first device. */
export function accountKeyPair(provider: MlsProvider): SigningKeyPair {
  return signingKeyPair(provider);
}

/** A device's MLS signature key. */
export function deviceKeys(provider: MlsProvider): SigningKeyPair {
  return signingKeyPair(provider);
}

function unsignedBytes(identity: DeviceIdentity): Uint8Array {
  const { account, device, ...rest } = identity;
  return toBinary(DeviceIdentitySchema, create(DeviceIdentitySchema, { ...rest, account: fromHex(account), device: fromHex(device) }));
}

/** The serialised, signed DeviceIdentity for BasicCredential.identity. */
export function makeDeviceIdentity(
  provider: MlsProvider,
  identity: DeviceIdentity,
  accountSecretKey: Uint8Array,
  mlsSignaturePublicKey: Uint8Array,
): Uint8Array {
  const signed = signedBytes('deviceIdentity', unsignedBytes(identity), mlsSignaturePublicKey);
  const signature = provider.ed25519Sign(accountSecretKey, signed);
  return toBinary(
    DeviceIdentitySchema,
    create(DeviceIdentitySchema, {
      server: identity.server,
      account: fromHex(identity.account),
      accountName: identity.accountName,
      device: fromHex(identity.device),
      accountKey: identity.accountKey,
      signature,
    }),
  );
}

function parse(bytes: Uint8Array) {
  try {
    const message = fromBinary(DeviceIdentitySchema, bytes, { readUnknownFields: false });
    // One identity has one encoding: what re-encodes to other bytes was not written by us.
    if (sameBytes(toBinary(DeviceIdentitySchema, message), bytes)) return message;
  } catch {
    // Falls through to the one error for whatever is not a device identity.
  }
  throw new MlsError('bad-credential', 'not a device identity');
}

const MOST_NAME_LENGTH = 64;
const MOST_SERVER_LENGTH = 255;

/** Reads an identity without judging its signature: for leaves that the authentication hook has already admitted. */
export function readDeviceIdentity(bytes: Uint8Array): DeviceIdentity {
  return read(bytes).identity;
}

function read(bytes: Uint8Array): { readonly identity: DeviceIdentity; readonly signature: Uint8Array } {
  const message = parse(bytes);
  if (message.account.length !== ID_BYTES || message.device.length !== ID_BYTES || message.accountKey.length !== KEY_BYTES) {
    throw new MlsError('bad-credential', 'a device identity has a field of the wrong length');
  }
  // Every Welcome carries them for every leaf.
  if (message.accountName.length > MOST_NAME_LENGTH || message.server.length > MOST_SERVER_LENGTH)
    throw new MlsError('bad-credential', 'a device identity with an endless name');
  const { server, accountName, accountKey, signature } = message;
  return { identity: { server, accountName, accountKey, account: toHex(message.account), device: toHex(message.device) }, signature };
}

/** Throws MlsError `bad-credential` or `wrong-server`. */
export function verifyDeviceIdentity(
  provider: MlsProvider,
  bytes: Uint8Array,
  mlsSignaturePublicKey: Uint8Array,
  server: string,
): DeviceIdentity {
  const { identity, signature } = read(bytes);
  if (identity.server !== server) throw new MlsError('wrong-server');
  const signed = signedBytes('deviceIdentity', unsignedBytes(identity), mlsSignaturePublicKey);
  if (!provider.ed25519Verify(identity.accountKey, signed, signature)) {
    throw new MlsError('bad-credential', 'the account key did not sign this device');
  }
  return identity;
}
