import encodeQR from 'qr';

/** Modules that must stay light around a code (ISO/IEC 18004 asks for four, readers are content with two). */
const QUIET = 2;

/** The digits of a safety number as a QR code, two modules a character: dark ones are left out, to be drawn light on dark. */
export function safetyCode(digits: string): string[] {
  const modules = encodeQR(digits.replaceAll(/\s+/g, ''), 'raw', { ecc: 'low', encoding: 'numeric', border: QUIET });
  const rows: string[] = [];
  for (let y = 0; y < modules.length; y += 2) rows.push(halfBlocks(modules[y] ?? [], modules[y + 1]));
  return rows;
}

function halfBlocks(upper: readonly boolean[], lower: readonly boolean[] | undefined): string {
  return upper.map((dark, x) => BLOCKS[dark ? 1 : 0][lower === undefined || lower[x] === true ? 1 : 0]).join('');
}

/** By whether the upper and the lower module are dark. Light is drawn. */
const BLOCKS = [
  ['█', '▀'],
  ['▄', ' '],
] as const;
