import { completed } from './completing.js';
import { type EditName, type Editor, EDITS, EMPTY, insert, moveLine, withText } from './editor.js';
import { scrollLimit } from './conversation-rows.js';
import type { Key } from './keys.js';
import { panesOf } from './layout.js';
import { panelRows } from './panel-rows.js';
import { type ConversationView, MAX_RECALL, type Place, selectedOf, type TuiState, withConversation } from './state.js';
import { selectNext } from './update.js';

/** What a key asks of the world around the screen. */
export type Effect =
  /** A line as in line mode: a command, or text for the conversation. */
  | { readonly do: 'run'; readonly place: Place; readonly line: string }
  /** Undefined: the user gave up. */
  | { readonly do: 'answer'; readonly question: number; readonly text: string | undefined }
  | { readonly do: 'help' }
  | { readonly do: 'redraw' }
  /** There is no more to scroll back to; what the device keeps may go further. */
  | ({ readonly do: 'older' } & Place)
  | { readonly do: 'leave' };

export interface Pressed {
  readonly state: TuiState;
  readonly effects: readonly Effect[];
}

const only = (state: TuiState): Pressed => ({ state, effects: [] });

/** What a key does; nothing here waits for anything. */
export function press(before: TuiState, key: Key): Pressed {
  const state = before.notice === undefined ? before : { ...before, notice: undefined };
  const [question] = state.questions;
  if (key.name === 'redraw') return { state, effects: [{ do: 'redraw' }] };
  if (question !== undefined) return answering(state, key);
  if (key.name === 'next' || key.name === 'previous') return only(selectNext(state, key.name === 'next' ? 1 : -1));
  if (key.name === 'list') return only({ ...state, focus: state.focus === 'list' ? 'input' : 'list' });
  if (key.name === 'help' || (isTyped(key, '?') && draftOf(state).text === '')) return { state, effects: [{ do: 'help' }] };
  if (key.name === 'page-up' || key.name === 'page-down') return scrolled(state, key.name === 'page-up' ? 1 : -1);
  return state.focus === 'list' ? choosing(state, key) : writing(state, key);
}

function isTyped(key: Key, text: string): boolean {
  return key.name === 'text' && 'text' in key && key.text === text;
}

// --- the list

function choosing(state: TuiState, key: Key): Pressed {
  switch (key.name) {
    case 'up':
    case 'down':
      return only(selectNext(state, key.name === 'down' ? 1 : -1));
    case 'tab':
      return only(selectNext(state, 1, true));
    case 'interrupt':
    case 'end-of-input':
      return { state, effects: [{ do: 'leave' }] };
    case 'enter':
    case 'escape':
    case 'right':
      return only({ ...state, focus: 'input' });
    default:
      return writing({ ...state, focus: 'input' }, key);
  }
}

// --- the input

function draftOf(state: TuiState): Editor {
  return selectedOf(state)?.draft ?? EMPTY;
}

function withDraft(state: TuiState, draft: Editor): TuiState {
  const selected = selectedOf(state);
  return selected === undefined ? state : withConversation(state, selected, { draft });
}

function writing(state: TuiState, key: Key): Pressed {
  const draft = draftOf(state);
  switch (key.name) {
    case 'text':
    case 'paste':
      return only(inserted(state, draft, 'text' in key ? key.text : ''));
    case 'newline':
      return only(inserted(state, draft, '\n'));
    case 'enter':
      return entered(state, draft);
    case 'up':
    case 'down':
      return only(upOrDown(state, draft, key.name === 'up' ? -1 : 1));
    case 'tab':
      return only(draft.text === '' ? selectNext(state, 1, true) : withCompletion(state, draft));
    case 'search':
    case 'members':
      return draft.text === '' ? opening(state, key.name) : only(state);
    case 'escape':
      return only(closed(state));
    case 'interrupt':
      return draft.text === '' ? { state, effects: [{ do: 'leave' }] } : only(withDraft(state, EMPTY));
    case 'end-of-input':
      return draft.text === '' ? { state, effects: [{ do: 'leave' }] } : only(withDraft(state, EDITS.delete(draft)));
    default:
      return only(key.name in EDITS ? withDraft(state, EDITS[key.name as EditName](draft)) : state);
  }
}

function inserted(state: TuiState, draft: Editor, text: string): TuiState {
  const longer = insert(draft, text);
  if (longer !== undefined) return withDraft(state, longer);
  return { ...state, notice: { tone: 'error', text: 'this is too long for one message; nothing of it was put in' } };
}

