import { startTopology, type Topology, type TopologyKind } from '../../harness/dist/index.js';
import type { Device } from './device.js';
import { Person, type Second } from './person.js';
import { surely } from './waiting.js';

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin'];
const SECONDS: Readonly<Record<string, Second>> = { bob: 'approved tablet', carol: 'recovered tablet', dave: 'mailbox' };

/** What was taken from somebody who wrote it. */
export interface Written {
  readonly text: string;
  readonly by: Device;
  /** All that have to show it: the others' devices, and the writer's own other one. */
  readonly to: readonly Device[];
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

  /** @param seconds whether some have a second device */
  static async found(kind: TopologyKind, seconds: boolean): Promise<Town> {
    const server = await startTopology(kind, { retryWindowSeconds: 2 });
    try {
      const people: Person[] = [];
      for (const name of NAMES) people.push(await Person.registers(name, server));
      for (const [i, one] of people.entries()) for (const other of people.slice(i + 1)) await befriend(one.phone, other.phone);
      const [founder] = people;
      const others = NAMES.slice(1);
      const steady = await founder!.phone.client!.groups.create('steady', others);
      const busy = await founder!.phone.client!.groups.create('busy', others);
      const town = new Town(server, people, steady, busy);
      if (seconds) for (const one of people) if (SECONDS[one.name] !== undefined) await one.gets(SECONDS[one.name]!);
      for (const group of [steady, busy])
        await surely('all devices are in the group', () => town.devices.every((each) => town.allAreIn(group, each)));
      return town;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get devices(): Device[] {
    return this.people.flatMap(({ devices }) => devices);
  }

  /** Whether this device sees all devices of everybody there. */
  allAreIn(group: string, seenBy: Device): boolean {
    return devicesSeenBy(seenBy, group) === this.devices.length;
  }

  async close(): Promise<void> {
    await Promise.all(this.devices.map((each) => each.leave()));
    await this.server.stop();
  }
}

/** Names; none while it is not in the group, or away. */
export function membersSeenBy(device: Device, group: string): string[] {
  return membersIn(device, group)
    .map(({ name }) => name.split('~')[0]!)
    .sort();
}

/** How many devices of all members. */
export function devicesSeenBy(device: Device, group: string): number {
  return membersIn(device, group).reduce((sum, { devices }) => sum + devices.length, 0);
}

function membersIn({ client }: Device, group: string) {
  return client?.groups.all().find(({ id }) => id === group)?.members ?? [];
}

async function befriend(one: Device, other: Device): Promise<void> {
  const standing = ({ client }: Device, name: string) => client!.contacts().find((each) => each.name === name)?.status;
  await one.client!.requestContact(other.owner);
  await surely(`${other.owner} is asked`, () => standing(other, one.owner) === 'requested');
  await other.client!.accept(one.owner);
  await surely(`${one.owner} has a contact`, () => standing(one, other.owner) === 'accepted');
}
