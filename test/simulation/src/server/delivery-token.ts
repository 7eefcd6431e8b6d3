import { toHex } from '@sotto/protocol';
import { sha256 } from '../unsafe-provider.js';

const CAPABILITY_BYTES = 16;

/** Capability id || its MAC under the delivery key, as the real ones are; SHA-256 stands for BLAKE2b. */
export function deliveryToken(capability: Uint8Array, deliveryKey: Uint8Array): Uint8Array {
  const keyed = new Uint8Array(deliveryKey.length + CAPABILITY_BYTES);
  keyed.set(deliveryKey);
  keyed.set(capability, deliveryKey.length);
  const token = new Uint8Array(2 * CAPABILITY_BYTES);
  token.set(capability);
  token.set(sha256(keyed).slice(0, CAPABILITY_BYTES), CAPABILITY_BYTES);
  return token;
}

/** Hex. */
export function capabilityOf(token: Uint8Array): string {
  return toHex(token.slice(0, CAPABILITY_BYTES));
}

/** Whether it was made with this key. */
export function isGenuine(token: Uint8Array, deliveryKey: Uint8Array): boolean {
  return Buffer.compare(token, deliveryToken(token.slice(0, CAPABILITY_BYTES), deliveryKey)) === 0;
}
