import { oneLine } from '../join/shown-text.js';
import { cutTo, fitted, wrapped } from './cells.js';
import { conversationRows } from './conversation-rows.js';
import { cellsOf, drawn, graphemesOf } from './drawn-text.js';
import { editorRows, type EditorRow } from './editor.js';
import { hintOf } from './keyboard.js';
import { inputWidth, isLong, type Panes, PROMPT } from './layout.js';
import { panelRows } from './panel-rows.js';
import { bottomed, filled, type Row, span, type Span, type Style, topped } from './spans.js';
import { type ConversationView, type HomeView, keyOf, listed, selectedOf, type Tone, type TuiState } from './state.js';

const NOTICE: Readonly<Record<Tone, Style>> = { info: 'dim', warning: 'warning', error: 'error' };
const HOME_STATE: Readonly<Record<HomeView['state'], string>> = {
  opening: 'opening…',
  connecting: 'connecting…',
  online: 'connected',
  offline: 'no connection',
  refused: 'refused',
  closed: 'closed',
  failed: 'not open',
};

/** What is above everything: who or what is shown. */
export function titleRow(state: TuiState, width: number): Row {
  const selected = selectedOf(state);
  if (selected === undefined) return filled([span('sotto', 'strong')], width);
  const name = span(` ${oneLine(selected.title)}`, 'strong');
  if (state.panel !== undefined) return filled([name, span(` · ${oneLine(state.panel.title)}`, 'strong')], width);
  return filled([name, ...standing(state, selected)], width);
}

function standing(state: TuiState, { kind, home, online, keyChanged, scroll }: ConversationView): Span[] {
  const own = state.homes.find(({ id }) => id === home);
  const at = state.homes.length > 1 && kind !== 'home' ? ` · ${oneLine(own?.label ?? '')}` : '';
  const link = kind === 'home' || own === undefined || own.state === 'online' ? [] : [span(` · ${HOME_STATE[own.state]}`, 'warning')];
  const back = scroll > 0 ? [span(' · scrolled back (Esc returns)', 'warning')] : [];
  const key = keyChanged ? [span(' · KEY CHANGED: /confirm', 'error')] : [];
  return [span(` ${whatItIs(kind, online, own)}${at}`, 'dim'), ...link, ...key, ...back];
}

function whatItIs(kind: ConversationView['kind'], online: boolean, home: HomeView | undefined): string {
  switch (kind) {
    case 'home':
      return home === undefined ? '' : howItStands(home);
    case 'contact':
      return online ? '● online' : '○ offline';
    case 'group':
      return 'group';
    case 'request':
      return 'asks to be a contact';
    case 'asked':
      return 'was asked, no answer yet';
    case 'former':
      return 'no contact any more';
    case 'left':
      return 'a group that you are not in any more';
  }
}

function howItStands({ state, cause }: HomeView): string {
  return `${HOME_STATE[state]}${cause === undefined ? '' : `: ${oneLine(cause)}`}`;
}

/** The list, so scrolled that what is chosen is in it. */
export function listRows(state: TuiState, width: number, height: number): Row[] {
  const list = listed(state);
  const at = list.findIndex((each) => keyOf(each) === state.selected);
  const from = Math.max(0, Math.min(at - Math.floor(height / 2), list.length - height));
  return topped(
    list.slice(from, from + height).map((each) => listRow(state, each, width)),
    0,
    height,
  );
}

function listRow(state: TuiState, each: ConversationView, width: number): Row {
  const chosen = keyOf(each) === state.selected;
  const count = each.unread > 0 ? ` ${each.unread > 99 ? '99+' : each.unread} ` : ' ';
  const left = `${each.kind === 'home' ? '' : ' '}${dotOf(state, each)} ${oneLine(each.title)}`;
  const text = fitted(left, Math.max(0, width - count.length));
  if (chosen) return [span(fitted(text + count, width), 'chosen')];
  return filled([span(text, styleOf(each)), span(count, 'news')], width);
}

function dotOf(state: TuiState, { kind, online, home }: ConversationView): string {
  if (kind === 'home') return isBroken(state, home) ? '!' : online ? '▣' : '□';
  if (kind === 'group') return '#';
  if (kind === 'former' || kind === 'left') return '-';
  if (kind === 'request') return '?';
  return online ? '●' : '○';
}

function isBroken(state: TuiState, home: string): boolean {
  const found = state.homes.find(({ id }) => id === home)?.state;
  return found === 'failed' || found === 'refused';
}

