import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Change } from '@sotto/client';
import { itThoroughly } from '@sotto/testing/thoroughly';
import { startTopology, type Topology } from '../harness/dist/index.js';
import { allIn, isIn, membersSeenBy } from './group-members.js';
import { becomeContacts, Person, until } from './people.js';
import { itMainlyOn } from './topologies.js';

const WINDOW_SECONDS = 2;
/** Rejoining, greeting and waiting for a winner go by their own times. */
const LONG = 300_000;
const HEALED_MS = 180_000;
const STREAM_MS = 4_000;
const EVERY_MS = 100;

/** In one process all parts die together. */
const PROCESS_OF = {
  standalone: { relay: 'standalone', gateway: 'standalone', redis: 'standalone' },
  services: { relay: 'relay', gateway: 'gateway', redis: 'redis' },
} as const;

/** A Welcome that is about to be owed to somebody. */
function isWelcome({ collection, value }: Change): boolean {
  return collection === 'outbox' && value !== undefined && Buffer.from(value).includes('welcome');
}

/** Everyone writes one message that all others get, once. */
async function allTalk(group: string, people: readonly Person[], about: string): Promise<void> {
  for (const person of people) await person.sdk.groups.send(group, `${about} from ${person.name}`);
  for (const reader of people) {
    for (const writer of people.filter((each) => each !== reader)) {
      const text = `${about} from ${writer.name}`;
      const state = ({ name, sdk, problems }: Person) => [
        name,
        sdk.groups.get(group).waiting,
        sdk.queue(),
        [...sdk.groups.rungs()],
        problems,
        sdk.contacts().map(({ name: contact, online }) => [contact, online]),
      ];
      const detail = () => JSON.stringify([writer, reader].map(state));
      await until(`${reader.name} has: ${text}`, () => reader.textsFrom(writer.name).includes(text), HEALED_MS, detail);
    }
  }
}

async function renames(person: Person, group: string, name: string, seenBy: readonly Person[]): Promise<void> {
  await person.sdk.groups.rename(group, name);
  const names = () => seenBy.map((each) => each.sdk.groups.get(group).name);
  await until(
    `all see the name ${name}`,
    () => names().every((each) => each === name),
    HEALED_MS,
    () => names().join(),
  );
}

/** Numbered messages into the group at a steady pace; all that were taken into the outbox. */
async function stream(from: Person, group: string, about: string, end: number): Promise<string[]> {
  const sent: string[] = [];
  for (let number = 0; Date.now() < end; number++) {
    const text = `${about} ${from.name} ${number}`;
    await from.sdk.groups.send(group, text);
    sent.push(text);
    await sleep(EVERY_MS);
  }
  return sent;
}

