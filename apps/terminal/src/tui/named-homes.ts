import { UsageError } from '../command-line/usage-error.js';
import type { Home } from '../homes/home.js';
import { homesCalled, homeWords } from '../homes/home-id.js';
import type { ChatCommand } from '../join/chat-command.js';
import type { HomeId, Place } from './state.js';

/** What the routing knows of a home that is open. */
export type Routed = Pick<Home, 'kind' | 'groups'> & { readonly client: Pick<Home['client'], 'contacts'> };
export type Homes = ReadonlyMap<HomeId, Routed>;

/** A command, and the home that runs it. */
export interface Route {
  readonly home: HomeId;
  readonly command: ChatCommand;
}

/** A group may be called so. */
export function isGroupHere(name: string, { home }: Place, homes: Homes): boolean {
  return (
    homes
      .get(home)
      ?.groups()
      .some((group) => group.name === name) ?? false
  );
}

/** The home that is meant by what stands behind an @. Throws UsageError. @param typed the command, as it is typed */
export function homeCalled(where: string, typed: string, homes: Homes): HomeId {
  const ids = [...homes.keys()];
  const [home, ...more] = homesCalled(where, ids);
  if (ids.length === 0) throw new UsageError('nothing is open here yet: the lines of the list tell why');
  if (home === undefined) throw new UsageError(`nothing is open here that is called ${where}: there is ${homeWords(ids).join(', ')}`);
  if (more.length > 0) throw new UsageError(`${where} may be several: ${typed} NAME@${homeWords([home, ...more]).join(` or NAME@`)}`);
  return home;
}

/** Somebody of that name elsewhere may be who is meant, or somebody else: the user says. Throws UsageError. */
export function mustNotBeElsewhere(name: string, typed: string, { home }: Place, homes: Homes): void {
  const isCalled = (each: { readonly name: string }) => each.name === name;
  const knows = ({ client, groups }: Routed) => client.contacts().some(isCalled) || groups().some(isCalled);
  const here = homes.get(home);
  const elsewhere = [...homes].filter(([, each]) => knows(each)).map(([id]) => id);
  if (here === undefined || knows(here) || elsewhere.length === 0) return;
  if (here.groups().some((group) => group.id.startsWith(name))) return;
  throw new UsageError(`there is no ${name} where you are, but elsewhere: ${waysOf(typed, name, elsewhere, [...homes.keys()])}`);
}

/** How the command is typed for each of these homes. @param all among which a home has to be told apart */
export function waysOf(typed: string, name: string, ids: readonly HomeId[], all = ids): string {
  const words = new Map(homeWords(all).map((each, i) => [all[i], each]));
  const quoted = (text: string) => (/\s/u.test(text) ? `"${text}"` : text);
  return ids.map((id) => `${typed} ${quoted(`${name}@${words.get(id) ?? id}`)}`).join(' or ');
}
