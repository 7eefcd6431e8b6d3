import { type GroupMember, MOST_LEAVES, type Refusal, type Verification } from '@sotto/client';
import type { Conversation, GroupEvent, GroupRow, MembershipChange } from './group-event.js';
import type { MessageNumbers } from './message-numbers.js';
import { clock, oneLine } from './shown-text.js';

type News = Extract<GroupEvent, { event: 'group' }>;

/** As many digits as tell groups and devices apart. */
const SHORT_ID = 8;

const VERIFICATION: Readonly<Record<Verification, string>> = {
  self: 'you',
  verified: 'contact, key as you know it',
  changed: 'KEY CHANGED: /confirm',
  unknown: 'no contact of yours',
};

/** Why messages wait, by what the SDK calls it. */
const WAITS: Readonly<Record<string, string>> = {
  alone: 'there is nobody else in it yet',
  hello: 'until a device of somebody there has answered',
  removal: 'until the device that was removed is out',
  rejoin: 'until another device lets this one in again',
  out: 'this device is not in it any more',
  closed: 'you are no contacts any more',
};

const REFUSALS: Readonly<Record<Refusal, string>> = {
  'not-allowed': 'the group does not allow that (any more): /group members shows who its admins are',
  full: `the group is full, ${MOST_LEAVES} devices are the most: /group remove makes room`,
  'too-large': 'that is too large for one message',
  unusable: 'the keys that a device has left for this can not be used: try again once it has been online',
  server: 'the server does not take this change',
};

/** What concerns groups, as the user reads it. */
export function renderGroupEvent(event: GroupEvent, numbers: MessageNumbers, now: number): string[] {
  switch (event.event) {
    case 'groups':
      return listLines(event);
    case 'members':
      return [`${oneLine(event.groupName)}  ${short(event.group)}`, ...event.members.map(memberLine)];
    case 'group':
      return newsTexts(event, numbers).map((text) => `${clock(now, now)} · ${oneLine(event.groupName ?? event.conversation)}: ${text}`);
  }
}

function listLines({ groups, invitations }: Extract<GroupEvent, { event: 'groups' }>): string[] {
  if (groups.length + invitations.length === 0) return ['No groups yet: /group new NAME [CONTACT…] makes one.'];
  const invited = invitations.map(({ id, name, by }) => `? ${short(id)} ${oneLine(name)}  ${oneLine(by)} invites: ${acceptOrDecline(id)}`);
  return [...groups.map(groupLine), ...invited];
}

function groupLine({ id, name, members, waiting }: GroupRow): string {
  const why = waiting === undefined ? '' : `, messages wait: ${waitsFor(waiting)}`;
  return `# ${short(id)} ${oneLine(name)}  ${listed(members)}${why}`;
}

function memberLine({ name, admin, verification, devices }: GroupMember): string {
  const ids = devices.map(short).join(', ');
  return `  ${oneLine(name)}${admin ? ', admin' : ''}  ${VERIFICATION[verification]}; ${devices.length === 1 ? 'device' : 'devices'} ${ids}`;
}

function newsTexts(news: News, numbers: MessageNumbers): string[] {
  switch (news.what) {
    case 'created':
      return [`the group ${short(news.conversation)} is made; ${whoComes(news.named)}`];
    case 'left':
      return ['you leave the group'];
    case 'out':
      return ['you are not in the group any more'];
    case 'invited':
      return [`${oneLine(news.by)}, no contact of yours, invites you: ${acceptOrDecline(news.conversation)}`];
    case 'joined':
      return [news.again ? `${oneLine(news.by)} let this device in again` : `you are in; ${oneLine(news.by)} added you`];
    case 'changed':
      return changeTexts(news);
    case 'missing':
      return [`${news.messages} ${news.messages === 1 ? 'message' : 'messages'} missing, asking ${oneLine(news.asking)}`];
    case 'waiting':
      return [`#${numbers.numberOf(news.id)} waits: ${waitsFor(news.cause)}`];
    case 'unprocessable':
      return [`${oneLine(news.author)} changed something in a way that this device cannot follow; it asks to be let in again`];
    case 'unjudged':
      return [unjudgedText(news.members, news)];
    case 'refused':
      return [`${REFUSALS[news.why]}; not done: ${listed(news.wanted)}`];
    case 'given-up':
      return [`#${numbers.numberOf(news.id)} cannot be read by device ${short(news.device)}, whatever is tried`];
  }
}

function unjudgedText(names: readonly string[], { conversation, groupName }: Conversation): string {
  const called = [groupName === undefined ? conversation : short(conversation), ...names]
    .map(oneLine)
    .map((name) => (name.includes(' ') ? `"${name}"` : name))
    .join(' ');
  const until = groupName === undefined ? '' : ' until an admin does it again';
  return `this device knows of a removal that cannot be checked, of ${listed(names)}: your messages wait${until}. To write all the same: /group keep ${called}`;
}

function whoComes(named: readonly string[]): string {
  if (named.length === 0) return 'nobody else is in it yet: /group add brings them in';
  return 'who you named is in as soon as their devices can be reached';
}

function changeTexts({ by, added, removed, devicesAdded, devicesRemoved, renamed, promoted, demoted }: MembershipChange): string[] {
  const author = by === undefined ? 'somebody' : oneLine(by);
  const texts: string[] = [];
  if (added.length > 0) texts.push(`${listed(added)} joined, added by ${author}`);
  if (removed.length > 0) texts.push(`${listed(removed)} left or was removed; the change is by ${author}`);
  if (devicesAdded.length > 0) texts.push(`${listed(devicesAdded)} has another device here`);
  if (devicesRemoved.length > 0) texts.push(`${listed(devicesRemoved)} has a device less here`);
  if (promoted.length > 0) texts.push(`${listed(promoted)} is an admin now; the change is by ${author}`);
  if (demoted.length > 0) texts.push(`${listed(demoted)} is no admin any more; the change is by ${author}`);
  if (renamed !== undefined) texts.push(`${author} renamed it to ${oneLine(renamed)}`);
  return texts;
}

function waitsFor(cause: string): string {
  return WAITS[cause] ?? oneLine(cause);
}

function acceptOrDecline(id: string): string {
  return `/group accept ${short(id)} or /group decline ${short(id)}`;
}

function listed(names: readonly string[]): string {
  return names.map(oneLine).join(', ');
}

function short(id: string): string {
  return id.slice(0, SHORT_ID);
}
