import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Server, startServer } from '../harness/dist/index.js';
import { allIn } from './group-members.js';
import { becomeContacts, Person, until } from './people.js';
import { describeMainlyOn } from './topologies.js';

const LONG = 240_000;

describeMainlyOn('standalone')('somebody who has blocked a member of a group, on %s', (kind) => {
  let server: Server;
  let alice: Person;
  let bob: Person;
  let carol: Person;

  beforeAll(async () => {
    server = await startServer(kind, { retryWindowSeconds: 2 });
    [alice, bob, carol] = await Promise.all([
      Person.registers(server, 'alice'),
      Person.registers(server, 'bob'),
      Person.registers(server, 'carol'),
    ]);
    await becomeContacts(alice, bob);
    await becomeContacts(alice, carol);
    await becomeContacts(bob, carol);
  }, LONG);

  afterAll(async () => {
    await Promise.all([alice, bob, carol].map((person) => person?.leaves()));
    await server?.stop();
  }, 30_000);

  it(
    'is told which messages are theirs, also after a restart, and has no news by them',
    async () => {
      const group = await alice.sdk.groups.create('quarrel', ['bob', 'carol']);
      await allIn(group, [alice, bob, carol]);
      await carol.sdk.block('bob');
      await bob.sdk.groups.send(group, 'are you there, carol?');
      await alice.sdk.groups.send(group, 'she hears me');
      const heard = () => carol.inbox.filter(({ conversation }) => conversation === group);
      await until('carol has both', () => heard().length === 2);
      expect(Object.fromEntries(heard().map(({ text, fromBlocked = false }) => [text, fromBlocked]))).toEqual({
        'are you there, carol?': true,
        'she hears me': false,
      });
      expect(await carol.sdk.unread(group)).toBe(1);
      await carol.leaves();
      await carol.returns();
      expect(await carol.sdk.unread(group)).toBe(1);
      expect((await carol.sdk.history(group)).filter(({ fromBlocked }) => fromBlocked)).toMatchObject([{ text: 'are you there, carol?' }]);
      await until('carol is online', () => carol.states.at(-1)?.state === 'online');
      await carol.sdk.unblock('bob');
      expect((await carol.sdk.history(group)).every(({ fromBlocked }) => fromBlocked === undefined)).toBe(true);
    },
    LONG,
  );
});
