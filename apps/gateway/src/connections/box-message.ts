import { boxLength, type SealedChannel } from '@sotto/channel';

/** FIN and opcode 2. */
const BINARY = 0x82;
/** Says that the length follows in two bytes, or in eight. */
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/**
 * These frames sealed, as one binary WebSocket message of a server: RFC 6455 § 5.2, unmasked. In one piece, so that the kernel takes it by one plain
 * write: `WebSocket.send` hands over header and payload apart, and a writev of two pieces is what then costs the gateway most.
 */
export function boxMessage(channel: SealedChannel, frames: readonly Uint8Array[], length: number): Buffer {
  const boxBytes = boxLength(length);
  const headerBytes = boxBytes < 0x1_0000 ? 4 : 10;
  const message = Buffer.allocUnsafe(headerBytes + boxBytes);
  message[0] = BINARY;
  if (headerBytes === 4) {
    // A box has at least 256 bytes: never the header of two bytes.
    message[1] = LENGTH_16;
    message.writeUInt16BE(boxBytes, 2);
  } else {
    message[1] = LENGTH_64;
    message.writeUInt32BE(0, 2);
    message.writeUInt32BE(boxBytes, 6);
  }
  channel.sealInto(message, headerBytes, frames, length);
  return message;
}
