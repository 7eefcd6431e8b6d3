import { describe, expect, it } from '@jest/globals';
import stringWidth from 'string-width';

import { cellsOf, drawn } from './drawn-text.js';

const LONG = 20_000;

describe('text as it is drawn', () => {
  it('is what people write in their languages', () => {
    for (const text of ['hello', 'Grüße', 'Tiếng Việt', 'Ελληνικά', 'שָׁלוֹם', 'नमी', 'می‌روم', 'ไทย', '日本語', '한국어', '👋🎉'])
      expect(drawn(text)).toBe(text);
  });

  it('has the parts of joined emoji side by side, and the letters of flags', () => {
    expect(drawn('👨‍👩‍👧‍👦 done')).toBe('👨👩👧👦 done');
    expect(drawn('👩🏽‍💻 ❤️ 1️⃣ 🇩🇪')).toBe('👩💻 ❤ 1 DE');
  });

  it('has nothing invisible, and no heaps', () => {
    expect(drawn(`${'\u200b'.repeat(LONG)}hidden${'\u00ad'.repeat(LONG)}`)).toBe('hidden');
    expect(drawn(`e${'\u0323'.repeat(LONG)}!`)).toBe(`\u1eb9${'\u0323'.repeat(4)}!`);
    expect(drawn(`${'👩\u200d'.repeat(LONG)}Password:`)).toBe(`${'👩'.repeat(8)}…Password:`);
  });

  it('has no control characters', () => {
    expect(drawn('A\u001b]0;t\u0007B\u009b31mC\tD\u202eE\u2028F')).toBe('A\ufffd]0;t\ufffdB\ufffd31mC  DE F');
  });

  it('is as wide as its characters together, and stays as it is when it is drawn again', () => {
    const odd = [
      'กำ',
      'क्ष',
      'कि',
      '\u0d4eक',
      '\u1100'.repeat(99),
      '\u0301a',
      '🏽',
      '🇩',
      '\u0600a',
      'ﾊﾟ',
      '☎️☎',
      '\u200d\u200d👩',
      '\ud800x',
      '3\u20e3',
    ];
    for (const text of [...odd, odd.join(''), odd.toReversed().join(' ')]) {
      const characters = [...drawn(text)].reduce((cells, char) => cells + stringWidth(char), 0);
      expect([text, cellsOf(text), drawn(drawn(text))]).toEqual([text, characters, drawn(text)]);
    }
  });
});
