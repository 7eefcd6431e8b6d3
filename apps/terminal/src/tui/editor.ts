import { brokenAt } from './cells.js';
import { graphemesOf } from './drawn-text.js';

/** Twice what a message may hold, so that what is too long can be made shorter. UTF-16 units. */
export const MAX_INPUT = 128 * 1024;
/** What one looks back for a character's beginning: longer than any that people write. UTF-16 units. */
const NEAR = 64;

/** What is being written. `cursor`: before which UTF-16 unit. */
export interface Editor {
  readonly text: string;
  readonly cursor: number;
}

export const EMPTY: Editor = { text: '', cursor: 0 };

export function withText(text: string): Editor {
  return { text, cursor: text.length };
}

/** Undefined when it would be too long. */
export function insert({ text, cursor }: Editor, added: string): Editor | undefined {
  if (text.length + added.length > MAX_INPUT) return undefined;
  return { text: text.slice(0, cursor) + added + text.slice(cursor), cursor: cursor + added.length };
}

/** The edits that a key may stand for. */
export const EDITS = {
  backspace: (editor: Editor) => without(editor, before(editor), editor.cursor),
  delete: (editor: Editor) => without(editor, editor.cursor, after(editor)),
  'kill-word': (editor: Editor) => without(editor, wordBefore(editor), editor.cursor),
  'kill-to-start': (editor: Editor) => without(editor, lineStart(editor.text, editor.cursor), editor.cursor),
  'kill-to-end': (editor: Editor) => without(editor, editor.cursor, lineEnd(editor.text, editor.cursor)),
  left: (editor: Editor) => ({ ...editor, cursor: before(editor) }),
  right: (editor: Editor) => ({ ...editor, cursor: after(editor) }),
  'word-left': (editor: Editor) => ({ ...editor, cursor: wordBefore(editor) }),
  'word-right': (editor: Editor) => ({ ...editor, cursor: wordAfter(editor) }),
  home: (editor: Editor) => ({ ...editor, cursor: lineStart(editor.text, editor.cursor) }),
  end: (editor: Editor) => ({ ...editor, cursor: lineEnd(editor.text, editor.cursor) }),
} as const satisfies Record<string, (editor: Editor) => Editor>;

export type EditName = keyof typeof EDITS;

/** One line up (-1) or down (1), as near to the same column as there is text. Undefined: there is no such line. */
export function moveLine({ text, cursor }: Editor, by: -1 | 1): Editor | undefined {
  const start = lineStart(text, cursor);
  const edge = by < 0 ? start - 1 : lineEnd(text, cursor) + 1;
  if (edge < 0 || edge > text.length) return undefined;
  const target = lineStart(text, edge);
  return { text, cursor: characterStart(text, Math.min(target + cursor - start, lineEnd(text, edge))) };
}

export interface EditorRow {
  readonly text: string;
  /** In which UTF-16 unit of the row the cursor is, if it is in this one. */
  readonly cursor?: number;
}

/** At most `height` rows, so chosen that the cursor is in one of them. Only lines near the cursor are looked at: a pasted book costs a page. */
export function editorRows(editor: Editor, width: number, height: number): EditorRow[] {
  const before = nearLines(editor, -1, height);
  const after = nearLines(editor, 1, height);
  const own = cursorLine(editor, width);
  const rows = [...before.flatMap((line) => plainRows(line, width)), ...own, ...after.flatMap((line) => plainRows(line, width))];
  const at = rows.findIndex(({ cursor }) => cursor !== undefined);
  const first = Math.max(0, Math.min(at - Math.floor(height / 2), rows.length - height));
  return rows.slice(first, first + height);
}

function plainRows(line: string, width: number): EditorRow[] {
  return brokenAt(line, width).map((text) => ({ text }));
}

/** At most `count` lines above (-1) or below (1) that of the cursor. */
function nearLines({ text, cursor }: Editor, by: -1 | 1, count: number): string[] {
  const lines: string[] = [];
  let edge = by < 0 ? lineStart(text, cursor) - 1 : lineEnd(text, cursor) + 1;
  while (lines.length < count && edge >= 0 && edge <= text.length) {
    const [start, end] = [lineStart(text, edge), lineEnd(text, edge)];
    if (by < 0) lines.unshift(text.slice(start, end));
    else lines.push(text.slice(start, end));
    edge = by < 0 ? start - 1 : end + 1;
  }
  return lines;
}

/** The rows of the cursor's line. Behind a full row the cursor stands at the beginning of the next one. */
function cursorLine({ text, cursor }: Editor, width: number): EditorRow[] {
  const start = lineStart(text, cursor);
  const rows = brokenAt(text.slice(start, lineEnd(text, cursor)), width);
  let from = start;
  const shown: EditorRow[] = [];
  for (const [i, row] of rows.entries()) {
    const to = from + row.length;
    const here = cursor >= from && (cursor < to || (i === rows.length - 1 && cursor === to));
    shown.push(here ? { text: row, cursor: cursor - from } : { text: row });
    from = to;
  }
  return shown;
}

function without({ text }: Editor, from: number, to: number): Editor {
  return { text: text.slice(0, from) + text.slice(to), cursor: from };
}

function lineStart(text: string, at: number): number {
  return at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function before({ text, cursor }: Editor): number {
  return cursor - (graphemesOf(text.slice(Math.max(0, cursor - NEAR), cursor)).at(-1)?.length ?? 0);
}

function after({ text, cursor }: Editor): number {
  return cursor + (graphemesOf(text.slice(cursor, cursor + NEAR))[0]?.length ?? 0);
}

function wordBefore({ text, cursor }: Editor): number {
  const isSpace = (at: number) => /\s/u.test(text[at] ?? '');
  let at = cursor;
  while (at > 0 && isSpace(at - 1)) at -= 1;
  while (at > 0 && !isSpace(at - 1)) at -= 1;
  return at;
}

function wordAfter({ text, cursor }: Editor): number {
  return cursor + (/^\s*\S*/u.exec(text.slice(cursor))?.[0].length ?? 0);
}

/** Not in the middle of a surrogate pair. */
function characterStart(text: string, at: number): number {
  const low = text.charCodeAt(at);
  return low >= 0xdc00 && low <= 0xdfff ? at - 1 : at;
}
