import type { Random } from '../random.js';
import type { ServerWeather } from '../server/server.js';
import type { ActionName } from './actions.js';

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi'];
const LEAST_DEVICES = 5;
const MOST_DEVICES = 12;
const MOST_OF_ACCOUNT = 3;
const MOST_SKEW_MS = 1_200_000;
const HOURS_FACTOR = 6;

/** What kind of a world a seed makes: who is there, and what happens to them how often. */
export interface Profile {
  readonly people: Readonly<Record<string, number>>;
  readonly strangers: readonly (readonly [string, string])[];
  /** Who never seems to be online. */
  readonly invisible: readonly string[];
  readonly events: number;
  /** Between two events, on average. Milliseconds. */
  readonly pace: number;
  readonly weather: ServerWeather;
  readonly weights: Readonly<Record<ActionName, number>>;
  readonly retryWindowMs: number;
  readonly deliveryWindow: number;
  readonly oneTimePackages: number;
  /** How far clocks are off, at most. Milliseconds. */
  readonly skew: number;
  readonly tickMs: number;
  readonly hostile?:
    { readonly device: string; /** The event at which the others want it removed. */ readonly expelledAt: number } | undefined;
}

/** Each kind of fault is there or not, at a rate of its own: worlds differ more than if everything always happened a little. */
export function profileOf(random: Random): Profile {
  const some = (probability: number, most: number) => (random.chance(probability) ? random.unit() * most : 0);
  const people = peopleOf(random);
  const events = random.whole(200, 600);
  const hostile = random.chance(0.4) ? { device: hostileOf(people, random), expelledAt: random.whole(events / 4, events - 1) } : undefined;
  return {
    hostile,
    people,
    strangers: random.chance(0.3) ? strangersOf(Object.keys(people), random) : [],
    events,
    pace: random.pick([400, 1_500, 5_000]),
    weather: {
      lost: some(0.5, 0.15),
      twice: some(0.4, 0.1),
      late: some(0.5, 0.2),
      delay: random.pick([10, 50, 400]),
      diesAfterClaim: some(0.4, 0.3),
      busy: some(0.3, 0.1),
      presenceLost: some(0.4, 0.5),
      claimLost: some(0.4, 0.5),
    },
    weights: { ...weightsOf(some, random), hostile: hostile === undefined ? 0 : random.whole(3, 15) },
    retryWindowMs: random.pick([5_000, 30_000, 30_000, 600_000]),
    deliveryWindow: random.pick([4, 16, 256]),
    oneTimePackages: random.pick([0, 1, 4]),
    skew: random.chance(0.5) ? skewOf(random.whole(0, MOST_SKEW_MS)) : 0,
    tickMs: random.pick([1_000, 2_000]),
    invisible: random.chance(0.2) ? Object.keys(people).filter(() => random.chance(0.4)) : [],
  };
}

/** A small world, in which nothing happens but what a story tells. */
export function stageOf(random: Random, needs: Partial<Profile>): Profile {
  const people = Object.fromEntries(NAMES.slice(0, LEAST_DEVICES).map((name) => [name, 1]));
  return { ...profileOf(random), people, strangers: [], invisible: [], events: 0, hostile: undefined, ...needs };
}

/** Mostly minutes; of every fourth hours, more than those for which a key package is valid before it is made. */
function skewOf(chosen: number): number {
  return chosen % 4 === 0 ? chosen * HOURS_FACTOR : chosen;
}

function peopleOf(random: Random): Record<string, number> {
  const people: Record<string, number> = {};
  const wanted = random.whole(LEAST_DEVICES, MOST_DEVICES);
  let devices = 0;
  for (const name of NAMES) {
    if (devices >= wanted) break;
    const count = Math.min(
      random.weighted([
        [1, 5],
        [2, 3],
        [MOST_OF_ACCOUNT, 1],
      ] as const),
      wanted - devices,
    );
    people[name] = count;
    devices += count;
  }
  return people;
}

/** Not of the account that founds the group, which could not be removed from it. */
function hostileOf(people: Record<string, number>, random: Random): string {
  const [name, count] = random.pick(Object.entries(people).slice(1));
  return count === 1 ? name : `${name}.${random.whole(1, count)}`;
}

function strangersOf(names: readonly string[], random: Random): [string, string][] {
  const pairs = names.flatMap((one, i) => names.slice(i + 1).map((other): [string, string] => [one, other]));
  return pairs.filter(() => random.chance(0.3));
}

function weightsOf(some: (probability: number, most: number) => number, random: Random): Record<Exclude<ActionName, 'hostile'>, number> {
  return {
    write: 20 + some(1, 40),
    add: some(0.8, 6),
    remove: some(0.8, 6),
    rename: 1 + some(0.7, 12),
    role: some(0.4, 3),
    refresh: some(0.6, 6),
    leave: some(0.3, 1),
    newGroup: some(0.3, 1),
    newConversation: some(0.4, 2),
    discard: some(0.3, 2),
    disconnect: some(0.8, 20),
    crash: some(0.7, 10),
    copyDisk: some(0.4, 3),
    putDiskBack: some(0.4, 1.5),
    die: some(0.3, 0.7),
    crashRelay: some(0.5, 4),
    wipeSlots: some(0.5, 3),
    wipePackages: some(0.3, 1),
    wait: some(0.5, 2),
    sleep: random.chance(0.15) ? 0.4 : 0,
  };
}