function entered(state: TuiState, { text }: Editor): Pressed {
  const selected = selectedOf(state);
  if (selected === undefined) return only(state);
  const { home, conversation, kind } = selected;
  if (text.trim() === '') return kind === 'request' ? { state, effects: [run(selected, `/accept ${conversation}`)] } : only(state);
  const recall = [...state.recall.filter((line) => line !== text), text].slice(-MAX_RECALL);
  const sent = withConversation({ ...state, recall, recalled: recall.length }, selected, { draft: EMPTY, scroll: 0, unread: 0 });
  return { state: { ...sent, panel: undefined }, effects: [run({ home, conversation }, text)] };
}

function run({ home, conversation }: Place, line: string): Effect {
  return { do: 'run', place: { home, conversation }, line };
}

function upOrDown(state: TuiState, draft: Editor, by: -1 | 1): TuiState {
  const moved = moveLine(draft, by);
  if (moved !== undefined) return withDraft(state, moved);
  const at = Math.min(state.recalled, state.recall.length) + by;
  // What is being written is not in the list: it is not left for another line.
  const isRecalled = draft.text === '' || draft.text === state.recall[state.recalled];
  if (!isRecalled || at < 0 || at > state.recall.length) return state;
  return withDraft({ ...state, recalled: at }, withText(state.recall[at] ?? ''));
}

function withCompletion(state: TuiState, draft: Editor): TuiState {
  const done = completed(state, draft);
  if (done === undefined) return state;
  const after = withDraft(state, done.draft);
  return done.notice === undefined ? after : { ...after, notice: { tone: 'info', text: done.notice } };
}

function opening(state: TuiState, name: 'search' | 'members'): Pressed {
  const selected = selectedOf(state);
  if (name === 'search') return only(withDraft(state, withText('/search ')));
  return selected?.kind === 'group' ? { state, effects: [run(selected, `/group members ${selected.conversation}`)] } : only(state);
}

/** The panel first, then back to what was said last, then the list. */
function closed(state: TuiState): TuiState {
  if (state.panel !== undefined) return { ...state, panel: undefined };
  const selected = selectedOf(state);
  if (selected !== undefined && selected.scroll > 0) return withConversation(state, selected, { scroll: 0, unread: 0 });
  return { ...state, focus: 'list' };
}

/** By half a screen, up (1) or down (-1). */
function scrolled(state: TuiState, by: -1 | 1): Pressed {
  const { body, pane } = panesOf(state);
  const rows = by * Math.max(1, Math.floor(body / 2));
  const { panel } = state;
  if (panel !== undefined) {
    const most = Math.max(0, panelRows(panel, pane).length - body);
    return only({ ...state, panel: { ...panel, scroll: Math.min(most, Math.max(0, panel.scroll - rows)) } });
  }
  const selected = selectedOf(state);
  if (selected === undefined) return only(state);
  const wanted = Math.max(0, selected.scroll + rows);
  const scroll = Math.min(wanted, scrollLimit(selected, pane, body));
  const moved = withConversation(state, selected, scroll === 0 ? { scroll, unread: 0 } : { scroll });
  const isMore = wanted > scroll && selected.history === 'partly';
  return { state: moved, effects: isMore ? [{ do: 'older', home: selected.home, conversation: selected.conversation }] : [] };
}

// --- questions

function answering(state: TuiState, key: Key): Pressed {
  const [question, ...rest] = state.questions;
  if (question === undefined) return only(state);
  const settle = (text: string | undefined): Pressed => ({
    state: { ...state, questions: rest },
    effects: [{ do: 'answer', question: question.id, text }],
  });
  const withAnswer = (answer: Editor): Pressed => only({ ...state, questions: [{ ...question, answer }, ...rest] });
  switch (key.name) {
    case 'enter':
    case 'newline':
      return settle(question.answer.text);
    case 'escape':
    case 'interrupt':
    case 'end-of-input':
      return settle(undefined);
    case 'text':
    case 'paste':
      return withAnswer(insert(question.answer, firstLine('text' in key ? key.text : '')) ?? question.answer);
    default:
      return key.name in EDITS ? withAnswer(EDITS[key.name as EditName](question.answer)) : only(state);
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

/** Where keys go, for the hints at the bottom. */
export function hintOf(state: TuiState, selected: ConversationView | undefined): string {
  if (state.questions.length > 0) return 'Enter answers · Esc gives up';
  if (state.panel !== undefined) return 'Esc closes · PgUp/PgDn scroll';
  if (state.focus === 'list') return '↑↓ choose · Enter writes · Tab next with news · Ctrl-C leaves';
  if (selected?.kind === 'request') return 'Enter accepts · /decline turns down';
  return 'Enter sends · Alt-Enter new line · ? keys · Esc list';
}
