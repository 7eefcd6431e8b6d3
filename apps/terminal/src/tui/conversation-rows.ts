import type { DeliveryStatus } from '../join/chat-event.js';
import { hiddenText } from '../join/message-rendering.js';
import { oneLine, timeOfDay, visible } from '../join/shown-text.js';
import { STATUS_TEXT } from '../join/rendering.js';
import { cutTo, wrapped } from './cells.js';
import { cellsOf } from './drawn-text.js';
import { bottomed, cellsOfRow, type Row, span, type Span, type Style } from './spans.js';
import type { ConversationView, Entry, MessageView, NoteView, Quote, Reaction, Tone } from './state.js';

/** What nobody else can write: rows of a message after its first stand further in. */
const INDENT = 6;
const QUOTED_CELLS = 60;
/** With less room than this beside the name, the text begins below it. */
const LEAST_BESIDE = 8;

const MARK: Readonly<Record<DeliveryStatus, Span>> = {
  queued: span(' …', 'dim'),
  accepted: span(' ✓', 'dim'),
  delivered: span(' ✓✓', 'good'),
  undelivered: span(' !', 'warning'),
  'waiting-for-online': span(' !', 'warning'),
  discarded: span(' ✗', 'error'),
};
const TONE: Readonly<Record<Tone, Style>> = { info: 'dim', warning: 'warning', error: 'error' };

const known = new WeakMap<Entry, { readonly width: number; readonly rows: readonly Row[] }>();

/** Wrapped once for a width: an entry that changes is another entry. */
export function entryRows(entry: Entry, width: number): readonly Row[] {
  const before = known.get(entry);
  if (before?.width === width) return before.rows;
  const rows = entry.kind === 'message' ? messageRows(entry, width) : noteRows(entry, width);
  known.set(entry, { width, rows });
  return rows;
}

/** The rows that a pane of that size shows; only entries that reach into it are looked at. */
export function conversationRows({ entries, scroll }: ConversationView, width: number, height: number): Row[] {
  const wanted = height + scroll;
  const parts: (readonly Row[])[] = [];
  let count = 0;
  for (let at = entries.length - 1; at >= 0 && count < wanted; at--) {
    const rows = withDay(entries, at, width);
    parts.unshift(rows);
    count += rows.length;
  }
  const rows = parts.flat();
  return bottomed(rows.slice(0, Math.max(0, rows.length - scroll)), height);
}

/** How far one can scroll back in what is in memory. */
export function scrollLimit({ entries }: ConversationView, width: number, height: number): number {
  const rows = entries.reduce((sum, _, at) => sum + withDay(entries, at, width).length, 0);
  return Math.max(0, rows - height);
}

function withDay(entries: readonly Entry[], at: number, width: number): readonly Row[] {
  const entry = entries[at];
  if (entry === undefined) return [];
  const before = entries[at - 1];
  const rows = entryRows(entry, width);
  return before !== undefined && dayOf(before) === dayOf(entry) ? rows : [dayRow(dayOf(entry), width), ...rows];
}

function dayOf(entry: Entry): string {
  return new Date(entry.kind === 'message' ? entry.sentAt : entry.at).toDateString();
}

function dayRow(day: string, width: number): Row {
  const text = ` ${day} `;
  const left = Math.max(0, Math.floor((width - text.length) / 2));
  return [span(cutTo(`${'─'.repeat(left)}${text}${'─'.repeat(Math.max(0, width - left - text.length))}`, width), 'dim')];
}

function messageRows(message: MessageView, width: number): Row[] {
  const { from, own, replyTo, reactions = [], status, number, readBy = [] } = message;
  const name = own ? 'you' : cutTo(oneLine(from), Math.max(4, Math.floor(width / 3)));
  const head: Row = [span(`${timeOfDay(message.sentAt)} #${number} `, 'dim'), span(`${name} `, own ? 'own' : senderStyle(from))];
  const rows = hanging(head, bodySpans(message), width);
  if (replyTo !== undefined) rows.unshift(quoteRow(replyTo, width));
  if (reactions.length > 0) rows.push(indentedRow(reactions.map(reactionText).join('  '), 'dim', width));
  if (readBy.length > 0) rows.push(indentedRow(`read by ${readBy.map(oneLine).join(', ')}`, 'dim', width));
  const isStuck = status === 'undelivered' || status === 'waiting-for-online';
  if (isStuck) rows.push(...stuckRows(status, number, width));
  return rows;
}

