import type { MessageEvent, MessageView } from './message-event.js';
import type { MessageNumbers } from './message-numbers.js';
import { clock, indented, oneLine, visible } from './shown-text.js';

const QUOTED = 40;
const UNKNOWN = '(a message of a kind that this version does not know)';
const DELETED = '(deleted)';

type Changed = Extract<MessageEvent, { event: 'message-changed' }>;
type Shown = Omit<MessageView, 'fromBlocked'> & { readonly fromBlocked?: true | undefined };
type From = Extract<MessageEvent, { event: 'message' | 'kept' }>;

/** What is seen of what somebody says who is blocked. */
export function hiddenText(number: number): string {
  return `(hidden, as you have blocked who wrote it: /show ${number})`;
}

/** Messages as the user reads them: the number by which commands name one stands before its sender. */
export function renderMessageEvent(event: MessageEvent, numbers: MessageNumbers, now: number): string[] {
  switch (event.event) {
    case 'message':
      return messageLines(event, senderOf(event), numbers, now);
    case 'shown':
      return messageLines({ ...event, fromBlocked: undefined }, visible(event.from), numbers, now);
    case 'sent':
      return [];
    case 'kept':
      return [`${clock(now, now)} · kept a message of ${senderOf(event)}`];
    case 'message-changed':
      return changeLines(event, numbers, now);
    case 'history':
      return historyLines(event, numbers, now);
    case 'found':
      return foundLines(event, numbers, now);
    case 'read':
      return event.own ? [] : [`${clock(now, now)} · ${visible(event.by)} has read ${readNumbers(event.ids, numbers)}`];
    case 'typing':
      return [];
    case 'settings':
      return settingLines(event);
  }
}

function messageLines(message: Shown, sender: string, numbers: MessageNumbers, now: number): string[] {
  const head = `${clock(message.sentAt, now)} #${numbers.numberOf(message.id)} ${sender}${answered(message, numbers)}: `;
  return indented(head, `${textOf(message, numbers)}${marksOf(message, now)}`);
}

function textOf({ id, text, deleted, unknown, fromBlocked }: Shown, numbers: MessageNumbers): string {
  if (deleted) return DELETED;
  if (fromBlocked) return hiddenText(numbers.numberOf(id));
  return unknown ? UNKNOWN : text;
}

/** What it answers, by its first words. */
function answered({ replyTo, quote }: Shown, numbers: MessageNumbers): string {
  if (replyTo === undefined) return '';
  if (quote === undefined) return ' (answers a message that is not here)';
  return ` (answers #${numbers.numberOf(replyTo)} of ${visible(quote.from)}, "${shortened(quote.text === '' || quote.fromBlocked ? '…' : quote.text)}")`;
}

function marksOf({ edited, discarded, reactions = [], expiresAt, readBy = [] }: Shown, now: number): string {
  const marks = [
    ...(edited ? ['edited'] : []),
    ...(discarded ? ['discarded'] : []),
    ...reactions.map(({ emoji, by }) => `${oneLine(emoji)} ${by.map(oneLine).join(', ')}`),
    ...(readBy.length > 0 ? [`read by ${readBy.map(oneLine).join(', ')}`] : []),
    ...(expiresAt === undefined ? [] : [`goes at ${clock(expiresAt, now).slice(1, -1)}`]),
  ];
  return marks.length === 0 ? '' : `  [${marks.join('; ')}]`;
}

/** The sender first: whoever names the group can't make it look like another sender. */
function senderOf({ from, to, groupName }: From): string {
  if (groupName !== undefined) return `${visible(from)} in ${oneLine(groupName)}`;
  return to === undefined ? visible(from) : `${visible(from)} to ${visible(to)}`;
}

function changeLines({ id, what, by = '', emoji = '', text: said, fromBlocked }: Changed, numbers: MessageNumbers, now: number): string[] {
  const number = `#${numbers.numberOf(id)}`;
  const head = `${clock(now, now)} · `;
  const text = fromBlocked ? hiddenText(numbers.numberOf(id)) : said;
  switch (what) {
    case 'edited':
      return indented(`${head}${visible(by)} changed ${number}: `, text);
    case 'deleted':
      return [`${head}${visible(by)} deleted ${number}`];
    case 'reacted':
      return [`${head}${visible(by)} reacted to ${number} with ${oneLine(emoji)}`];
    case 'unreacted':
      return [`${head}${visible(by)} took ${oneLine(emoji)} back from ${number}`];
    case 'expired':
      return [`${head}${number} has expired and is gone`];
    case 'understood':
      return indented(`${head}${number} can be read now: `, text);
  }
}

function historyLines(event: Extract<MessageEvent, { event: 'history' }>, numbers: MessageNumbers, now: number): string[] {
  const { name, groupName, messages } = event;
  if (messages.length === 0) return [`No messages with ${oneLine(groupName ?? name)} are kept here.`];
  return messages.flatMap((each) => messageLines(each, visible(each.from), numbers, now));
}

function foundLines({ text, messages }: Extract<MessageEvent, { event: 'found' }>, numbers: MessageNumbers, now: number): string[] {
  if (messages.length === 0) return [`Nothing that is kept here says "${oneLine(text)}".`];
  return messages.flatMap((each) => {
    const where = each.groupName === undefined ? `with ${visible(each.conversation)}` : `in ${oneLine(each.groupName)}`;
    return messageLines(each, `${visible(each.from)} ${where}`, numbers, now);
  });
}

function readNumbers(ids: readonly string[], numbers: MessageNumbers): string {
  const last = ids.at(-1);
  if (last === undefined) return 'nothing';
  return ids.length === 1 ? `#${numbers.numberOf(last)}` : `${ids.length} messages, the last is #${numbers.numberOf(last)}`;
}

function settingLines({ readReceipts, retentionDays, invisible }: Extract<MessageEvent, { event: 'settings' }>): string[] {
  return [
    `Others are ${readReceipts ? 'told' : 'not told'} what you have read.`,
    retentionDays === undefined
      ? 'Messages are kept here for good.'
      : `Messages are removed from this device ${retentionDays} ${retentionDays === 1 ? 'day' : 'days'} after they came.`,
    ...(invisible === true
      ? ['Your contacts are not told that this device is there: you seem to be away, unless another of yours is seen.']
      : []),
  ];
}

function shortened(text: string): string {
  const line = oneLine(text);
  return line.length > QUOTED ? `${line.slice(0, QUOTED - 1)}…` : line;
}
