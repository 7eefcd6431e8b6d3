import { INTERCEPTION } from '../device/interception.js';
import { hostForUrl } from '../link/join-link.js';
import { renderAccountEvent } from './account-rendering.js';
import { destroyedText } from '../panic/destroyed-text.js';
import type { ChatEvent, ContactView, DeliveryStatus, QueuedView } from './chat-event.js';
import { renderGroupEvent } from './group-rendering.js';
import type { MessageNumbers } from './message-numbers.js';
import { renderMessageEvent } from './message-rendering.js';
import { clock, oneLine, visible } from './shown-text.js';

export const STATUS_TEXT: Readonly<Record<DeliveryStatus, string>> = {
  queued: 'queued',
  accepted: 'on its way',
  delivered: 'delivered',
  undelivered: 'not delivered in time; kept here',
  'waiting-for-online': 'kept here, goes out when they are back (/discard gives it up)',
  discarded: 'discarded',
};

const STATE: Readonly<Record<ContactView['state'], string>> = {
  pending: 'asked, no answer yet',
  requested: 'asks you: /accept or /decline',
  accepted: 'contact',
  blocked: 'blocked',
  removed: 'no contact any more',
};

const NO_CONTACTS = 'No contacts yet: /add NAME asks somebody.';
const NO_PEERS = 'Nobody has come yet: /connect HOST:PORT reaches somebody who listens.';

const LOOPBACK: readonly string[] = ['127.0.0.1', 'localhost', '::1'];

/** One event as the user reads it; several lines when it says several things. */
export function renderEvent(event: ChatEvent, numbers: MessageNumbers, now: number): string[] {
  switch (event.event) {
    case 'message':
    case 'shown':
    case 'sent':
    case 'kept':
    case 'message-changed':
    case 'read':
    case 'typing':
    case 'history':
    case 'found':
    case 'settings':
      return renderMessageEvent(event, numbers, now);
    case 'devices':
    case 'approval':
    case 'revoked':
    case 'recovery-written':
    case 'invite':
      return renderAccountEvent(event, now);
    case 'group':
    case 'groups':
    case 'members':
      return renderGroupEvent(event, numbers, now);
    default:
      return renderRest(event, numbers, now);
  }
}

type ContactEvent = Extract<ChatEvent, { event: 'delivery' | 'presence' | 'request' | 'contact' | 'contacts' | 'queue' | 'safety-number' }>;

function renderRest(event: ContactEvent | StateEvent, numbers: MessageNumbers, now: number): string[] {
  const at = clock(now, now);
  switch (event.event) {
    case 'delivery':
      return [`${at} · #${numbers.numberOf(event.id)} to ${calledOf(event.to, event)}: ${STATUS_TEXT[event.status]}`];
    case 'presence':
      return [`${at} · ${visible(event.name)} is ${event.online ? 'online' : 'offline'}`];
    case 'request':
      return [`${at} · ${visible(event.name)} asks to be a contact: /accept ${visible(event.name)} or /decline ${visible(event.name)}`];
    case 'contact':
      return [`${at} · ${visible(event.name)}: ${STATE[event.state]}`];
    case 'contacts':
      return event.contacts.length === 0 ? [event.peer ? NO_PEERS : NO_CONTACTS] : event.contacts.map(contactLine);
    case 'queue':
      return event.messages.length === 0 ? ['Everything is delivered.'] : event.messages.map((each) => queueLine(each, numbers));
    case 'safety-number':
      return safetyLines(event.name, event.number);
    default:
      return renderState(event, now);
  }
}

type StateEvent = Extract<
  ChatEvent,
  { event: 'connection' | 'ready' | 'listening' | 'conversation' | 'help' | 'destroyed' | 'notice' | 'error' }
>;

