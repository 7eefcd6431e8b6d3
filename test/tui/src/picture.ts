import type { IBufferCell, Terminal } from '@xterm/headless';

const CELL = { width: 8.4, height: 18 } as const;
const MARGIN = 14;
const BACKGROUND = '#16181d';
const FOREGROUND = '#d7dae0';
/** ANSI colours 0 to 15. */
const COLOURS = [
  '#16181d',
  '#e06c75',
  '#98c379',
  '#e5c07b',
  '#61afef',
  '#c678dd',
  '#56b6c2',
  '#d7dae0',
  '#5c6370',
  '#ff7a85',
  '#b5e890',
  '#ffd68a',
  '#7fc4ff',
  '#e29bff',
  '#7fe0ea',
  '#ffffff',
] as const;

interface Look {
  readonly fill: string;
  readonly back: string | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
}

interface Run extends Look {
  readonly x: number;
  readonly text: string;
  readonly cells: number;
}

/** What a terminal shows, as an SVG. `edited`: a row's text may be replaced by one of the same length, for what differs from run to run. */
export function pictureOf(terminal: Terminal, edited: (row: string) => string): string {
  const width = terminal.cols * CELL.width + 2 * MARGIN;
  const height = terminal.rows * CELL.height + 2 * MARGIN;
  const rows = Array.from({ length: terminal.rows }, (_, y) => rowOf(terminal, y, edited));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(1)} ${height}" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14">`,
    `<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>`,
    ...rows.flat(),
    '</svg>',
    '',
  ].join('\n');
}

function rowOf(terminal: Terminal, y: number, edited: (row: string) => string): string[] {
  const line = terminal.buffer.active.getLine(y);
  if (line === undefined) return [];
  const cells = Array.from({ length: terminal.cols }, (_, x) => line.getCell(x)).filter((cell) => cell !== undefined);
  const text = [...edited(cells.map((cell) => cell.getChars() || ' ').join(''))];
  const runs: Run[] = [];
  let x = 0;
  for (const cell of cells) {
    if (cell.getWidth() === 0) continue;
    const char = text.splice(0, [...(cell.getChars() || ' ')].length).join('');
    add(runs, { ...lookOf(cell), x, text: char, cells: cell.getWidth() });
    x += cell.getWidth();
  }
  return runs.flatMap((run) => drawn(run, y));
}

function add(runs: Run[], next: Run): void {
  const last = runs.at(-1);
  const isSame =
    last !== undefined && last.fill === next.fill && last.back === next.back && last.bold === next.bold && last.dim === next.dim;
  // What is wide stands alone: its place must not hang on the font. Blocks of a kind are one block.
  const isAlike = isBlock(next.text) || (last !== undefined && isBlock(last.text[0])) ? last?.text.endsWith(next.text) : true;
  const joins = isSame && isAlike && next.cells === 1 && last.cells === last.text.length;
  if (joins) runs[runs.length - 1] = { ...last, text: last.text + next.text, cells: last.cells + 1 };
  else runs.push(next);
}

function lookOf(cell: IBufferCell): Look {
  const fill = cell.isFgDefault() ? FOREGROUND : (COLOURS[cell.getFgColor()] ?? FOREGROUND);
  const back = cell.isBgDefault() ? undefined : COLOURS[cell.getBgColor()];
  const look = { bold: cell.isBold() !== 0, dim: cell.isDim() !== 0 };
  return cell.isInverse() === 0 ? { ...look, fill, back } : { ...look, fill: back ?? BACKGROUND, back: fill };
}

function isBlock(char: string | undefined): boolean {
  return char === '█' || char === '▀' || char === '▄';
}

function drawn({ x, text, cells, fill, back, bold, dim }: Run, y: number): string[] {
  const left = MARGIN + x * CELL.width;
  const top = MARGIN + y * CELL.height;
  const rect = (from: number, height: number, colour: string) =>
    `<rect x="${left.toFixed(1)}" y="${from}" width="${(cells * CELL.width + 0.1).toFixed(1)}" height="${height}" fill="${colour}" shape-rendering="crispEdges"/>`;
  const ground = back === undefined ? [] : [rect(top, CELL.height, back)];
  if (isBlock(text[0]))
    return [...ground, rect(text[0] === '▄' ? top + CELL.height / 2 : top, text[0] === '█' ? CELL.height : CELL.height / 2, fill)];
  if (text.trim() === '') return ground;
  const weight = `${bold ? ' font-weight="bold"' : ''}${dim ? ' opacity="0.6"' : ''}`;
  const length = `textLength="${(cells * CELL.width).toFixed(1)}" lengthAdjust="spacingAndGlyphs"`;
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return [
    ...ground,
    `<text x="${left.toFixed(1)}" y="${top + 13}" xml:space="preserve" ${length} fill="${fill}"${weight}>${escaped}</text>`,
  ];
}
