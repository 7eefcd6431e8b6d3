import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { RateClass } from './index.js';
import { RATE_CLASSES } from './rates.js';

const PERIODS: Readonly<Record<number, string>> = { 60: '1 min', 600: '10 min', 3_600: '1 h' };

describe('the rates of calls', () => {
  it('are those in docs/protocol.md', async () => {
    const page = await readFile(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
    const rows = Object.entries(RATE_CLASSES).map(([rate, { perAccount, perAddress }]) => {
      const [account, address] = [perAccount, perAddress].map(
        ({ points, seconds }) => `${points.toLocaleString('en')} in ${PERIODS[seconds]}`,
      );
      return `| ${RateClass[Number(rate)]} | ${account} | ${address} |`;
    });
    expect(rows.filter((row) => !page.includes(row))).toEqual([]);
  });
});
