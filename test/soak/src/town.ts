import { setTimeout as sleep } from 'node:timers/promises';
import { startTopology, type Topology, type TopologyKind } from '../../harness/dist/index.js';
import { Person } from './person.js';

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin'];
const SET_UP_MS = 60_000;
const LOOK_MS = 50;

/** What somebody wrote, and whether it was taken. */
export interface Written {
  readonly text: string;
  readonly by: Person;
  readonly to: readonly Person[];
}

/** Five people who are contacts of each other, on a server of its own. */
export class Town {
  readonly written: Written[] = [];

  private constructor(
    readonly server: Topology,
    readonly people: readonly Person[],
    /** A group that all of them are in, from the beginning to the end. */
    readonly steady: string,
    /** A group in which members come and go. */
    readonly busy: string,
  ) {}

  static async found(kind: TopologyKind): Promise<Town> {
    const server = await startTopology(kind, { retryWindowSeconds: 2 });
    try {
      const people: Person[] = [];
      for (const name of NAMES) people.push(await Person.registers(name, server));
      for (const [i, one] of people.entries()) for (const other of people.slice(i + 1)) await befriend(one, other);
      const [founder] = people;
      const others = NAMES.slice(1);
      const steady = await founder!.client!.groups.create('steady', others);
      const busy = await founder!.client!.groups.create('busy', others);
      for (const group of [steady, busy])
        await surely('all are in the group', () => people.every((each) => membersSeenBy(each, group).length === NAMES.length));
      return new Town(server, people, steady, busy);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.people.map((each) => each.leave()));
    await this.server.stop();
  }
}

/** False: it did not come about in time. */
export async function within(ms: number, holds: () => boolean): Promise<boolean> {
  const end = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > end) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

async function surely(what: string, holds: () => boolean): Promise<void> {
  if (!(await within(SET_UP_MS, holds))) throw new Error(`before anything went wrong, not within ${SET_UP_MS / 1_000} s: ${what}`);
}

/** Names; none while it is not in the group, or away. */
export function membersSeenBy({ client }: Person, group: string): string[] {
  const found = client?.groups.all().find(({ id }) => id === group);
  return (found?.members ?? []).map(({ name }) => name.split('~')[0]!).sort();
}

async function befriend(one: Person, other: Person): Promise<void> {
  const standing = ({ client }: Person, name: string) => client!.contacts().find((each) => each.name === name)?.status;
  await one.client!.requestContact(other.name);
  await surely(`${other.name} is asked`, () => standing(other, one.name) === 'requested');
  await other.client!.accept(one.name);
  await surely(`${one.name} has a contact`, () => standing(one, other.name) === 'accepted');
}
