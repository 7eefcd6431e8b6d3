import { bytesOfLabel, concat } from './crypto/bytes.js';
import { MlsError } from './mls-error.js';

/** "sotto v1 " || label || 0x00 || bytes. What MLS signs with the same key begins otherwise: with the length of its label (RFC 9420 §5.1.2). */
export function labelled(label: string, bytes: Uint8Array): Uint8Array {
  if (label.includes('\0')) throw new MlsError('invalid', 'a label ends at its first zero byte');
  return concat(bytesOfLabel(`sotto v1 ${label}\0`), bytes);
}
