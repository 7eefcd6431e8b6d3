import { UsageError } from '../command-line/usage-error.js';
import type { ChatCommand } from '../join/chat-command.js';
import { routeGroup } from './group-routing.js';
import { homeCalled, type Homes, isGroupHere, mustNotBeElsewhere, type Route, waysOf } from './named-homes.js';
import type { ConversationView, HomeId, Place } from './state.js';

/** Commands that in a conversation with somebody, or in a group, may leave out the name. */
const ABOUT_SOMEBODY = /^\/(?:verify|confirm|accept|decline|unblock|history)$/;
const ABOUT_GROUP = /^\/(?:group members|history)$/;

/** The line with the name that it leaves out, as it is about the conversation in which it is typed. */
export function withName(line: string, here: Pick<ConversationView, 'kind' | 'conversation'> | undefined): string {
  if (here === undefined || here.conversation === '') return line;
  const about = here.kind === 'group' || here.kind === 'left' ? ABOUT_GROUP : ABOUT_SOMEBODY;
  return about.test(line.trim()) ? `${line.trim()} ${here.conversation}` : line;
}

/**
 * Which home a line is for: the one that it names (`/add bob@chat.example:7788`), else the one of the conversation in which it was typed.
 * Nothing is asked of a server, or said to somebody, that the user may not have meant. Throws UsageError, which says how to name the home.
 */
export function route(command: ChatCommand, place: Place, homes: Homes): Route {
  if (command.do === 'group') return routeGroup(command, place, homes);
  const subject = subjectOf(command);
  const at = subject?.indexOf('@') ?? -1;
  if (subject !== undefined && at >= 0 && !isGroupHere(subject, place, homes)) {
    const home = homeCalled(subject.slice(at + 1), word(command), homes);
    return { home, command: withSubject(command, subject.slice(0, at)) };
  }
  if (command.do === 'add') return { home: accountFor(command.name, place, homes), command };
  if (command.do === 'connect') return { home: peersFor(place, homes), command };
  if (subject !== undefined) mustNotBeElsewhere(subject, word(command), place, homes);
  return { home: place.home, command };
}

// --- whom a command is about

function subjectOf(command: ChatCommand): string | undefined {
  switch (command.do) {
    case 'add':
    case 'accept':
    case 'decline':
    case 'remove':
    case 'block':
    case 'unblock':
    case 'verify':
    case 'confirm':
    case 'history':
    case 'to':
      return command.name;
    case 'send':
      return command.to;
    default:
      return undefined;
  }
}

function withSubject(command: ChatCommand, name: string): ChatCommand {
  return command.do === 'send' ? { ...command, to: name } : ({ ...command, name } as ChatCommand);
}

/** As it is typed. */
function word({ do: what }: ChatCommand): string {
  return what === 'send' ? '/to' : `/${what}`;
}

// --- which home

/** Beside a conversation on one of several servers it is not plain on which of them somebody is to be asked. */
function accountFor(name: string, { home, conversation }: Place, homes: Homes): HomeId {
  const accounts = [...homes].filter(([, { kind }]) => kind === 'account').map(([id]) => id);
  const isChosen = conversation === '' && homes.get(home)?.kind !== 'peers';
  const [only, ...more] = accounts;
  if (isChosen || only === undefined) return home;
  if (more.length > 0) throw new UsageError(`on which server? ${waysOf('/add', name, accounts)}`);
  return only;
}

function peersFor({ home }: Place, homes: Homes): HomeId {
  const [only, ...more] = [...homes].filter(([, { kind }]) => kind === 'peers').map(([id]) => id);
  return homes.get(home)?.kind === 'peers' || only === undefined || more.length > 0 ? home : only;
}
