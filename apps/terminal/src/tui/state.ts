import type { DeliveryStatus } from '../join/chat-event.js';
import { type Editor, EMPTY } from './editor.js';

/** What is kept in memory of a conversation; older messages come from the history again. */
export const MAX_ENTRIES = 1_000;
/** Lines that were sent, for the arrow up. */
export const MAX_RECALL = 100;
/** Delivery states that came before their message did. */
export const MAX_EARLY = 1_000;

export type HomeId = string;
/** The place of a conversation: `conversation` is a contact's name, a group's id, or empty for the home itself and what happens there. */
export interface Place {
  readonly home: HomeId;
  readonly conversation: string;
}
export type PlaceKey = string;

export function keyOf({ home, conversation }: Place): PlaceKey {
  return `${home}\n${conversation}`;
}

export interface Reaction {
  readonly emoji: string;
  readonly by: readonly string[];
}

/** Of a message that is answered; undefined: it is not here. */
export type Quote = { readonly from: string; readonly text: string; readonly fromBlocked?: true | undefined } | 'not here';

/** Unix milliseconds; text as it came, to be made harmless where it is drawn. */
export interface MessageView {
  readonly kind: 'message';
  readonly id: string;
  readonly from: string;
  readonly own: boolean;
  readonly text: string;
  readonly sentAt: number;
  readonly status?: DeliveryStatus | undefined;
  /** By which commands call it. */
  readonly number: number;
  readonly replyTo?: Quote | undefined;
  readonly reactions?: readonly Reaction[] | undefined;
  readonly edited?: boolean | undefined;
  readonly deleted?: boolean | undefined;
  /** Of a kind that this version does not know. */
  readonly unknown?: boolean | undefined;
  /** By somebody whom the user has blocked, and not asked for. */
  readonly hidden?: boolean | undefined;
  readonly expiresAt?: number | undefined;
  /** Of an own message: who has said so. */
  readonly readBy?: readonly string[] | undefined;
}

export type Tone = 'info' | 'warning' | 'error';

/** Something that happened beside messages. */
export interface NoteView {
  readonly kind: 'note';
  readonly at: number;
  readonly tone: Tone;
  readonly lines: readonly string[];
}

export type Entry = MessageView | NoteView;

/** `former`: was a contact; `left`: a group of which this account is no member any more. */
export type ConversationKind = 'home' | 'contact' | 'group' | 'request' | 'asked' | 'former' | 'left';

export interface ConversationView extends Place {
  readonly kind: ConversationKind;
  readonly title: string;
  /** Of a contact; of a home: whether it is connected. */
  readonly online: boolean;
  /** A contact's key is another than the one that was confirmed. */
  readonly keyChanged: boolean;
  readonly unread: number;
  readonly entries: readonly Entry[];
  /** Unix milliseconds of what came last; 0 while nothing did. */
  readonly lastAt: number;
  readonly history: 'unread' | 'loading' | 'partly' | 'whole';
  readonly draft: Editor;
  /** Rows above the last one at which the pane ends. */
  readonly scroll: number;
  readonly typing: readonly string[];
}

export interface HomeView {
  readonly id: HomeId;
  /** As the user calls the account: name and server. */
  readonly label: string;
  readonly state: 'opening' | 'connecting' | 'online' | 'offline' | 'refused' | 'closed' | 'failed';
  readonly cause?: string | undefined;
}

/** What covers the messages until it is closed. */
export interface Panel {
  readonly title: string;
  readonly lines: readonly string[];
  /** Rows of a QR code beside or below the lines. */
  readonly code?: readonly string[] | undefined;
  readonly scroll: number;
}

/** In the middle of everything else; keys go to the answer. */
export interface Question {
  readonly id: number;
  readonly text: string;
  readonly hidden: boolean;
  readonly answer: Editor;
}

export interface TuiState {
  readonly columns: number;
  readonly rows: number;
  readonly homes: readonly HomeView[];
  readonly conversations: ReadonlyMap<PlaceKey, ConversationView>;
  readonly selected: PlaceKey | undefined;
  /** Where the arrows go, and, where there is room for one pane only, which is shown. */
  readonly focus: 'input' | 'list';
  readonly panel: Panel | undefined;
  readonly questions: readonly Question[];
  /** The last thing that was said, until the next key. */
  readonly notice: { readonly tone: Tone; readonly text: string } | undefined;
  readonly recall: readonly string[];
  /** Which of `recall` is in the input; its length: none. */
  readonly recalled: number;
  readonly early: ReadonlyMap<string, { readonly status: DeliveryStatus }>;
}

export function emptyState(columns: number, rows: number): TuiState {
  return {
    columns,
    rows,
    homes: [],
    conversations: new Map(),
    selected: undefined,
    focus: 'input',
    panel: undefined,
    questions: [],
    notice: undefined,
    recall: [],
    recalled: 0,
    early: new Map(),
  };
}

export function newConversation(place: Place, kind: ConversationKind, title: string): ConversationView {
  return {
    ...place,
    kind,
    title,
    online: false,
    keyChanged: false,
    unread: 0,
    entries: [],
    lastAt: 0,
    history: kind === 'home' ? 'whole' : 'unread',
    draft: EMPTY,
    scroll: 0,
    typing: [],
  };
}

export function selectedOf({ conversations, selected }: TuiState): ConversationView | undefined {
  return selected === undefined ? undefined : conversations.get(selected);
}

export function withConversation(state: TuiState, place: Place, change: Partial<ConversationView>): TuiState {
  const key = keyOf(place);
  const before = state.conversations.get(key);
  if (before === undefined) return state;
  return { ...state, conversations: new Map(state.conversations).set(key, { ...before, ...change }) };
}

/** The list as it is shown: each home, what is asked there, then its conversations, what was said last first. */
export function listed({ homes, conversations }: TuiState): ConversationView[] {
  const byHome = new Map<HomeId, ConversationView[]>(homes.map(({ id }) => [id, []]));
  for (const each of conversations.values()) byHome.get(each.home)?.push(each);
  return [...byHome.values()].flatMap((of) => of.sort(inList));
}

const RANK: Readonly<Record<ConversationKind, number>> = { home: 0, request: 1, contact: 2, group: 2, asked: 3, former: 4, left: 4 };

function inList(a: ConversationView, b: ConversationView): number {
  return RANK[a.kind] - RANK[b.kind] || b.lastAt - a.lastAt || (a.title < b.title ? -1 : 1);
}
