import type { Style } from './spans.js';

/** What ink's Text takes. */
export interface Look {
  readonly color?: string;
  readonly backgroundColor?: string;
  readonly bold?: boolean;
  readonly dimColor?: boolean;
  readonly inverse?: boolean;
}

export type Palette = Readonly<Record<Style, Look>>;

const WITHOUT_COLOURS: Palette = {
  plain: {},
  dim: { dimColor: true },
  strong: { bold: true },
  own: { bold: true },
  good: { dimColor: true },
  warning: { bold: true },
  error: { bold: true },
  news: { bold: true },
  chosen: { inverse: true },
  cursor: { inverse: true },
  code: {},
  'sender-0': { bold: true },
  'sender-1': { bold: true },
  'sender-2': { bold: true },
  'sender-3': { bold: true },
  'sender-4': { bold: true },
  'sender-5': { bold: true },
};

/** The sixteen colours that every terminal lets its user choose. */
const COLOURS: Palette = {
  ...WITHOUT_COLOURS,
  own: { color: 'cyan', bold: true },
  good: { color: 'green' },
  warning: { color: 'yellow' },
  error: { color: 'red', bold: true },
  news: { color: 'yellow', bold: true },
  // A reader needs dark on light, whatever the terminal's colours are.
  code: { color: 'whiteBright', backgroundColor: 'black' },
  'sender-0': { color: 'green', bold: true },
  'sender-1': { color: 'magenta', bold: true },
  'sender-2': { color: 'blue', bold: true },
  'sender-3': { color: 'yellow', bold: true },
  'sender-4': { color: 'red', bold: true },
  'sender-5': { color: 'greenBright', bold: true },
};

/** https://no-color.org: set and not empty. */
export function paletteFor(env: NodeJS.ProcessEnv): Palette {
  return (env['NO_COLOR'] ?? '') === '' ? COLOURS : WITHOUT_COLOURS;
}