function styleOf({ kind, unread, keyChanged }: ConversationView): Style {
  if (keyChanged) return 'error';
  if (kind === 'request' || unread > 0) return 'news';
  if (kind === 'home') return 'strong';
  return kind === 'asked' || kind === 'former' || kind === 'left' ? 'dim' : 'plain';
}

/** The messages, or the panel over them. */
export function paneRows(state: TuiState, width: number, height: number): Row[] {
  const { panel } = state;
  const [question] = state.questions;
  if (question !== undefined && isLong(question, state.columns))
    return topped(panelRows({ lines: question.text.split('\n') }, width), 0, height);
  if (panel !== undefined) return topped(panelRows(panel, width), panel.scroll, height);
  const selected = selectedOf(state);
  if (selected === undefined) return bottomed([], height);
  if (selected.entries.length === 0) return bottomed(emptyRows(selected, width), height);
  return conversationRows(selected, width, height);
}

function emptyRows({ kind, title, history }: ConversationView, width: number): Row[] {
  if (history === 'loading') return [];
  const name = oneLine(title);
  const texts: Partial<Record<ConversationView['kind'], string>> = {
    home: '/add NAME asks somebody to be a contact; ? shows the keys.',
    contact: `Nothing was said yet. What you write goes to ${name}.`,
    group: `Nothing was said yet. What you write goes to all of ${name}.`,
    request: `${name} asks to be a contact of yours: Enter accepts, /decline ${name} turns it down.`,
  };
  return wrapped(texts[kind] ?? '', width).map((row) => filled([span(row, 'dim')], width));
}

/** Between the body and the input: who is typing. */
export function ruleRow(state: TuiState, width: number): Row {
  const typing = selectedOf(state)?.typing ?? [];
  const who = typing.length === 0 ? '' : ` ${typing.map(oneLine).join(', ')} ${typing.length === 1 ? 'is' : 'are'} typing… `;
  const text = cutTo(`──${who}`, width);
  return [span(text + '─'.repeat(Math.max(0, width - cellsOf(text))), 'dim')];
}

/** What is being written, or the question that waits for an answer. */
export function inputRows(state: TuiState, columns: number, { input }: Panes): Row[] {
  const [question] = state.questions;
  if (question !== undefined) return [questionRow(question.text, question.hidden ? '' : question.answer.text, columns)];
  const selected = selectedOf(state);
  if (selected === undefined) return [filled([span(PROMPT, 'dim')], columns)];
  const rows = editorRows(selected.draft, inputWidth(columns), input);
  return rows.map((row, i) =>
    filled([span(i === 0 ? PROMPT : '  ', 'dim'), ...(state.focus === 'list' ? [span(row.text)] : withCursor(row))], columns),
  );
}

/** The end of a long question is what matters: the whole of it is above. */
function questionRow(text: string, answer: string, columns: number): Row {
  const shown = oneLine(answer).slice(-Math.max(1, Math.floor(columns / 2)));
  const last = [...graphemesOf(oneLine(text.trimEnd().split('\n').at(-1) ?? ''))].slice(-Math.max(1, columns - shown.length - 2)).join('');
  return filled([span(last, 'warning'), span(` ${shown}`), span(' ', 'cursor')], columns);
}

function withCursor({ text, cursor }: EditorRow): Span[] {
  if (cursor === undefined) return [span(text)];
  const under = graphemesOf(text.slice(cursor))[0] ?? '';
  return [span(text.slice(0, cursor)), span(drawn(under) === '' ? ' ' : under, 'cursor'), span(text.slice(cursor + under.length))];
}

/** What was said last, else whether the account is connected, for as long as it is not, and what the keys do. */
export function statusRow(state: TuiState, width: number): Row {
  const { notice } = state;
  if (notice !== undefined) return filled([span(` ${oneLine(notice.text)}`, NOTICE[notice.tone])], width);
  const home = state.homes.find(({ id }) => id === selectedOf(state)?.home);
  const link = home === undefined || home.state === 'online' ? [] : [span(` ${howItStands(home)} ·`, 'warning')];
  const unread = [...state.conversations.values()].filter((each) => each.unread > 0 && keyOf(each) !== state.selected).length;
  const news = unread === 0 ? [] : [span(` ${unread} with news (Tab)`, 'news')];
  return filled([...link, ...news, span(` ${hintOf(state, selectedOf(state))}`, 'dim')], width);
}
