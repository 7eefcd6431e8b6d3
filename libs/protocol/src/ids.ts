/** Account, device, capability and envelope ids are 16 random bytes; in code they are lower-case hex wherever they are compared or used as keys. */
export const ID_BYTES = 16;
export const TOKEN_BYTES = 32;
export const SLOT_BYTES = 32;
export const KEY_BYTES = 32;

const HEX: string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += HEX[bytes[i]!]!;
  return text;
}

/** Throws RangeError when `text` is not an even number of lower-case hex digits. */
export function fromHex(text: string): Uint8Array {
  if (!/^([0-9a-f]{2})*$/.test(text)) throw new RangeError('not lower-case hex');
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
