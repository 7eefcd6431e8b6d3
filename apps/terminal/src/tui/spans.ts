import { cutTo } from './cells.js';
import { cellsOf, drawn } from './drawn-text.js';

/** What a piece of a row means; the palette says how it looks. */
export type Style =
  | 'plain'
  | 'dim'
  | 'strong'
  | 'own'
  | 'good'
  | 'warning'
  | 'error'
  | 'news'
  | 'chosen'
  | 'cursor'
  | 'code'
  | `sender-${0 | 1 | 2 | 3 | 4 | 5}`;

export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** One row of the screen. */
export type Row = readonly Span[];

/** Whoever wrote the text: what comes to the screen comes through here. */
export function span(text: string, style: Style = 'plain'): Span {
  return { text: drawn(text), style };
}

export function cellsOfRow(row: Row): number {
  return row.reduce((cells, { text }) => cells + cellsOf(text), 0);
}

/** In exactly that many columns. */
export function filled(row: Row, width: number, style: Style = 'plain'): Row {
  const cut: Span[] = [];
  let left = width;
  for (const each of row) {
    const text = cutTo(each.text, left);
    if (text !== '') cut.push({ ...each, text });
    left -= cellsOf(text);
  }
  return left > 0 ? [...cut, span(' '.repeat(left), style)] : cut;
}

/** That many rows: the last ones, or filled with empty ones above. */
export function bottomed(rows: readonly Row[], height: number): Row[] {
  const missing = Math.max(0, height - rows.length);
  return [...Array.from({ length: missing }, (): Row => []), ...rows.slice(Math.max(0, rows.length - height))];
}

/** That many rows: the first ones from `from` on, or filled with empty ones below. */
export function topped(rows: readonly Row[], from: number, height: number): Row[] {
  const shown = rows.slice(from, from + height);
  return [...shown, ...Array.from({ length: Math.max(0, height - shown.length) }, (): Row => [])];
}
