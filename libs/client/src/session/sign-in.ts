import { Accounts, fromHex, type Session, Sessions, signedBytes, toHex } from '@sotto/protocol';
import type { Link } from '../connection/link.js';
import { keyPairOf, sign } from '../sodium.js';
import { authKeys, credentialOf, type DeviceSecrets, type SessionRecord } from './session-record.js';

/** The calls that make a link the device's. Each answers for this channel alone. */
export async function register(
  link: Link,
  secrets: DeviceSecrets,
  account: { name: string; password: string; invite: string },
): Promise<Session> {
  const identity = keyPairOf(secrets.identitySeed!);
  const deviceAuthKey = authKeys(secrets).publicKey;
  const identitySignature = sign(signedBytes('register', deviceAuthKey, link.binding), identity);
  return link.call(Accounts.method.register, { ...account, identityKey: identity.publicKey, deviceAuthKey, identitySignature });
}

export async function logIn(
  link: Link,
  secrets: DeviceSecrets,
  account: { name: string; password: string; replaceLongestAway: boolean },
): Promise<Session> {
  return link.call(Accounts.method.logIn, { ...account, deviceAuthKey: authKeys(secrets).publicKey });
}

export async function resume(link: Link, secrets: DeviceSecrets, record: SessionRecord): Promise<Session> {
  const proof = sign(signedBytes('resume', link.binding), authKeys(secrets));
  return link.call(Accounts.method.resume, { credential: credentialOf(record), proof });
}

/** Ends this device's own wait by the account's identity key. */
export async function confirmDevice(link: Link, secrets: DeviceSecrets, record: SessionRecord): Promise<Session> {
  const device = fromHex(record.device);
  const deviceAuthKey = authKeys(secrets).publicKey;
  const signed = signedBytes('confirmDevice', fromHex(record.account), device, deviceAuthKey);
  return link.call(Accounts.method.confirmDevice, {
    device,
    deviceAuthKey,
    identitySignature: sign(signed, keyPairOf(secrets.identitySeed!)),
  });
}

/** The account's new identity key is the one in `secrets`. */
export async function resetIdentity(link: Link, secrets: DeviceSecrets, password: string): Promise<Session> {
  const identity = keyPairOf(secrets.identitySeed!);
  const deviceAuthKey = authKeys(secrets).publicKey;
  const identitySignature = sign(signedBytes('register', deviceAuthKey, link.binding), identity);
  return link.call(Accounts.method.resetIdentity, { password, identityKey: identity.publicKey, identitySignature, deviceAuthKey });
}

/** Returns the relay's retry window, and the capabilities that the server revoked and this device did not name. */
export async function attach(
  link: Link,
  { deliveryKey }: DeviceSecrets,
  { accessToken, revokedCapabilities, invisible }: { accessToken: string; revokedCapabilities: Uint8Array[]; invisible: boolean },
): Promise<{ retryWindowMs: number; revoked: string[] }> {
  const attached = await link.call(Sessions.method.attach, { accessToken, deliveryKey, revokedCapabilities, invisible });
  link.startHeartbeat(attached.heartbeatMs || 30_000);
  return { retryWindowMs: attached.retryWindow * 1_000, revoked: attached.revokedCapabilities.map(toHex) };
}
