import { describe, expect, it } from '@jest/globals';
import decodeQR from 'qr/decode.js';
import { safetyCode } from './safety-code.js';

const DIGITS = '153671691458993583281780607946625051223219269549160840407708';
const MODULE = 8;
const QUIET = 4;

/** As a camera would see it: light where the terminal draws. */
function photographed(rows: readonly string[]): { width: number; height: number; data: Uint8Array } {
  const upper = (char: string) => char === '█' || char === '▀';
  const lower = (char: string) => char === '█' || char === '▄';
  const modules = rows.flatMap((row) => [[...row].map(upper), [...row].map(lower)]);
  const size = (modules[0]!.length + 2 * QUIET) * MODULE;
  const data = new Uint8Array(size * size * 3).fill(255);
  for (let y = 0; y < modules[0]!.length * MODULE; y++)
    for (let x = 0; x < modules[0]!.length * MODULE; x++)
      if (modules[Math.floor(y / MODULE)]?.[Math.floor(x / MODULE)] !== true)
        data.fill(0, ((y + QUIET * MODULE) * size + x + QUIET * MODULE) * 3, ((y + QUIET * MODULE) * size + x + QUIET * MODULE) * 3 + 3);
  return { width: size, height: size, data };
}

describe('the code of a safety number', () => {
  it('says the digits, and nothing else, to whoever scans the screen', () => {
    const spaced = DIGITS.match(/.{5}/g)!.join(' ');
    expect(decodeQR(photographed(safetyCode(spaced)))).toBe(DIGITS);
  });

  it('fits beside the digits on a screen of 80 columns and 24 rows', () => {
    const rows = safetyCode(DIGITS);
    expect(rows.length).toBeLessThanOrEqual(19);
    for (const row of rows) expect(row).toHaveLength(rows[0]!.length);
    expect(rows[0]!.length).toBeLessThanOrEqual(29);
  });
});
