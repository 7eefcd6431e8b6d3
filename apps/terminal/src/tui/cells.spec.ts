import { describe, expect, it } from '@jest/globals';
import { brokenAt, cutTo, fitted, wrapped } from './cells.js';
import { cellsOf } from './drawn-text.js';

describe('columns of a terminal', () => {
  it('are two for wide characters and each emoji, none for what combines', () => {
    expect([cellsOf('abc'), cellsOf('日本'), cellsOf('👩‍👩‍👧'), cellsOf('e\u0301')]).toEqual([3, 4, 6, 1]);
  });

  it('hold a text exactly, cut or filled, and no half of a wide character', () => {
    for (const text of ['', 'abc', '日本語日本語', 'a日b本c', '👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧'])
      for (let width = 0; width < 9; width++) expect(cellsOf(fitted(text, width))).toBe(width);
    expect(cutTo('日本語', 4)).toBe('日…');
  });

  it('break a text at spaces, and within words that are too long', () => {
    expect(wrapped('the quick brown fox', 9)).toEqual(['the quick', 'brown fox']);
    expect(wrapped('aaaaaaaaaaaa b', 5)).toEqual(['aaaaa', 'aaaaa', 'aa b']);
    expect(wrapped('one\n\ntwo', 5)).toEqual(['one', '', 'two']);
    for (const row of wrapped('日本語のとても長い文 and so on 👋👋👋👩‍👧👩‍👧', 7)) expect(cellsOf(row)).toBeLessThanOrEqual(7);
  });

  it('leave out nothing when rows are filled to the last one', () => {
    const text = 'a日b本c語👋'.repeat(5);
    expect(brokenAt(text, 4).join('')).toBe(text);
    expect(brokenAt('', 4)).toEqual(['']);
  });
});
