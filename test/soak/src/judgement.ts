import type { Person } from './person.js';
import { membersSeenBy, type Town, within } from './town.js';

/** Everything runs again by then: how long each may still take. */
const ONLINE_MS = 90_000;
const PRESENCE_MS = 45_000;
const MESSAGES_MS = 240_000;
const SHOWN = 10;

/** One thing that has to be so in the end, and what to say where it is not. */
interface Demand {
  readonly what: string;
  readonly ms: number;
  readonly holds: () => boolean;
  readonly otherwise: () => unknown;
}

/** Returns what did not come about. */
export async function judge(town: Town, tell: (what: string) => void): Promise<string[]> {
  const wrong: string[] = [];
  for (const { what, ms, holds, otherwise } of demandsOn(town)) {
    if (await within(ms, holds)) tell(what);
    else wrong.push(`not within ${ms / 1_000} s: ${what}: ${JSON.stringify(otherwise())}`);
  }
  for (const { name, shown } of town.people) {
    const twice = shown.filter((text, i) => shown.indexOf(text) !== i);
    if (twice.length > 0) wrong.push(`shown twice to ${name}: ${twice.slice(0, SHOWN).join(', ')}`);
  }
  return wrong;
}

function demandsOn(town: Town): Demand[] {
  const { people, steady, busy } = town;
  const each = <T>(look: (person: Person) => T) => Object.fromEntries(people.map((person) => [person.name, look(person)]));
  const nameOf = ({ client }: Person) => client?.groups.get(steady).name;
  const unseenBy = ({ client }: Person) =>
    client!
      .contacts()
      .filter(({ online }) => !online)
      .map(({ name }) => name);
  const queueOf = ({ client }: Person) => client!.queue();
  const standing = (person: Person) => [person.state, person.client?.groups.get(steady).waiting, person.problems.slice(-2)];
  return [
    {
      what: 'all are online',
      ms: ONLINE_MS,
      holds: () => people.every(({ state }) => state === 'online'),
      otherwise: () => each(standing),
    },
    {
      what: 'all see all online',
      ms: PRESENCE_MS,
      holds: () => people.every((one) => unseenBy(one).length === 0),
      otherwise: () => each(unseenBy),
    },
    {
      what: 'every message has arrived',
      ms: MESSAGES_MS,
      holds: () => missingIn(town).length === 0,
      otherwise: () => [missingIn(town).length, missingIn(town).slice(0, SHOWN), each(standing)],
    },
    {
      what: 'nothing waits any more',
      ms: MESSAGES_MS,
      holds: () => people.every((one) => queueOf(one).length === 0),
      otherwise: () => each((one) => queueOf(one).slice(0, SHOWN)),
    },
    { what: 'the group has one name', ms: PRESENCE_MS, holds: () => new Set(people.map(nameOf)).size === 1, otherwise: () => each(nameOf) },
    {
      what: 'members see the same members',
      ms: MESSAGES_MS,
      holds: () => agreeOn(people, busy),
      otherwise: () => each((one) => membersSeenBy(one, busy)),
    },
  ];
}

function missingIn({ written }: Town): string[] {
  return written.flatMap(({ text, to }) => to.filter(({ shown }) => !shown.includes(text)).map(({ name }) => `${name} lacks ${text}`));
}

/** Those whom the founder has in the group have what the founder has, and nobody else has the group. */
function agreeOn(people: readonly Person[], group: string): boolean {
  const [founder] = people;
  const members = membersSeenBy(founder!, group);
  return people.every((one) => membersSeenBy(one, group).join() === (members.includes(one.name) ? members.join() : ''));
}
