import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Server, startServer } from '../harness/dist/index.js';
import { becomeContacts, contactOf, letIn, Person, until } from './people.js';
import { describeMainlyOn } from './topologies.js';

const WINDOW_SECONDS = 2;
/** Bringing a device into each conversation goes by its own times. */
const LONG = 240_000;

const devicesIn = (person: Person, group: string, account: string) =>
  person.sdk.groups.get(group).members.find((member) => member.account === account)?.devices.length ?? 0;

describeMainlyOn('standalone')('a second device of the account, on %s', (kind) => {
  let server: Server;
  let phone: Person;
  let mailbox: Person;
  let bob: Person;
  let carol: Person;
  let group: string;

  beforeAll(async () => {
    server = await startServer(kind, { retryWindowSeconds: WINDOW_SECONDS });
    [phone, bob, carol] = (await Promise.all(['alice', 'bob', 'carol'].map((name) => Person.registers(server, name)) as never)) as [
      Person,
      Person,
      Person,
    ];
    await becomeContacts(phone, bob);
    await becomeContacts(carol, phone);
    group = await phone.sdk.groups.create('tea', ['bob', 'carol']);
    await bob.sdk.send('alice', 'to the phone');
    await until('the phone has it', () => phone.textsFrom('bob').includes('to the phone'));
    await until('all three are in', () => [phone, bob, carol].every((each) => each.sdk.groups.all()[0]?.members.length === 3), 60_000);
  }, LONG);

  afterAll(async () => {
    await Promise.all([phone, mailbox, bob, carol].map((person) => person?.leaves()));
    await server?.stop();
  }, 30_000);

  it(
    'is brought by the first into all conversations, and begins none itself',
    async () => {
      mailbox = await Person.logsIn(server, 'alice');
      await letIn(mailbox, phone);
      const { account } = phone.sdk.account!;
      await until(
        'the mailbox is in the group',
        () => mailbox.sdk.groups.all().length === 1 && devicesIn(bob, group, account) === 2,
        90_000,
      );
      for (const person of [bob, carol]) {
        await person.sdk.send('alice', `from ${person.name}`);
        const story = () => JSON.stringify([phone.problems, mailbox.problems, person.problems, person.deliveries]);
        await until(
          `the mailbox hears ${person.name}`,
          () => mailbox.textsFrom(person.name).includes(`from ${person.name}`),
          90_000,
          story,
        );
      }
      expect([bob, carol].flatMap(({ problems }) => problems)).toEqual([]);
    },
    LONG,
  );

  it(
    'gets what comes while the first is away, and hands it over when the sender has gone',
    async () => {
      await phone.leaves();
      await until('bob knows', () => contactOf(bob, 'alice')?.online === true);
      const ids = [await bob.sdk.send('alice', 'are you there?'), await bob.sdk.groups.send(group, 'is anybody?')];
      await until(
        'the mailbox has both',
        () => ['are you there?', 'is anybody?'].every((text) => mailbox.textsFrom('bob').includes(text)),
        60_000,
      );
      await until('bob has the receipts', () => ids.every((id) => bob.statusesOf(id).includes('delivered')));
      await bob.leaves();
      await carol.leaves();
      await phone.returns();
      await until(
        'the phone has both',
        () => ['are you there?', 'is anybody?'].every((text) => phone.textsFrom('bob').includes(text)),
        90_000,
        () => JSON.stringify([phone.inbox, phone.problems, mailbox.problems]),
      );
      expect(phone.textsFrom('bob').filter((text) => text === 'are you there?')).toHaveLength(1);
    },
    LONG,
  );

  it(
    'follows the first into what begins later',
    async () => {
      await Promise.all([bob.returns(), carol.returns()]);
      const cake = await bob.sdk.groups.create('cake', []);
      await bob.sdk.groups.add(cake, ['alice']);
      await until('both are in', () => [phone, mailbox].every((each) => each.sdk.groups.all().some(({ id }) => id === cake)), 90_000);
    },
    LONG,
  );
});
