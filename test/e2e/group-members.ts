import { type Person, until } from './people.js';

/** Names as their owners chose them. */
export const membersSeenBy = (person: Person, group: string) =>
  person.sdk.groups
    .get(group)
    .members.map(({ name }) => name.split('~')[0]!)
    .sort();
export const isIn = (person: Person, group: string) => person.sdk.groups.all().some(({ id }) => id === group);

/** All see all of themselves in the group. */
export async function allIn(group: string, people: readonly Person[], withinMs = 60_000): Promise<void> {
  const names = people.map(({ name }) => name).sort();
  await until(
    `${names.join(', ')} are in the group`,
    () => people.every((person) => isIn(person, group) && membersSeenBy(person, group).join() === names.join()),
    withinMs,
    () => JSON.stringify(people.map((person) => (isIn(person, group) ? membersSeenBy(person, group) : 'none'))),
  );
}
