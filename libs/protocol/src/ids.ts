/** Account, device, capability and envelope ids are 16 random bytes; in code they are lower-case hex wherever they are compared or used as keys. */
export const ID_BYTES = 16;
export const TOKEN_BYTES = 32;
export const SLOT_BYTES = 32;
export const KEY_BYTES = 32;

const HEX: string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** By character code. */
const DIGITS = Int8Array.from({ length: 128 }, (_, code) => '0123456789abcdef'.indexOf(String.fromCharCode(code)));

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += HEX[bytes[i]!]!;
  return text;
}

/** Throws RangeError when `text` is not an even number of lower-case hex digits. */
export function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length >> 1);
  let wrong = text.length & 1;
  for (let i = 0; i < bytes.length; i++) {
    const value = (digit(text, 2 * i) << 4) | digit(text, 2 * i + 1);
    wrong |= value & ~0xff;
    bytes[i] = value;
  }
  if (wrong !== 0) throw new RangeError('not lower-case hex');
  return bytes;
}

/** Negative for what is none. */
function digit(text: string, at: number): number {
  return DIGITS[text.charCodeAt(at)] ?? -1;
}
