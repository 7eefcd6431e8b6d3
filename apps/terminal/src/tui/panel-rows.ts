import { visible } from '../join/shown-text.js';
import { wrapped } from './cells.js';
import { cellsOf } from './drawn-text.js';
import { type Row, span } from './spans.js';
import type { Panel } from './state.js';

const GAP = 3;
const FURTHER = '    ';
/** Columns that text beside a code needs: four groups of five digits, and their indentation. */
const LEAST_TEXT = 25;

/** The lines of a panel, and a QR code beside them where there is room, below them where not. */
export function panelRows({ lines, code = [] }: Pick<Panel, 'lines' | 'code'>, width: number): Row[] {
  const codeWidth = Math.max(0, ...code.map(cellsOf));
  const textWidth = Math.max(0, ...lines.map(cellsOf));
  // Cut in the middle, a code is worth nothing.
  const fits = codeWidth > 0 && codeWidth <= width;
  const beside = fits && Math.min(textWidth, LEAST_TEXT) + GAP + codeWidth <= width;
  const rows = lines.flatMap((line) => hanging(visible(line), beside ? width - codeWidth - GAP : width));
  if (!fits) return rows;
  return beside ? sideBySide(rows, code, width - codeWidth) : [...rows, [], ...code.map((text): Row => [span(text, 'code')])];
}

/** What a line has more stands further in. */
function hanging(line: string, width: number): Row[] {
  const [first = '', ...rest] = wrapped(line, width);
  const left = line.slice(first.length).trimStart();
  const further = rest.length === 0 ? [] : wrapped(left, Math.max(1, width - FURTHER.length)).map((text): Row => [span(FURTHER + text)]);
  return [[span(first)], ...further];
}

function sideBySide(rows: readonly Row[], code: readonly string[], at: number): Row[] {
  return Array.from({ length: Math.max(rows.length, code.length) }, (_, i) => {
    const text = rows[i]?.[0]?.text ?? '';
    return [span(text + ' '.repeat(Math.max(0, at - cellsOf(text)))), span(code[i] ?? '', 'code')];
  });
}
