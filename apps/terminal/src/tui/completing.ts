import { homeWords } from '../homes/home-id.js';
import { COMMAND_WORDS, WORDS_WITH_NAME } from '../join/chat-command.js';
import { type Editor, withText } from './editor.js';
import { selectedOf, type TuiState } from './state.js';

/** What Tab makes of a line. */
export interface Completed {
  readonly draft: Editor;
  /** All that it may become, when that is more than one. */
  readonly notice?: string | undefined;
}

/** What stands at the end of a line, and the words that it may become. */
interface Begun {
  readonly before: string;
  readonly begun: string;
  readonly words: readonly string[];
}

/** The word that begins so, or what all that begin so have in common. Undefined where nothing is completed. */
export function completed(state: TuiState, draft: Editor): Completed | undefined {
  const found = begunIn(state, draft.text);
  if (found === undefined) return undefined;
  const { before, begun, words } = found;
  const fitting = words.filter((word) => word.startsWith(begun));
  const [first] = fitting;
  if (first === undefined) return { draft, notice: `there is no ${before.trimStart()}${begun}…` };
  if (fitting.length === 1) return { draft: withText(`${before}${first} `) };
  const common = [...first].findIndex((char, i) => !fitting.every((word) => word[i] === char));
  const shared = common < 0 ? first : first.slice(0, common);
  return { draft: withText(`${before}${shared}`), notice: fitting.map((word) => (before === '/' ? `/${word}` : word)).join(' ') };
}

function begunIn(state: TuiState, line: string): Begun | undefined {
  const [, command] = /^\/(\S*)$/u.exec(line) ?? [];
  if (command !== undefined) return { before: '/', begun: command, words: [...COMMAND_WORDS, 'servers', 'listen'] };
  const [, word = '', blank = '', name = ''] = /^\/(\S+)(\s+)(\S*)$/u.exec(line) ?? [];
  if (!WORDS_WITH_NAME.includes(word)) return undefined;
  const at = name.indexOf('@');
  if (at < 0) return { before: `/${word}${blank}`, begun: name, words: namesAtHand(state) };
  const homes = homeWords(state.homes.map(({ id }) => id));
  return { before: `/${word}${blank}${name.slice(0, at + 1)}`, begun: name.slice(at + 1), words: homes };
}

/** Of the home that is before the user; names with spaces need quotes. */
function namesAtHand(state: TuiState): string[] {
  const { home } = selectedOf(state) ?? {};
  const here = [...state.conversations.values()].filter((each) => each.home === home && each.kind !== 'home');
  return here.map(({ title }) => (/\s/u.test(title) ? `"${title}"` : title));
}
