import { UsageError } from '../command-line/usage-error.js';
import type { Home } from '../homes/home.js';
import { homesCalled, homeWords } from '../homes/home-id.js';
import type { ChatCommand } from '../join/chat-command.js';
import type { HomeId, Place } from './state.js';

/** What the routing knows of a home that is open. */
export type Routed = Pick<Home, 'kind' | 'groups'> & { readonly client: Pick<Home['client'], 'contacts'> };
type Homes = ReadonlyMap<HomeId, Routed>;

/** A command, and the home that runs it. */
export interface Route {
  readonly home: HomeId;
  readonly command: ChatCommand;
}

/**
 * Which home a line is for: the one that it names (`/add bob@chat.example:7788`), else the one of the conversation in which it was typed.
 * Nothing is asked of a server, or said to somebody, that the user may not have meant. Throws UsageError, which says how to name the home.
 */
export function route(command: ChatCommand, place: Place, homes: Homes): Route {
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

/** A group may be called so. */
function isGroupHere(name: string, { home }: Place, homes: Homes): boolean {
  return (
    homes
      .get(home)
      ?.groups()
      .some((group) => group.name === name) ?? false
  );
}

// --- which home

function homeCalled(where: string, typed: string, homes: Homes): HomeId {
  const ids = [...homes.keys()];
  const [home, ...more] = homesCalled(where, ids);
  if (home === undefined) throw new UsageError(`nothing is open here that is called ${where}: there is ${homeWords(ids).join(', ')}`);
  if (more.length > 0) throw new UsageError(`${where} may be several: ${typed} NAME@${homeWords([home, ...more]).join(` or NAME@`)}`);
  return home;
}

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

/** Somebody of that name elsewhere may be who is meant, or somebody else: the user says. */
function mustNotBeElsewhere(name: string, typed: string, { home }: Place, homes: Homes): void {
  const knows = ({ client, groups }: Routed) =>
    client.contacts().some((each) => each.name === name) || groups().some((group) => group.name === name || group.id.startsWith(name));
  const here = homes.get(home);
  const elsewhere = [...homes].filter(([, each]) => each.client.contacts().some((contact) => contact.name === name)).map(([id]) => id);
  if (here === undefined || knows(here) || elsewhere.length === 0) return;
  throw new UsageError(`there is no ${name} where you are, but elsewhere: ${waysOf(typed, name, elsewhere, [...homes.keys()])}`);
}

/** `all`: among which a home has to be told apart. */
function waysOf(typed: string, name: string, ids: readonly HomeId[], all = ids): string {
  const words = new Map(homeWords(all).map((each, i) => [all[i], each]));
  return ids.map((id) => `${typed} ${name}@${words.get(id) ?? id}`).join(' or ');
}
