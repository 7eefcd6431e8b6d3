import { Buffer } from 'node:buffer';

/** An id as it is compared and used as a key. Native, as several are made for each message. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
