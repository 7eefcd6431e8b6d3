import type { DeliveryStatus } from '../join/chat-event.js';
import { entryRows } from './conversation-rows.js';
import { withText } from './editor.js';
import { panesOf } from './layout.js';
import {
  type ConversationKind,
  type Entry,
  type HomeId,
  type HomeView,
  keyOf,
  listed,
  MAX_EARLY,
  MAX_ENTRIES,
  type MessageView,
  newConversation,
  type NoteView,
  type Panel,
  type Place,
  type Question,
  type Reaction,
  selectedOf,
  type Tone,
  type TuiState,
  withConversation,
} from './state.js';

/** Whom one can write to at a home, and who asks. */
export interface RosterRow {
  readonly conversation: string;
  readonly title: string;
  readonly kind: Exclude<ConversationKind, 'home' | 'former' | 'left'>;
  readonly online: boolean;
  readonly keyChanged: boolean;
}

export type MessageChange =
  | { readonly what: 'edited' | 'understood'; readonly text: string }
  | { readonly what: 'deleted' }
  /** The user wants to see it. */
  | { readonly what: 'shown' }
  | { readonly what: 'expired' }
  | { readonly what: 'reacted' | 'unreacted'; readonly emoji: string; readonly by: string }
  | { readonly what: 'read'; readonly by: string };

/** What happens to the screen beside keys. Times are Unix milliseconds. */
export type TuiEvent =
  | { readonly type: 'resized'; readonly columns: number; readonly rows: number }
  | { readonly type: 'home'; readonly home: HomeView }
  | { readonly type: 'connection'; readonly home: HomeId; readonly state: HomeView['state']; readonly cause?: string | undefined }
  | { readonly type: 'home-gone'; readonly home: HomeId }
  | { readonly type: 'roster'; readonly home: HomeId; readonly rows: readonly RosterRow[] }
  /** `at`: by the clock of this device. */
  | ({ readonly type: 'message'; readonly title: string; readonly message: MessageView; readonly at: number } & Place)
  /** A message that is known is another now, or is gone. */
  | ({ readonly type: 'changed'; readonly id: string; readonly change: MessageChange } & Place)
  | { readonly type: 'delivery'; readonly home: HomeId; readonly id: string; readonly status: DeliveryStatus }
  /**
   * `lines`: as they are to be read, one or more. Without a conversation that is known it belongs to the home.
   * `title`: of the group that it is about, for where that is not before the user. `quiet`: something else tells it, too.
   */
  | ({ readonly type: 'note'; readonly title?: string; readonly quiet?: boolean } & Place & Omit<NoteView, 'kind'>)
  | ({ readonly type: 'history'; readonly messages: readonly MessageView[]; readonly whole: boolean } & Place)
  | ({ readonly type: 'history-asked' } & Place)
  | { readonly type: 'panel'; readonly panel: Panel | undefined }
  | ({ readonly type: 'open' } & Place)
  /** Opened when nobody is reading or writing elsewhere. */
  | ({ readonly type: 'suggested' } & Place)
  /** What could not be sent goes back into the input, unless something else is there. */
  | ({ readonly type: 'returned'; readonly text: string } & Place)
  /** All that is there was read, on another device. */
  | ({ readonly type: 'read' } & Place)
  /** So many, of what the device has kept. */
  | ({ readonly type: 'unread'; readonly count: number } & Place)
  | ({ readonly type: 'typing'; readonly who: readonly string[] } & Place)
  | { readonly type: 'question'; readonly question: Question }
  | { readonly type: 'notice'; readonly tone: Tone; readonly text: string };

export function update(state: TuiState, event: TuiEvent): TuiState {
  switch (event.type) {
    case 'resized':
      return { ...state, columns: event.columns, rows: event.rows };
    case 'home':
      return withHome(state, event.home);
    case 'connection':
      return withConnection(state, event);
    case 'home-gone':
      return withoutHome(state, event.home);
    case 'roster':
      return withRoster(state, event.home, event.rows);
    case 'message':
      return withMessage(state, event);
    case 'changed':
      return withChange(state, event, event.id, event.change);
    case 'delivery':
      return delivered(state, event);
    case 'note':
      return withNote(state, event);
    default:
      return updateView(state, event);
  }
}

type ViewEvent = Extract<
  TuiEvent,
  { type: 'history' | 'history-asked' | 'panel' | 'open' | 'suggested' | 'returned' | 'read' | 'unread' | 'typing' | 'question' | 'notice' }
>;

function updateView(state: TuiState, event: ViewEvent): TuiState {
  switch (event.type) {
    case 'history':
      return withHistory(state, event, event.messages, event.whole);
    case 'history-asked':
      return withConversation(state, event, { history: 'loading' });
    case 'panel':
      return { ...state, panel: event.panel };
    case 'open':
      return select(state, event);
    case 'suggested':
      return isIdle(state) ? select(state, event) : state;
    case 'returned':
      return withReturned(state, event, event.text);
    case 'read':
      return withConversation(state, event, { unread: 0 });
    case 'unread':
      return isSeen(state, event) ? state : withConversation(state, event, { unread: event.count });
    case 'typing':
      return withConversation(state, event, { typing: event.who });
    case 'question':
      return { ...state, questions: [...state.questions, event.question] };
    case 'notice':
      return { ...state, notice: { tone: event.tone, text: event.text } };
  }
}