describe.each(['standalone', 'services'] as const)('groups whose server fails, %s', (kind) => {
  const processes = PROCESS_OF[kind];
  /** What is another fault there, and the same one again in one process. */
  const itOnServices = itMainlyOn('services', kind);
  let server: Topology;
  let people: [Person, Person, Person, Person];

  const wiped = async () => {
    await server.kill(processes.redis);
    await server.restart(processes.redis);
    await until('all are online', () => people.every(({ states }) => states.at(-1)?.state === 'online'), 60_000);
  };

  beforeAll(async () => {
    server = await startTopology(kind, { retryWindowSeconds: WINDOW_SECONDS });
    const names = ['alice', 'bob', 'carol', 'dave'] as const;
    people = (await Promise.all(names.map((name) => Person.registers(server, name)))) as typeof people;
    const [alice, ...others] = people;
    for (const other of others) await becomeContacts(alice, other);
  }, LONG);

  afterAll(async () => {
    await Promise.all((people ?? []).map((person) => person.leaves()));
    await server?.stop();
  }, 60_000);

  it(
    'bring in who was added, when the relay dies between the commit and its Welcome',
    async () => {
      const [alice, bob, carol] = people;
      const group = await alice.sdk.groups.create('gap', ['bob']);
      await allIn(group, [alice, bob]);
      let dead = false;
      alice.beforeCommit = async (changes) => {
        if (dead || !changes.some(isWelcome)) return;
        dead = true;
        await server.kill(processes.relay);
      };
      await alice.sdk.groups.add(group, ['carol']);
      await until('the relay died', () => dead, 60_000);
      alice.beforeCommit = undefined;
      expect(isIn(carol, group)).toBe(false);
      await server.restart(processes.relay);
      await allIn(group, [alice, bob, carol], HEALED_MS);
      await allTalk(group, [alice, bob, carol], 'after the gap');
    },
    LONG,
  );

  itOnServices(
    'go on committing when live state is wiped between two commits, and add members whose key packages were lost with it',
    async () => {
      const [alice, bob, carol, dave] = people;
      const group = await alice.sdk.groups.create('wiped', ['bob', 'carol']);
      await allIn(group, [alice, bob, carol]);
      await renames(alice, group, 'before', [alice, bob, carol]);
      await wiped();
      await renames(bob, group, 'after', [alice, bob, carol]);
      await alice.sdk.groups.add(group, ['dave']);
      await allIn(group, [alice, bob, carol, dave], HEALED_MS);
      await allTalk(group, [alice, bob, carol, dave], 'after the wipe');
    },
    LONG,
  );

  itOnServices(
    'keep whom a losing branch let in',
    async () => {
      const [alice, bob, carol, dave] = people;
      const group = await alice.sdk.groups.create('fork', ['bob', 'dave']);
      await allIn(group, [alice, bob, dave]);
      await Promise.all([bob.leaves(), dave.leaves()]);
      await alice.sdk.groups.add(group, ['carol']);
      await until('carol is in', () => isIn(carol, group), HEALED_MS);
      await alice.sdk.groups.send(group, 'on the branch that loses');
      await until('carol has it', () => carol.textsFrom('alice').includes('on the branch that loses'));
      await Promise.all([alice.leaves(), carol.leaves()]);
      await sleep(1_000 * (WINDOW_SECONDS + 2));
      // Nobody who comes knows of the commit, its slot is forgotten: two accounts commit on the same state, and outweigh one.
      await server.kill(processes.redis);
      await server.restart(processes.redis);
      await Promise.all([bob.returns(), dave.returns()]);
      await renames(bob, group, 'by bob', [bob, dave]);
      await renames(dave, group, 'by dave', [bob, dave]);
      expect(membersSeenBy(bob, group)).toEqual(['alice', 'bob', 'dave']);
      await Promise.all([alice.returns(), carol.returns()]);
      await allIn(group, people, HEALED_MS);
      await until('all see the name that won', () => people.every(({ sdk }) => sdk.groups.get(group).name === 'by dave'), HEALED_MS);
      expect(alice.sdk.groups.rungs().get('rewind')).toBeGreaterThan(0);
      await until(
        'bob reads what was sealed on the other branch',
        () => bob.textsFrom('alice').includes('on the branch that loses'),
        HEALED_MS,
      );
      await allTalk(group, people, 'after the fork');
      expect(carol.textsFrom('alice').filter((text) => text === 'on the branch that loses')).toHaveLength(1);
    },
    LONG + 120_000,
  );

  itThoroughly(
    'lose no message and show none twice when the gateway is killed amid messages of all and a commit',
    async () => {
      const writers = people.slice(0, 3);
      const [alice, bob] = people;
      const group = await alice.sdk.groups.create('stream', ['bob', 'carol']);
      await allIn(group, writers);
      const end = Date.now() + STREAM_MS;
      const streams = Promise.all(writers.map((each) => stream(each, group, 'amid', end)));
      await sleep(STREAM_MS / 4);
      await bob.sdk.groups.rename(group, 'amid');
      await server.kill(processes.gateway);
      await server.restart(processes.gateway);
      const sent = await streams;
      const expected = (reader: Person) =>
        sent
          .filter((_, i) => writers[i] !== reader)
          .flat()
          .sort();
      const arrived = (reader: Person) =>
        reader.inbox
          .map(({ text }) => text)
          .filter((text) => text.startsWith('amid'))
          .sort();
      const missing = (reader: Person) => expected(reader).length - new Set(arrived(reader)).size;
      const detail = () => JSON.stringify(writers.map((each) => [each.name, missing(each), each.states.at(-1), each.problems.at(-1)]));
      await until('all messages have arrived', () => writers.every((each) => missing(each) === 0), HEALED_MS, detail);
      await until('all receipts have arrived', () => writers.every(({ sdk }) => sdk.queue().length === 0), HEALED_MS);
      for (const reader of writers) expect(arrived(reader)).toEqual(expected(reader));
      await until('all see the name', () => writers.every(({ sdk }) => sdk.groups.get(group).name === 'amid'), HEALED_MS);
    },
    LONG,
  );
});
