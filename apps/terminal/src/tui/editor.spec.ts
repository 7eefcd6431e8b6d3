import { describe, expect, it } from '@jest/globals';
import { type Editor, editorRows, EDITS, insert, MAX_INPUT, moveLine, withText } from './editor.js';

/** `|` is the cursor. */
const editor = (marked: string): Editor => ({ text: marked.replace('|', ''), cursor: marked.indexOf('|') });
const marked = ({ text, cursor }: Editor): string => `${text.slice(0, cursor)}|${text.slice(cursor)}`;

describe('what is being written', () => {
  it('is edited by what its user sees as characters', () => {
    expect(marked(EDITS.backspace(editor('hi 👩‍👩‍👧|!')))).toBe('hi |!');
    expect(marked(EDITS.left(editor('日本|')))).toBe('日|本');
    expect(marked(EDITS.delete(editor('a|e\u0301b')))).toBe('a|b');
    expect(marked(EDITS.backspace(editor('|a')))).toBe('|a');
  });

  it('is edited by words and lines', () => {
    expect(marked(EDITS['kill-word'](editor('one two  |three')))).toBe('one |three');
    expect(marked(EDITS['kill-to-start'](editor('one\ntwo| three')))).toBe('one\n| three');
    expect(marked(EDITS['kill-to-end'](editor('one\ntw|o\nthree')))).toBe('one\ntw|\nthree');
    expect(marked(EDITS.home(editor('\none|')))).toBe('\n|one');
    expect(marked(EDITS.home(editor('|\none')))).toBe('|\none');
    expect(marked(EDITS['word-right'](editor('|one two')))).toBe('one| two');
  });

  it('moves by lines, and says when there is none', () => {
    expect(marked(moveLine(editor('first\nsec|ond\nx'), -1)!)).toBe('fir|st\nsecond\nx');
    expect(marked(moveLine(editor('first\nsec|ond\nx'), 1)!)).toBe('first\nsecond\nx|');
    expect(moveLine(editor('fir|st'), -1)).toBeUndefined();
    expect(moveLine(editor('fir|st'), 1)).toBeUndefined();
  });

  it('has an end', () => {
    expect(insert(withText('x'.repeat(MAX_INPUT)), 'y')).toBeUndefined();
  });

  it('is shown around the cursor, also behind a full row', () => {
    expect(editorRows(editor('abcd|'), 4, 3)).toEqual([{ text: 'abcd', cursor: 4 }]);
    expect(editorRows(editor('abcd|ef'), 4, 3)).toEqual([{ text: 'abcd' }, { text: 'ef', cursor: 0 }]);
    const rows = editorRows({ text: Array.from({ length: 200 }, (_, i) => `line ${i}`).join('\n'), cursor: 700 }, 10, 5);
    expect(rows).toHaveLength(5);
    expect(rows.filter(({ cursor }) => cursor !== undefined)).toHaveLength(1);
  });
});