/** Shows a conversation and counts what is in it as read. A place that is not there changes nothing. */
export function select(state: TuiState, place: Place): TuiState {
  const key = keyOf(place);
  if (!state.conversations.has(key)) return state;
  return withConversation({ ...state, selected: key, panel: undefined }, place, { unread: 0 });
}

/** Its last line is before the user. */
function isSeen(state: TuiState, place: Place): boolean {
  return keyOf(place) === state.selected && state.conversations.get(keyOf(place))?.scroll === 0 && state.panel === undefined;
}

function isIdle(state: TuiState): boolean {
  const selected = selectedOf(state);
  return selected === undefined || (selected.kind === 'home' && selected.draft.text === '' && state.panel === undefined);
}

function withReturned(state: TuiState, place: Place, text: string): TuiState {
  const conversation = state.conversations.get(keyOf(place));
  return conversation?.draft.text === '' ? withConversation(state, place, { draft: withText(text) }) : state;
}

/** The one after (1) or before (-1) it in the list; with `unread` the next that has something new. */
export function selectNext(state: TuiState, by: -1 | 1, unread = false): TuiState {
  const list = listed(state);
  const at = list.findIndex((each) => keyOf(each) === state.selected);
  for (let step = 1; step <= list.length; step++) {
    const candidate = list[(at + by * step + list.length * 2) % list.length];
    if (candidate !== undefined && (!unread || candidate.unread > 0 || candidate.kind === 'request')) return select(state, candidate);
  }
  return state;
}

// --- homes

function withHome(state: TuiState, home: HomeView): TuiState {
  const known = state.homes.some(({ id }) => id === home.id);
  const homes = known ? state.homes.map((each) => (each.id === home.id ? home : each)) : [...state.homes, home];
  const place = { home: home.id, conversation: '' };
  const own = state.conversations.get(keyOf(place)) ?? newConversation(place, 'home', home.label);
  const conversations = new Map(state.conversations).set(keyOf(place), { ...own, title: home.label, online: home.state === 'online' });
  return { ...state, homes, conversations, selected: state.selected ?? keyOf(place) };
}

function withConnection(state: TuiState, { home, state: now, cause }: Extract<TuiEvent, { type: 'connection' }>): TuiState {
  const before = state.homes.find(({ id }) => id === home);
  return before === undefined ? state : withHome(state, { id: home, label: before.label, state: now, cause });
}

function withoutHome(state: TuiState, home: HomeId): TuiState {
  const conversations = new Map([...state.conversations].filter(([, each]) => each.home !== home));
  const homes = state.homes.filter(({ id }) => id !== home);
  const stays = state.selected !== undefined && conversations.has(state.selected);
  return { ...state, homes, conversations, selected: stays ? state.selected : [...conversations.keys()][0] };
}

function withRoster(state: TuiState, home: HomeId, rows: readonly RosterRow[]): TuiState {
  const conversations = new Map(state.conversations);
  const listedNow = new Set(rows.map(({ conversation }) => keyOf({ home, conversation })));
  for (const [key, each] of conversations) {
    if (each.home !== home || each.kind === 'home' || listedNow.has(key)) continue;
    // What was said stays readable.
    const kind = each.kind === 'group' || each.kind === 'left' ? 'left' : 'former';
    if (each.entries.length > 0 || each.draft.text !== '') conversations.set(key, { ...each, kind, online: false });
    else conversations.delete(key);
  }
  for (const { conversation, title, ...row } of rows) {
    const place = { home, conversation };
    const before = conversations.get(keyOf(place)) ?? newConversation(place, row.kind, title);
    conversations.set(keyOf(place), { ...before, ...row, title });
  }
  const stays = state.selected !== undefined && conversations.has(state.selected);
  return { ...state, conversations, selected: stays ? state.selected : keyOf({ home, conversation: '' }) };
}

// --- messages

function withMessage(state: TuiState, { home, conversation, title, message, at }: Extract<TuiEvent, { type: 'message' }>): TuiState {
  const place = { home, conversation };
  const key = keyOf(place);
  const before = state.conversations.get(key) ?? newConversation(place, 'former', title);
  const entry = withEarly(state, home, message);
  const isRead = isSeen(state, place);
  const isKnown = before.entries.some((each) => each.kind === 'message' && each.id === message.id);
  const unread = message.own || message.hidden === true || isRead || isKnown ? before.unread : before.unread + 1;
  // Who has scrolled back goes on reading the same lines.
  const scroll = before.scroll === 0 || isKnown ? before.scroll : before.scroll + entryRows(entry, panesOf(state).pane).length;
  const entries = withEntry(before.entries, entry);
  const cut = before.scroll === 0 && entries.length > MAX_ENTRIES;
  const kept = cut ? { entries: entries.slice(-MAX_ENTRIES), history: 'partly' as const } : { entries };
  const after = { ...before, ...kept, unread, scroll, lastAt: at };
  return { ...state, conversations: new Map(state.conversations).set(key, after), early: without(state.early, home, message.id) };
}

