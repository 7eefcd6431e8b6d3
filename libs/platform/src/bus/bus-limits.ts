import { LIMITS } from '@sotto/protocol';

/** Throws RangeError when the payload is larger than the bus carries. The message never holds content. */
export function assertFits(payload: Uint8Array): void {
  if (payload.length <= LIMITS.busMessageBytes) return;
  throw new RangeError(`a bus message has ${payload.length} bytes; the limit is ${LIMITS.busMessageBytes}`);
}
