import { cellsOf } from './drawn-text.js';
import { editorRows } from './editor.js';
import { type Question, selectedOf, type TuiState } from './state.js';

const NARROW_COLUMNS = 40;
const LOW_ROWS = 10;
const LIST = { share: 0.28, least: 18, most: 36 } as const;
const MOST_INPUT_ROWS = 6;
const LEAST_ANSWER = 20;

/** Columns and rows of each part of the screen. */
export interface Panes {
  readonly list: number;
  readonly pane: number;
  /** Where there is little room, or a panel needs all of it, only one of them. */
  readonly shows: 'list' | 'pane' | 'both';
  /** Rows of list and messages. */
  readonly body: number;
  readonly input: number;
  /** Title above and rule below the body; there is no room for them on a low screen. */
  readonly framed: boolean;
}

export const PROMPT = '> ';

export function panesOf(state: TuiState): Panes {
  const columns = Math.max(1, state.columns);
  const rows = Math.max(1, state.rows);
  const framed = rows >= LOW_ROWS;
  const list = Math.min(LIST.most, Math.max(LIST.least, Math.floor(columns * LIST.share)));
  // The column between is the line.
  const beside = columns - list - 1;
  const shows = whatShows(state, columns, rows, beside);
  const input = inputRows(state, columns, Math.max(1, Math.min(MOST_INPUT_ROWS, Math.floor(rows / 3))));
  const body = Math.max(0, rows - input - (framed ? 3 : 1));
  return shows === 'both'
    ? { list, pane: beside, shows, body, input, framed }
    : { list: columns, pane: columns, shows, body, input, framed };
}

/** More than one row beside an answer. */
export function isLong({ text }: Question, columns: number): boolean {
  return text.includes('\n') || cellsOf(text) > columns - LEAST_ANSWER;
}

function whatShows({ panel, focus, questions: [question] }: TuiState, columns: number, rows: number, beside: number): Panes['shows'] {
  if (question !== undefined && isLong(question, columns)) return 'pane';
  if (columns < NARROW_COLUMNS || rows < LOW_ROWS) return focus === 'list' && panel === undefined ? 'list' : 'pane';
  return panel !== undefined && Math.max(0, ...panel.lines.map(cellsOf)) > beside && panel.code === undefined ? 'pane' : 'both';
}

function inputRows(state: TuiState, columns: number, most: number): number {
  const draft = state.questions[0]?.answer ?? selectedOf(state)?.draft;
  if (draft === undefined || state.questions[0]?.hidden === true) return 1;
  return Math.max(1, editorRows(draft, inputWidth(columns), most).length);
}

/** Of the text: one column stays free for the cursor behind it. */
export function inputWidth(columns: number): number {
  return Math.max(1, columns - PROMPT.length - 1);
}
