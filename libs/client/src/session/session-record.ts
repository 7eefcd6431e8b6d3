import { create } from '@bufbuild/protobuf';
import { type DeviceCredential, DeviceCredentialSchema, type Session, toHex } from '@sotto/protocol';
import { type KeyPair, keyPairOf, newKeyPair, randomBytes } from '../sodium.js';

/** Secrets of this device: seeds of its keys. Stored before any of them is shown to the server. */
export interface DeviceSecrets {
  readonly authSeed: Uint8Array;
  readonly mlsSeed: Uint8Array;
  /** Of the account's identity key; absent on a device that was not given it. */
  readonly identitySeed?: Uint8Array | undefined;
  /** Under which this device's delivery tokens are made. 32 bytes. */
  readonly deliveryKey: Uint8Array;
}

/** What a device was about to be when it asked to register or to log in: the answer may never come. */
export interface NextSecrets extends DeviceSecrets {
  /** With which it registers; '' or absent: none. */
  readonly invite?: string;
}

/**
 * `first`: made with the account. `alone`: by a log-in, and no other device was there: the contacts know devices that may be gone, and must be
 * met with new conversations. `brought`: another device of the account brings it into the conversations there are.
 */
export type DeviceOrigin = 'first' | 'alone' | 'brought';

/** Who this device is to others. */
export interface OwnDevice {
  /** Lower-case hex, as `device`. */
  readonly account: string;
  readonly device: string;
  /** As the server knows it. */
  readonly name: string;
  readonly server: string;
  readonly identityKey: Uint8Array;
  readonly origin: DeviceOrigin;
}

export interface SessionRecord extends OwnDevice {
  readonly credentialBody: Uint8Array;
  readonly credentialSignature: Uint8Array;
  readonly pending: boolean;
}

/** Where a store keeps a device that belongs to no account at a server. */
export const PEER_COLLECTION = 'peer';

export function newSecrets(identitySeed?: Uint8Array): DeviceSecrets {
  return { authSeed: newKeyPair().seed, mlsSeed: newKeyPair().seed, deliveryKey: randomBytes(32), identitySeed };
}

export function authKeys(secrets: DeviceSecrets): KeyPair {
  return keyPairOf(secrets.authSeed);
}

export function credentialOf(record: SessionRecord): DeviceCredential {
  return create(DeviceCredentialSchema, { body: record.credentialBody, signature: record.credentialSignature });
}

/** After Resume the server may leave the credential out: then the one in use stays. */
export function recordOf(session: Session, origin: DeviceOrigin, before?: SessionRecord): SessionRecord {
  const { credential } = session;
  const renewed = credential !== undefined && credential.body.length > 0;
  return {
    account: toHex(session.account),
    device: toHex(session.device),
    name: session.name,
    server: session.server,
    identityKey: session.identityKey,
    credentialBody: renewed ? credential.body : (before?.credentialBody ?? new Uint8Array()),
    credentialSignature: renewed ? credential.signature : (before?.credentialSignature ?? new Uint8Array()),
    pending: session.pending,
    origin,
  };
}
