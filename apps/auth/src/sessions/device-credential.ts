import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type DeviceCredential,
  type DeviceCredentialBody,
  DeviceCredentialBodySchema,
  DeviceCredentialSchema,
  ID_BYTES,
  KEY_BYTES,
  signedBytes,
  TIMES,
} from '@sotto/protocol';
import { signEd25519, type SigningKey, verifyEd25519 } from '../identity/ed25519.js';

const DAY_SECONDS = 24 * 3_600;

export interface CredentialContent {
  account: Uint8Array;
  device: Uint8Array;
  deviceAuthKey: Uint8Array;
  /** Unix seconds. */
  issued: number;
  /** The account's identity key that confirmed the device; empty: pending. */
  identityKey: Uint8Array;
}

export function sealCredential(key: SigningKey, content: CredentialContent): DeviceCredential {
  const body = toBinary(
    DeviceCredentialBodySchema,
    create(DeviceCredentialBodySchema, {
      ...content,
      issued: BigInt(content.issued),
      expires: BigInt(content.issued + TIMES.credentialLifetimeDays * DAY_SECONDS),
      pending: content.identityKey.length === 0,
    }),
  );
  return create(DeviceCredentialSchema, { body, signature: signEd25519(key, signedBytes('deviceCredential', body)) });
}

/** What the credential says, when we signed it and it has not expired. @param now Unix seconds. */
export function openCredential(key: SigningKey, credential: DeviceCredential | undefined, now: number): DeviceCredentialBody | undefined {
  if (credential === undefined) return undefined;
  if (!verifyEd25519(key.publicKey, signedBytes('deviceCredential', credential.body), credential.signature)) return undefined;
  const body = fromBinary(DeviceCredentialBodySchema, credential.body);
  const whole = body.account.length === ID_BYTES && body.device.length === ID_BYTES && body.deviceAuthKey.length === KEY_BYTES;
  return whole && body.expires > BigInt(now) ? body : undefined;
}

/** Whether the device holds its auth key and means this channel: `proof` signs the channel binding. */
export function provesDevice(body: DeviceCredentialBody, proof: Uint8Array, channelBinding: Uint8Array): boolean {
  return channelBinding.length === KEY_BYTES && verifyEd25519(body.deviceAuthKey, signedBytes('resume', channelBinding), proof);
}

/** More than half of its life is over. @param now Unix seconds. */
export function isWorthRenewing(body: DeviceCredentialBody, now: number): boolean {
  return BigInt(now) * 2n > body.issued + body.expires;
}
