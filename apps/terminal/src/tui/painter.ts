import stringWidth from 'string-width';
import { graphemesOf } from './drawn-text.js';

const ALTERNATE_SCREEN = ['\u001b[?1049h', '\u001b[?1049l'] as const;
const BRACKETED_PASTE = ['\u001b[?2004h', '\u001b[?2004l'] as const;
const CURSOR = ['\u001b[?25h', '\u001b[?25l'] as const;
/** What lies between is shown at once by terminals that know it; the others skip the marks. */
const AT_ONCE = ['\u001b[?2026h', '\u001b[?2026l'] as const;
/** Off while a row is drawn: what is wider than it was thought to be is cut at the edge, and is not continued over the next row. */
const AUTOWRAP = ['\u001b[?7h', '\u001b[?7l'] as const;
const CLEAR = '\u001b[2J\u001b[H';
const CLEAR_LINE = '\u001b[2K';

/** Puts frames on the terminal, of each only the rows that differ from the frame before. */
export class Painter {
  #shown: readonly string[] = [];
  #open = false;

  constructor(private readonly output: NodeJS.WritableStream) {}

  open(): void {
    this.#open = true;
    this.output.write(ALTERNATE_SCREEN[0] + BRACKETED_PASTE[0] + CURSOR[1] + CLEAR);
  }

  paint(frame: string): void {
    if (!this.#open) return;
    const rows = frame.split('\n');
    const lines = Array.from({ length: Math.max(rows.length, this.#shown.length) }, (_, i) => rows[i] ?? '');
    const changed = lines.flatMap((line, i) =>
      line === this.#shown[i] ? [] : [`\u001b[${i + 1};1H${CLEAR_LINE}${placed(line)}\u001b[0m`],
    );
    this.#shown = rows;
    if (changed.length > 0) this.output.write(AT_ONCE[0] + AUTOWRAP[1] + changed.join('') + AUTOWRAP[0] + AT_ONCE[1]);
  }

  /** The next frame is painted whole: the terminal has another size, or something else wrote on it. */
  forget(): void {
    this.#shown = [];
    if (this.#open) this.output.write(CLEAR);
  }

  /** Leaves the terminal as it was found. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.output.write(AUTOWRAP[0] + CURSOR[0] + BRACKETED_PASTE[1] + ALTERNATE_SCREEN[1]);
  }
}

// eslint-disable-next-line no-control-regex -- Colours begin with a control character.
const COLOUR = /(\u001b\[[\d;]*m)/;
/** ASCII, the blocks of codes, and the line of which no end is missed; with colours. */
// eslint-disable-next-line no-control-regex -- As above.
const SURE = /^[\u001b -~\u2500\u2580-\u259f]*$/;

/** What follows a character whose width a terminal may see otherwise is put into its column, not behind it. Columns as ink counts them. */
function placed(line: string): string {
  if (SURE.test(line)) return line;
  let column = 1;
  let isSure = true;
  const place = (grapheme: string): string => {
    const there = isSure ? grapheme : `\u001b[${column}G${grapheme}`;
    column += Math.max(1, stringWidth(grapheme));
    isSure = SURE.test(grapheme);
    return there;
  };
  return line
    .split(COLOUR)
    .map((piece, i) => (i % 2 === 1 ? piece : graphemesOf(piece).map(place).join('')))
    .join('');
}