/** A message that is there already is replaced: edited, deleted, answered by reactions. */
function withEntry(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  const at = entry.kind === 'message' ? entries.findLastIndex((each) => each.kind === 'message' && each.id === entry.id) : -1;
  if (at >= 0) return entries.with(at, { ...entries[at], ...entry });
  return [...entries, entry];
}

function withChange(state: TuiState, place: Place, id: string, change: MessageChange): TuiState {
  const entries = state.conversations.get(keyOf(place))?.entries ?? [];
  const at = entries.findLastIndex((each) => each.kind === 'message' && each.id === id);
  if (at < 0) return state;
  const changed = change.what === 'expired' ? entries.toSpliced(at, 1) : entries.with(at, changedBy(entries[at] as MessageView, change));
  return withConversation(state, place, { entries: changed });
}

function changedBy(message: MessageView, change: Exclude<MessageChange, { what: 'expired' }>): MessageView {
  switch (change.what) {
    case 'edited':
      return { ...message, text: change.text, edited: true };
    case 'understood':
      return { ...message, text: change.text, unknown: false };
    case 'shown':
      return { ...message, hidden: false };
    case 'deleted':
      return { ...message, text: '', deleted: true, reactions: [] };
    case 'read':
      return { ...message, readBy: [...new Set([...(message.readBy ?? []), change.by])] };
    default:
      return { ...message, reactions: reactionsAfter(message.reactions ?? [], change) };
  }
}

type ReactionChange = Extract<MessageChange, { emoji: string }>;

function reactionsAfter(before: readonly Reaction[], { what, emoji, by }: ReactionChange): Reaction[] {
  const others = before.map((each) => (each.emoji === emoji ? { emoji, by: each.by.filter((name) => name !== by) } : each));
  const known = others.some((each) => each.emoji === emoji);
  const all = what === 'unreacted' || known ? others : [...others, { emoji, by: [] }];
  const added = what === 'unreacted' ? all : all.map((each) => (each.emoji === emoji ? { emoji, by: [...each.by, by].sort() } : each));
  return added.filter((each) => each.by.length > 0);
}

type Delivery = Extract<TuiEvent, { type: 'delivery' }>;

function delivered(state: TuiState, { home, id, status }: Delivery): TuiState {
  for (const conversation of state.conversations.values()) {
    if (conversation.home !== home) continue;
    const at = conversation.entries.findLastIndex((each) => each.kind === 'message' && each.id === id);
    if (at < 0) continue;
    const entries = conversation.entries.with(at, { ...(conversation.entries[at] as MessageView), status });
    return withConversation(state, conversation, { entries });
  }
  const early = new Map(state.early).set(earlyKey(home, id), { status });
  if (early.size > MAX_EARLY) early.delete([...early.keys()][0] ?? '');
  return { ...state, early };
}

function earlyKey(home: HomeId, id: string): string {
  return `${home}\n${id}`;
}

function without(early: TuiState['early'], home: HomeId, id: string): TuiState['early'] {
  if (!early.has(earlyKey(home, id))) return early;
  const rest = new Map(early);
  rest.delete(earlyKey(home, id));
  return rest;
}

function withNote(state: TuiState, event: Extract<TuiEvent, { type: 'note' }>): TuiState {
  const { home, conversation, at, tone, lines, title, quiet } = event;
  const place = { home, conversation };
  const isKnown = state.conversations.has(keyOf(place));
  const where = isKnown ? place : { home, conversation: '' };
  const elsewhere = title === undefined ? lines : lines.map((line) => `${title}: ${line}`);
  const note = { kind: 'note', at, tone, lines: isKnown ? lines : elsewhere } as const;
  const entries = state.conversations.get(keyOf(where))?.entries ?? [];
  const noted = withConversation(state, where, { entries: withEntry(entries, note).slice(-MAX_ENTRIES) });
  const isShown = keyOf(where) === state.selected && state.panel === undefined;
  return isShown || quiet === true ? noted : { ...noted, notice: { tone, text: elsewhere[0] ?? '' } };
}

/** What the device kept, before what has come meanwhile. */
function withHistory(state: TuiState, place: Place, messages: readonly MessageView[], whole: boolean): TuiState {
  const before = state.conversations.get(keyOf(place));
  if (before === undefined) return state;
  const present = new Set(before.entries.flatMap((each) => (each.kind === 'message' ? [each.id] : [])));
  const older = messages.filter(({ id }) => !present.has(id)).map((message) => withEarly(state, place.home, message));
  const entries = [...older, ...before.entries];
  const last = messages.at(-1)?.sentAt ?? 0;
  return withConversation(state, place, { entries, history: whole ? 'whole' : 'partly', lastAt: Math.max(before.lastAt, last) });
}

function withEarly(state: TuiState, home: HomeId, message: MessageView): MessageView {
  const early = state.early.get(earlyKey(home, message.id));
  return early === undefined || !message.own ? message : { ...message, ...early };
}
