import type { ChatEvent } from '../join/chat-event.js';
import type { MessageNumbers } from '../join/message-numbers.js';
import { renderEvent } from '../join/rendering.js';
import { oneLine } from '../join/shown-text.js';
import { safetyCode } from './safety-code.js';
import type { HomeId, MessageView, Panel, Tone } from './state.js';
import type { MessageChange, TuiEvent } from './update.js';

/** What a translation needs to know of the home. */
export interface Translation {
  readonly home: HomeId;
  /** The account's name there, to tell the own messages apart. */
  readonly ownName: string | undefined;
  readonly numbers: MessageNumbers;
  readonly now: number;
}

/** What line mode would print, as changes of the screen. */
export function translate(event: ChatEvent, context: Translation): TuiEvent[] {
  const { home } = context;
  switch (event.event) {
    case 'message':
      return [messageOf(event, context)];
    case 'sent':
      return [sentOf(event, context)];
    case 'message-changed':
      return [{ type: 'changed', home, conversation: event.conversation, id: event.id, change: changeOf(event) }];
    case 'shown':
      return [{ type: 'changed', home, conversation: event.conversation, id: event.id, change: { what: 'shown' } }];
    case 'read':
      return readOf(event, context);
    case 'delivery':
      return [{ type: 'delivery', home, id: event.id, status: event.status }];
    case 'conversation':
      return [{ type: 'suggested', home, conversation: event.name }];
    case 'connection':
      return connectionEvents(event, context);
    // The list shows who is there, and the session knows how long somebody types.
    case 'presence':
    case 'kept':
    case 'typing':
      return [];
    default:
      return translateRest(event, context);
  }
}

type Said = Extract<ChatEvent, { event: 'message' | 'sent' }>;

function messageOf(event: Extract<Said, { event: 'message' }>, context: Translation): TuiEvent {
  const { from, to, group, groupName } = event;
  const conversation = group ?? to ?? from;
  const own = to !== undefined || (group !== undefined && from === context.ownName);
  const message = viewOf(event, own, context);
  return { type: 'message', home: context.home, conversation, title: groupName ?? conversation, message, at: context.now };
}

function sentOf(event: Extract<Said, { event: 'sent' }>, context: Translation): TuiEvent {
  const { to: conversation, groupName } = event;
  const message = viewOf(event, true, context);
  return { type: 'message', home: context.home, conversation, title: groupName ?? conversation, message, at: context.now };
}

function viewOf(event: Said, own: boolean, { numbers }: Translation): MessageView {
  const { id, from, text, sentAt, reactions, edited, deleted, unknown, expiresAt, readBy, replyTo, quote, fromBlocked } = event;
  const said = { kind: 'message', id, from, own, text, sentAt, number: numbers.numberOf(id) } as const;
  return {
    ...said,
    reactions,
    edited,
    deleted,
    unknown,
    hidden: fromBlocked,
    expiresAt,
    readBy,
    replyTo: replyTo === undefined ? undefined : (quote ?? 'not here'),
  };
}

function changeOf({ what, text, by = '', emoji = '' }: Extract<ChatEvent, { event: 'message-changed' }>): MessageChange {
  switch (what) {
    case 'edited':
    case 'understood':
      return { what, text };
    case 'reacted':
    case 'unreacted':
      return { what, emoji, by };
    default:
      return { what };
  }
}

/** What the user has read on another device is read here, too. */
function readOf({ by, own, ids, conversation }: Extract<ChatEvent, { event: 'read' }>, { home }: Translation): TuiEvent[] {
  if (own) return [{ type: 'read', home, conversation }];
  return ids.map((id) => ({ type: 'changed', home, conversation, id, change: { what: 'read', by } }));
}

function connectionEvents(event: Extract<ChatEvent, { event: 'connection' }>, context: Translation): TuiEvent[] {
  const { state, cause } = event;
  const changed: TuiEvent = { type: 'connection', home: context.home, state, cause };
  if (state !== 'offline' && state !== 'refused') return [changed];
  // The screen says it itself, for as long as it is so.
  return [changed, { ...note(event, context, state === 'refused' ? 'error' : 'warning'), quiet: true }];
}

const TITLES: Partial<Record<ChatEvent['event'], string>> = {
  contacts: 'contacts',
  queue: 'not delivered yet',
  history: 'history',
  found: 'found',
  settings: 'settings',
  devices: 'your devices',
  members: 'members',
  groups: 'groups',
  invite: 'an invite',
  help: 'commands',
  'recovery-written': 'recovery file',
  destroyed: 'destroyed',
};

function translateRest(event: ChatEvent, context: Translation): TuiEvent[] {
  const title = TITLES[event.event];
  if (title !== undefined) return [{ type: 'panel', panel: panelOf(title, linesOf(event, context)) }];
  switch (event.event) {
    case 'safety-number':
      return [{ type: 'panel', panel: { ...panelOf('safety number', linesOf(event, context)), code: safetyCode(event.number) } }];
    case 'approval': {
      const asksForUser = event.stage === 'compare' || (event.stage === 'asked' && !event.own);
      const panel: TuiEvent = { type: 'panel', panel: panelOf('a new device', linesOf(event, context)) };
      return [note(event, context, 'warning'), ...(asksForUser ? [panel] : [])];
    }
    case 'error':
      return [note(event, context, 'error')];
    case 'notice':
      return [note(event, context, event.code === 'key-changed' ? 'error' : 'info')];
    case 'request':
      return [note(event, context, 'warning')];
    default:
      return [note(event, context, 'info')];
  }
}

function panelOf(title: string, lines: readonly string[]): Panel {
  return { title, lines, scroll: 0 };
}

function note(event: ChatEvent, context: Translation, tone: Tone): Extract<TuiEvent, { type: 'note' }> {
  const told = { type: 'note', home: context.home, at: context.now, tone } as const;
  const lines = linesOf(event, context);
  if (event.event === 'notice') return { ...told, conversation: event.contact ?? '', lines };
  if (event.event !== 'group') return { ...told, conversation: '', lines };
  const title = oneLine(event.groupName ?? event.conversation);
  const prefix = `${title}: `;
  const own = lines.map((line) => (line.startsWith(prefix) ? line.slice(prefix.length) : line));
  return { ...told, conversation: event.conversation, title, lines: own };
}

/** The screen has its own column for times and marks. */
function linesOf(event: ChatEvent, { numbers, now }: Translation): string[] {
  return renderEvent(event, numbers, now).map((line) => line.replace(/^\[\d\d:\d\d\] [·!] /, ''));
}
