import type { Device } from './device.js';
import { devicesSeenBy, membersSeenBy, type Town } from './town.js';
import { within } from './waiting.js';

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
  for (const { name, shown } of town.devices) {
    const twice = shown.filter((text, i) => shown.indexOf(text) !== i);
    if (twice.length > 0) wrong.push(`shown twice to ${name}: ${twice.slice(0, SHOWN).join(', ')}`);
  }
  return wrong;
}

function demandsOn(town: Town): Demand[] {
  const { devices, steady, busy } = town;
  const each = <T>(look: (device: Device) => T) => Object.fromEntries(devices.map((device) => [device.name, look(device)]));
  const nameOf = ({ client }: Device) => client?.groups.get(steady).name;
  const unseenBy = ({ client }: Device) =>
    client!
      .contacts()
      .filter(({ online }) => !online)
      .map(({ name }) => name);
  const queueOf = ({ client }: Device) => client!.queue();
  const standing = (device: Device) => [device.state, device.client?.groups.get(steady).waiting, device.problems.slice(-2)];
  return [
    {
      what: 'all are online',
      ms: ONLINE_MS,
      holds: () => devices.every(({ state }) => state === 'online'),
      otherwise: () => each(standing),
    },
    {
      what: 'all see all online',
      ms: PRESENCE_MS,
      holds: () => devices.every((one) => unseenBy(one).length === 0),
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
      holds: () => devices.every((one) => queueOf(one).length === 0),
      otherwise: () => each((one) => queueOf(one).slice(0, SHOWN)),
    },
    {
      what: 'the group has one name',
      ms: PRESENCE_MS,
      holds: () => new Set(devices.map(nameOf)).size === 1,
      otherwise: () => each(nameOf),
    },
    {
      what: 'all devices are in the group',
      ms: MESSAGES_MS,
      holds: () => devices.every((one) => town.allAreIn(steady, one)),
      otherwise: () => each((one) => devicesSeenBy(one, steady)),
    },
    {
      what: 'members see the same members',
      ms: MESSAGES_MS,
      holds: () => agreeOn(town),
      otherwise: () => each((one) => membersSeenBy(one, busy)),
    },
  ];
}

function missingIn({ written }: Town): string[] {
  return written.flatMap(({ text, to }) => to.filter(({ shown }) => !shown.includes(text)).map(({ name }) => `${name} lacks ${text}`));
}

/** Those whom the founder has in the group have what the founder has, on each of their devices, and nobody else has the group. */
function agreeOn({ people, devices, busy }: Town): boolean {
  const [founder] = people;
  const members = membersSeenBy(founder!.phone, busy);
  return devices.every((one) => membersSeenBy(one, busy).join() === (members.includes(one.owner) ? members.join() : ''));
}
