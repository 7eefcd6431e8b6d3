import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Server, startServer } from '../harness/dist/index.js';
import { isIn, membersSeenBy } from './group-members.js';
import { becomeContacts, Person, until } from './people.js';

const SIZE = 50;
/** The server hashes two passwords at a time. */
const AT_ONCE = 4;
const WRITERS = 4;
const TO_GROUP = 3;
const TO_BOB = 20;
const LONG = 240_000;

/** One account after the other, some at a time. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const textsIn = (person: Person, conversation: string) =>
  person.inbox.filter((message) => message.conversation === conversation).map(({ text }) => text);

describe.each(['standalone', 'services'] as const)(`a group of ${SIZE} beside a conversation of two, %s`, (kind) => {
  let server: Server;
  let alice: Person;
  let bob: Person;
  let group: string;
  const others: Person[] = [];

  beforeAll(async () => {
    server = await startServer(kind, { retryWindowSeconds: 5 });
    alice = await Person.registersForNow(server, 'alice');
    const names = Array.from({ length: SIZE - 1 }, (_, i) => (i === 0 ? 'bob' : `member_${i}`));
    await inParallel(names, async (name) => {
      const other = await Person.registersForNow(server, name);
      others.push(other);
      await becomeContacts(alice, other);
    });
    bob = others.find(({ name }) => name === 'bob')!;
  }, LONG);

  afterAll(async () => {
    await Promise.all([alice, ...others].map((person) => person?.leaves()));
    await server?.stop();
  }, 60_000);

  it(
    'is joined by all',
    async () => {
      group = await alice.sdk.groups.create(
        'everybody',
        others.map(({ name }) => name),
      );
      const joined = () => others.filter((each) => isIn(each, group) && membersSeenBy(each, group).length === SIZE).length;
      await until(
        'all see all',
        () => joined() === SIZE - 1,
        LONG,
        () => `${joined()} do`,
      );
    },
    LONG,
  );

  it(
    'gets every message of several writers to all members once, while alice and bob talk',
    async () => {
      const writers = [alice, ...others.filter((each) => each !== bob).slice(0, WRITERS - 1)];
      const toGroup = writers.flatMap(({ name }) => Array.from({ length: TO_GROUP }, (_, i) => `${name} says ${i}`));
      const toBob = Array.from({ length: TO_BOB }, (_, i) => `for bob alone ${i}`);
      const aside = (async () => {
        for (const text of toBob) await alice.sdk.send('bob', text);
      })();
      for (let i = 0; i < TO_GROUP; i++) for (const writer of writers) await writer.sdk.groups.send(group, `${writer.name} says ${i}`);
      await aside;
      const due = (reader: Person) => toGroup.filter((text) => !text.startsWith(`${reader.name} says`)).sort();
      const lacking = () => [alice, ...others].filter((each) => textsIn(each, group).length < due(each).length);
      await until(
        'all have all',
        () => lacking().length === 0,
        LONG,
        () =>
          lacking()
            .map(({ name }) => name)
            .join(),
      );
      await until('bob has what is for him alone', () => textsIn(bob, 'alice').length === TO_BOB, LONG);
      await until('all receipts are there', () => writers.every(({ sdk }) => sdk.queue().length === 0), LONG);
      for (const reader of [alice, ...others]) expect(textsIn(reader, group).sort()).toEqual(due(reader));
      expect(textsIn(bob, 'alice')).toEqual(toBob);
    },
    LONG,
  );

  it(
    'goes on without whom it removed',
    async () => {
      await alice.sdk.groups.remove(group, ['bob']);
      const left = others.filter((each) => each !== bob);
      await until('all see that bob is out', () => left.every((each) => membersSeenBy(each, group).length === SIZE - 1), LONG);
      await until('bob sees it', () => !isIn(bob, group), LONG);
      await alice.sdk.groups.send(group, 'without bob');
      await until('all have it', () => left.every((each) => textsIn(each, group).includes('without bob')), LONG);
      await alice.sdk.send('bob', 'still friends');
      await until('bob has what is for him', () => textsIn(bob, 'alice').includes('still friends'));
      expect(textsIn(bob, group)).not.toContain('without bob');
    },
    LONG,
  );
});
