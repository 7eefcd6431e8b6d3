import { UsageError } from '../command-line/usage-error.js';
import { homeWords } from '../homes/home-id.js';
import { type GroupCommand, withPeople } from '../join/group-command.js';
import { homeCalled, type Homes, isGroupHere, mustNotBeElsewhere, type Route } from './named-homes.js';
import type { HomeId, Place } from './state.js';

/**
 * Which home a group's command is for: the one that stands behind its group (`/group add tea@chat.example bob`), its invitation, or its people,
 * else the one where it is typed. A group and its members are on one server. Throws UsageError.
 */
export function routeGroup(command: GroupCommand, place: Place, homes: Homes): Route {
  const typed = `/group ${command.action}`;
  const named = new Set<HomeId>();
  const plain = (text: string): string => {
    const at = text.indexOf('@');
    if (at < 0) return text;
    named.add(homeCalled(text.slice(at + 1), typed, homes));
    return text.slice(0, at);
  };
  const withoutHomes = withPeople(
    withGroup(command, (group) => (isGroupHere(group, place, homes) ? group : plain(group))),
    plain,
  );
  const [home, ...others] = named;
  if (home === undefined) mustBeHere(command, typed, place, homes);
  if (others.length > 0) {
    const words = homeWords([...homes.keys()]);
    const several = [...homes.keys()].flatMap((id, i) => (named.has(id) ? (words[i] ?? id) : []));
    throw new UsageError(`a group and its members are on one server, not on ${several.join(' and ')}`);
  }
  return { home: home ?? place.home, command: withoutHomes };
}

function withGroup(command: GroupCommand, called: (group: string) => string): GroupCommand {
  if ('group' in command) return { ...command, group: called(command.group) };
  return 'id' in command ? { ...command, id: called(command.id) } : command;
}

function mustBeHere(command: GroupCommand, typed: string, place: Place, homes: Homes): void {
  if ('group' in command) mustNotBeElsewhere(command.group, typed, place, homes);
  if (command.action !== 'new') return;
  for (const name of command.contacts) mustNotBeElsewhere(name, `${typed} NAME`, place, homes);
}
