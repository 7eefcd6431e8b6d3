import { cellsOf, graphemesOf } from './drawn-text.js';

const ASCII = /^[ -~]*$/;

/** The text in exactly that many columns: cut with an ellipsis, or filled with spaces. */
export function fitted(text: string, width: number): string {
  const cut = cutTo(text, width);
  return cut + ' '.repeat(Math.max(0, width - cellsOf(cut)));
}

/** At most that many columns. */
export function cutTo(text: string, width: number): string {
  if (width <= 0) return '';
  if (cellsOf(text) <= width) return text;
  let cut = '';
  let cells = 0;
  for (const grapheme of graphemesOf(text)) {
    cells += cellsOf(grapheme);
    if (cells > width - 1) break;
    cut += grapheme;
  }
  return `${cut}…`;
}

/** Rows of at most that many columns, broken at spaces where there are any. Newlines begin a row. */
export function wrapped(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrappedLine(line, Math.max(1, width)));
}

function wrappedLine(line: string, width: number): string[] {
  if (cellsOf(line) <= width) return [line];
  const rows: string[] = [];
  let row = '';
  let cells = 0;
  for (const piece of line.split(/(?<= )/u)) {
    const more = cellsOf(piece.trimEnd());
    if (cells + more > width && row !== '') {
      rows.push(row.trimEnd());
      [row, cells] = ['', 0];
    }
    const pieces = more > width ? brokenAt(piece, width) : [piece];
    rows.push(...pieces.slice(0, -1));
    row += pieces.at(-1) ?? '';
    cells += cellsOf(pieces.at(-1) ?? '');
  }
  return [...rows, row.trimEnd()];
}

/** Rows that are filled to the last column that a character fits in; nothing is left out. */
export function brokenAt(line: string, width: number): string[] {
  if (ASCII.test(line)) return line.match(new RegExp(`.{1,${width}}`, 'g')) ?? [''];
  const rows: string[] = [];
  let row = '';
  let cells = 0;
  for (const grapheme of graphemesOf(line)) {
    const more = cellsOf(grapheme);
    if (cells + more > width && row !== '') {
      rows.push(row);
      [row, cells] = ['', 0];
    }
    row += grapheme;
    cells += more;
  }
  return [...rows, row];
}
