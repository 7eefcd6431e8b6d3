import { CryptoVerificationError, CodecError } from '#ts-mls/mlsError.js';
import { decodeMlsMessage, encodeMlsMessage, type MLSMessage } from '#ts-mls/message.js';
import type { Decoder } from '#ts-mls/codec/tlsDecoder.js';
import { sameBytes } from './crypto/bytes.js';
import { MlsError } from './mls-error.js';

/** Decodes all of the bytes or refuses: a decoder of the library stops at the end of its value and ignores the rest. */
export function decodeWhole<T>(decoder: Decoder<T>, bytes: Uint8Array): T {
  let decoded: [T, number] | undefined;
  try {
    decoded = decoder(bytes, 0);
  } catch {
    throw new MlsError('malformed');
  }
  if (decoded === undefined) throw new MlsError('malformed');
  const [value, length] = decoded;
  if (length > bytes.length) throw new MlsError('malformed');
  if (length < bytes.length) throw new MlsError('trailing-bytes');
  return value;
}

/** One message has one encoding, so that nobody who carries it can make two of it: lengths are written in their shortest form (RFC 9420 §2.1.2). */
export function decodeMessage(bytes: Uint8Array): MLSMessage {
  const message = decodeWhole(decodeMlsMessage, bytes);
  if (!sameBytes(encodeMlsMessage(message), bytes)) throw new MlsError('malformed');
  return message;
}

export interface Peeked {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly contentType: 'application' | 'commit' | 'proposal';
}

/** The clear part of a PrivateMessage (RFC 9420 §6.3). Nothing of it is authenticated. */
export function peek(message: MLSMessage): Peeked {
  if (message.wireformat !== 'mls_private_message') throw new MlsError('unsupported', 'not a PrivateMessage');
  const { groupId, epoch, contentType } = message.privateMessage;
  return { groupId, epoch, contentType };
}

/** Runs a step of the library so that only MlsErrors leave it. */
export async function refusing<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof MlsError) throw error;
    if (error instanceof CryptoVerificationError) throw new MlsError('bad-signature', error.message);
    if (error instanceof CodecError) throw new MlsError('malformed', error.message);
    throw new MlsError('invalid', error instanceof Error ? error.message : 'refused');
  }
}