function renderState(event: StateEvent, now: number): string[] {
  switch (event.event) {
    case 'ready':
      if (event.peer === true) return [`You are ${visible(event.name)}. Your pin: ${event.pin}`, '/help tells what you can do.'];
      return [
        event.registered
          ? `Registered. Your name on ${visible(event.server)} is ${visible(event.name)}.`
          : `You are ${visible(event.name)} on ${visible(event.server)}.`,
        ...(event.pending ? ['This device is new to the account: it reads and writes nothing until it is let in.'] : []),
        '/help tells what you can do.',
      ];
    case 'listening':
      return listeningLines(event);
    case 'connection':
      return connectionLines(event, now);
    case 'conversation':
      return [`You write to ${event.groupName === undefined ? '' : 'the group '}${calledOf(event.name, event)} now.`];
    case 'help':
      return event.text.split('\n');
    case 'destroyed':
      return [visible(destroyedText(event))];
    case 'notice':
      return [noticeLine(event, now)];
    case 'error':
      return [`${clock(now, now)} ! ${visible(event.text)}`];
  }
}

function noticeLine({ code, text, contact }: Extract<ChatEvent, { event: 'notice' }>, now: number): string {
  const isKey = code === 'key-changed';
  return `${clock(now, now)} ${isKey ? '!' : '·'} ${visible(text)}${isKey && contact !== undefined ? `: /confirm ${visible(contact)}` : ''}`;
}

function listeningLines({ host, port, pin }: Extract<ChatEvent, { event: 'listening' }>): string[] {
  const loopback = LOOPBACK.includes(host);
  return [
    `Listening on ${host}, port ${port}${loopback ? ' (for this machine alone; --host 0.0.0.0 for others)' : ''}. Who wants to talk to you types:`,
    `  npx sotto connect ${loopback ? hostForUrl(host) : 'THIS-HOST'}:${port} -i NAME -k ${pin}`,
  ];
}

function connectionLines({ state, cause, reason, retryInMs, peer }: Extract<ChatEvent, { event: 'connection' }>, now: number): string[] {
  const why = cause === undefined ? '' : `: ${visible(cause)}`;
  const to = peer === undefined ? '' : ` to ${peer}`;
  if (state === 'offline') {
    const again = retryInMs === undefined ? '' : `; trying again in ${Math.max(1, Math.round(retryInMs / 1_000))} s`;
    return [`${clock(now, now)} · no connection${to}${why}${again}`];
  }
  if (peer !== undefined && state === 'refused') return [`${clock(now, now)} ! not connected${to}${why} (/connect ${peer} tries again)`];
  if (reason === 'pin-changed') return [`${clock(now, now)} ! ${INTERCEPTION}`];
  if (state === 'refused') return [`${clock(now, now)} ! the server refuses this device${why} (/login logs in again)`];
  return state === 'online' ? [`${clock(now, now)} · connected${to}`] : [];
}

function calledOf(conversation: string, { groupName }: { readonly groupName?: string }): string {
  return oneLine(groupName ?? conversation);
}

function contactLine({ name, state, online }: ContactView): string {
  const presence = state === 'accepted' ? (online ? 'online' : 'offline') : STATE[state];
  return `${online ? '●' : '○'} ${visible(name)}  ${presence}`;
}

const QUEUED: Readonly<Record<QueuedView['what'], string>> = {
  text: '',
  edit: 'changes a message to ',
  deletion: 'deletes a message',
  reaction: 'reacts with ',
  unreaction: 'takes a reaction back',
};

function queueLine({ id, to, groupName, what, text, status }: QueuedView, numbers: MessageNumbers): string {
  const short = `${QUEUED[what]}${oneLine(text)}`;
  return `#${numbers.numberOf(id)} to ${oneLine(groupName ?? to)} (${STATUS_TEXT[status]}): ${short.length > 60 ? `${short.slice(0, 59)}…` : short}`;
}

function safetyLines(name: string, number: string): string[] {
  const groups = number.replaceAll(/\s+/g, '').match(/.{1,5}/g) ?? [];
  const rows: string[] = [];
  for (let start = 0; start < groups.length; start += 4) rows.push(`  ${groups.slice(start, start + 4).join(' ')}`);
  return [`Safety number with ${visible(name)}. Compare it over another way; it must be the same on both sides:`, ...rows];
}
