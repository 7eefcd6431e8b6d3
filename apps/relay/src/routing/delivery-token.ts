import { ID_BYTES } from '@sotto/protocol';
import type { DeviceRoute } from '@sotto/platform/live-state';
import sodium from 'libsodium-wrappers';

/** A key for devices that have none: the same work is done for them. */
const NOBODYS_KEY = new Uint8Array(32);

/**
 * Whether the token gives a right to send to the device (design 4.6): its second half is the BLAKE2b-128 of its first under the device's
 * delivery key, and the capability is not revoked. One MAC and one comparison, also for a device that nobody knows.
 */
export function tokenHolds(token: Uint8Array, route: DeviceRoute | null): boolean {
  const capability = token.subarray(0, ID_BYTES);
  const known = route !== null && route.deliveryKey.length === 32;
  const mac = sodium.crypto_generichash(ID_BYTES, capability, known ? route.deliveryKey : NOBODYS_KEY);
  const equal = sodium.memcmp(mac, token.subarray(ID_BYTES));
  return equal && known && !isRevoked(capability, route.revokedCapabilities);
}

function isRevoked(capability: Uint8Array, revoked: Uint8Array): boolean {
  for (let at = 0; at < revoked.length; at += ID_BYTES) {
    let same = true;
    for (let i = 0; same && i < ID_BYTES; i++) same = revoked[at + i] === capability[i];
    if (same) return true;
  }
  return false;
}
