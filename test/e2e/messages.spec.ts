import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Message } from '@sotto/client';
import { type Server, startServer } from '../harness/dist/index.js';
import { becomeContacts, letIn, Person, until } from './people.js';
import { describeMainlyOn } from './topologies.js';

const WINDOW_SECONDS = 2;
/** The first device brings the second into the conversation by its own times. */
const LONG = 120_000;

const has = (person: Person, conversation: string, id: string, wanted: (message: Message) => boolean) =>
  until(
    `${person.name} sees it`,
    async () => {
      const message = await person.sdk.message(conversation, id);
      return message !== undefined && wanted(message);
    },
    60_000,
    () => JSON.stringify([person.changes.map(({ change }) => change), person.problems]),
  );

/** Whoever is new to a conversation is in it when it hears what is said there. */
async function hearsAll(newcomer: Person, author: Person, to: string): Promise<void> {
  await until(
    `${newcomer.name}'s other device hears ${author.name}`,
    async () => {
      if (newcomer.inbox.length === 0) await author.sdk.send(to, 'Hello, all of you');
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return newcomer.inbox.length > 0;
    },
    LONG,
  );
}

describeMainlyOn('standalone')('messages between alice and bob, who has two devices, on %s', (kind) => {
  let server: Server;
  let alice: Person;
  let bob: Person;
  let laptop: Person;
  let question: string;

  beforeAll(async () => {
    server = await startServer(kind, { retryWindowSeconds: WINDOW_SECONDS });
    [alice, bob] = await Promise.all([Person.registers(server, 'alice'), Person.registers(server, 'bob')]);
    await becomeContacts(alice, bob);
    laptop = await Person.logsIn(server, 'bob');
    await letIn(laptop, bob);
    await hearsAll(laptop, alice, 'bob');
    question = await alice.sdk.send('bob', 'Tea at fife?');
    for (const device of [bob, laptop]) await has(device, 'alice', question, ({ text }) => text === 'Tea at fife?');
  }, 180_000);

  afterAll(async () => {
    await Promise.all([alice, bob, laptop].map((person) => person?.leaves()));
    await server?.stop();
  }, 30_000);

  it('are answered, and reactions to them come and go, by whichever device', async () => {
    const answer = await bob.sdk.send('alice', 'Yes!', { replyTo: question });
    await bob.sdk.react('alice', question, '☕');
    await has(alice, 'bob', answer, ({ replyTo }) => replyTo === question);
    for (const [person, conversation] of [
      [alice, 'bob'],
      [laptop, 'alice'],
    ] as const)
      await has(person, conversation, question, ({ reactions }) => reactions[0]?.emoji === '☕' && reactions[0].by.join() === 'bob');
    await laptop.sdk.react('alice', question, '☕', false);
    for (const [person, conversation] of [
      [alice, 'bob'],
      [bob, 'alice'],
    ] as const)
      await has(person, conversation, question, ({ reactions }) => reactions.length === 0);
    await has(laptop, 'alice', answer, ({ own, from, text }) => own && from === 'bob' && text === 'Yes!');
    await expect(alice.sdk.edit('bob', answer, 'No!')).rejects.toMatchObject({ reason: 'not-allowed' });
    await expect(alice.sdk.delete('bob', answer)).rejects.toMatchObject({ reason: 'not-allowed' });
  });

  it('are edited and deleted while a device is away, which sees only how they are in the end', async () => {
    await laptop.leaves();
    await alice.sdk.edit('bob', question, 'Tea at five?');
    const slip = await alice.sdk.send('bob', 'my password is hunter2');
    await has(bob, 'alice', slip, ({ text }) => text.includes('hunter2'));
    await alice.sdk.delete('bob', slip);
    await has(bob, 'alice', slip, ({ deleted, text }) => deleted === true && text === '');
    await has(bob, 'alice', question, ({ text, edited }) => text === 'Tea at five?' && edited === true);
    await laptop.returns();
    await has(laptop, 'alice', question, ({ text, edited }) => text === 'Tea at five?' && edited === true);
    for (const [person, conversation] of [
      [alice, 'bob'],
      [bob, 'alice'],
      [laptop, 'alice'],
    ] as const)
      expect(await person.sdk.search('HUNTER2', { conversation })).toEqual([]);
    expect((await alice.sdk.search('tea AT')).map(({ id }) => id)).toEqual([question]);
  });

  it('are given up when they are deleted before they reached anybody', async () => {
    await Promise.all([bob.leaves(), laptop.leaves()]);
    const regret = await alice.sdk.send('bob', 'I never said this');
    await alice.sdk.edit('bob', regret, 'nor this');
    await alice.sdk.delete('bob', regret);
    expect(alice.sdk.queue().map(({ what, text }) => [what, text])).toEqual([['deletion', '']]);
    expect(alice.statusesOf(regret).at(-1)).toBe('discarded');
    await Promise.all([bob.returns(), laptop.returns()]);
    await until('the deletion is delivered', () => alice.sdk.queue().length === 0, 60_000);
    for (const device of [bob, laptop]) expect(await device.sdk.search('this', { conversation: 'alice' })).toEqual([]);
  });

  it('go from both ends when they expire, on the screen and in the store', async () => {
    const id = await alice.sdk.send('bob', 'burn after reading', { expiresInMs: 5_000 });
    await has(bob, 'alice', id, ({ text, expiresAt }) => text === 'burn after reading' && expiresAt! > Date.now() - 60_000);
    for (const [person, conversation] of [
      [alice, 'bob'],
      [bob, 'alice'],
    ] as const) {
      await until(`${person.name} is told`, () =>
        person.changes.some(({ message, change }) => message.id === id && change.what === 'expired'),
      );
      expect(await person.sdk.message(conversation, id)).toBeUndefined();
      expect((await person.sdk.history(conversation)).map(({ text }) => text)).not.toContain('burn after reading');
    }
  });

  it('are told to be read by those who want that, once they do', async () => {
    await bob.sdk.markRead('alice', question);
    const later = await alice.sdk.send('bob', 'and you?');
    await has(bob, 'alice', later, () => true);
    await bob.sdk.changeSettings({ readReceipts: true });
    await bob.sdk.markRead('alice', later);
    await has(alice, 'bob', later, ({ readBy }) => readBy?.join() === 'bob');
    expect((await alice.sdk.message('bob', question))?.readBy).toBeUndefined();
    expect(bob.sdk.queue()).toEqual([]);
    await until('the laptop knows that it is read', () => laptop.reads.some(({ own, ids }) => own && ids.includes(later)));
  });

  it('are announced while they are typed, to whoever is there, and nothing is kept of that', async () => {
    await alice.sdk.typing('bob');
    await alice.sdk.typing('bob');
    for (const device of [bob, laptop])
      await until(`${device.name} is told`, () => device.typing.some(({ conversation, by }) => conversation === 'alice' && by === 'alice'));
    expect(alice.sdk.queue()).toEqual([]);
    expect([alice, bob, laptop].flatMap(({ problems }) => problems.filter(({ code }) => code !== 'pending-device'))).toEqual([]);
  });

  it('arrive at who is invisible, and seems to be away to its contacts as long as it is', async () => {
    const isSeen = () => bob.sdk.contacts().some(({ name, online }) => name === 'alice' && online);
    await until('alice is seen', isSeen);
    await alice.sdk.changeSettings({ invisible: true });
    await until('alice seems to be away', () => !isSeen());
    const id = await bob.sdk.send('alice', 'Are you there?');
    await has(alice, 'bob', id, ({ text }) => text === 'Are you there?');
    expect(isSeen()).toBe(false);
    await alice.sdk.changeSettings({ invisible: false });
    await until('alice is seen again', isSeen);
    await until('the message is delivered', () => bob.sdk.queue().length === 0, 60_000);
  });
});