interface Body {
  readonly text: string;
  readonly style: Style;
  /** What follows the text. */
  readonly mark: Span | undefined;
}

function bodySpans(message: MessageView): Body {
  const { text, own, status, deleted, unknown, hidden, number } = message;
  const mark = own && status !== undefined ? MARK[status] : undefined;
  if (deleted === true) return { text: '(deleted)', style: 'dim', mark };
  if (hidden === true) return { text: hiddenText(number), style: 'dim', mark };
  if (unknown === true) return { text: '(a message of a kind that this version does not know)', style: 'dim', mark };
  const notes = notesOf(message);
  return { text: visible(text), style: 'plain', mark: notes === '' ? mark : span(`${notes}${mark?.text ?? ''}`, 'dim') };
}

function notesOf({ edited, expiresAt }: MessageView): string {
  return `${edited === true ? ' (edited)' : ''}${expiresAt === undefined ? '' : ` (until ${new Date(expiresAt).toDateString()} ${timeOfDay(expiresAt)})`}`;
}

/** The head, and the text beside and below it. */
function hanging(head: Row, { text, style, mark }: Body, width: number): Row[] {
  const [beside, below] = besideAndBelow(text, width - cellsOfRow(head));
  const rows: Row[] = [[...head, span(beside, style)]];
  if (below !== undefined) for (const row of wrapped(below, width - indentOf(width))) rows.push(indentedRow(row, style, width));
  if (mark !== undefined) appendMark(rows, mark, width);
  return rows;
}

function besideAndBelow(text: string, room: number): readonly [beside: string, below: string | undefined] {
  const [line = '', ...lines] = text.split('\n');
  const beside = room < LEAST_BESIDE ? '' : (wrapped(line, room)[0] ?? '');
  const left = line.slice(beside.length).trimStart();
  const below = left === '' ? lines : [left, ...lines];
  return [beside, below.length === 0 ? undefined : below.join('\n')];
}

function appendMark(rows: Row[], mark: Span, width: number): void {
  const last = rows.at(-1) ?? [];
  if (cellsOfRow(last) + cellsOf(mark.text) <= width) rows[rows.length - 1] = [...last, mark];
  else rows.push(indentedRow(mark.text.trimStart(), mark.style, width));
}

function quoteRow(quote: Quote, width: number): Row {
  return indentedRow(`┃ ${quoted(quote)}`, 'dim', width);
}

function quoted(quote: Quote): string {
  if (quote === 'not here') return 'a message that is not here';
  return `${oneLine(quote.from)}: ${quote.fromBlocked ? '…' : cutTo(oneLine(quote.text), QUOTED_CELLS)}`;
}

function reactionText({ emoji, by }: Reaction): string {
  return `${oneLine(emoji)} ${by.map(oneLine).join(', ')}`;
}

function stuckRows(status: DeliveryStatus, number: number, width: number): Row[] {
  const text = `${STATUS_TEXT[status].replace(/ \(.*\)$/, '')}: /resend ${number} or /discard ${number}`;
  return wrapped(text, width - indentOf(width)).map((row) => indentedRow(row, 'warning', width));
}

function indentOf(width: number): number {
  return Math.min(INDENT, Math.floor(width / 4));
}

function indentedRow(text: string, style: Style, width: number): Row {
  return [span(' '.repeat(indentOf(width))), span(cutTo(text, width - indentOf(width)), style)];
}

function noteRows({ at, tone, lines }: NoteView, width: number): Row[] {
  const head = `${timeOfDay(at)} ${tone === 'info' ? '·' : '!'} `;
  const [first = '', ...rest] = lines.flatMap((line, i) => wrapped(visible(i === 0 ? head + line : line), width - indentOf(width)));
  return [[span(first, TONE[tone])], ...rest.map((row) => indentedRow(row, TONE[tone], width))];
}

/** The same name has the same colour everywhere. */
export function senderStyle(name: string): Style {
  let sum = 0;
  for (let i = 0; i < name.length; i++) sum = (sum * 31 + name.charCodeAt(i)) >>> 0;
  return `sender-${(sum % 6) as 0 | 1 | 2 | 3 | 4 | 5}`;
}
