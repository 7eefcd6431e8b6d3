import { hash } from 'node:crypto';

const CAPABILITY_BYTES = 16;

/** Capability id || its MAC under the delivery key, as the real ones are; SHA-256 stands for BLAKE2b. */
export function deliveryToken(capability: Uint8Array, deliveryKey: Uint8Array): Uint8Array {
  const mac = hash('sha256', Buffer.concat([deliveryKey, capability]), 'buffer').subarray(0, CAPABILITY_BYTES);
  return new Uint8Array(Buffer.concat([capability, mac]));
}

/** Hex. */
export function capabilityOf(token: Uint8Array): string {
  return Buffer.from(token.subarray(0, CAPABILITY_BYTES)).toString('hex');
}

/** Whether it was made with this key. */
export function isGenuine(token: Uint8Array, deliveryKey: Uint8Array): boolean {
  return Buffer.compare(token, deliveryToken(token.subarray(0, CAPABILITY_BYTES), deliveryKey)) === 0;
}
