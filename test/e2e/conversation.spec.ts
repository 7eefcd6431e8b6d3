import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Server, startServer } from '../harness/dist/index.js';
import { becomeContacts, Person, until } from './people.js';

const WINDOW_SECONDS = 2;

describe.each(['standalone', 'services'] as const)('alice and bob on %s', (kind) => {
  let server: Server;
  let alice: Person;
  let bob: Person;

  beforeAll(async () => {
    server = await startServer(kind, { retryWindowSeconds: WINDOW_SECONDS });
    [alice, bob] = await Promise.all([Person.registers(server, 'alice'), Person.registers(server, 'bob')]);
  }, 180_000);

  afterAll(async () => {
    await Promise.all([alice?.leaves(), bob?.leaves()]);
    await server?.stop();
  }, 30_000);

  it('become contacts and see the same safety number', async () => {
    await becomeContacts(alice, bob);
    expect(alice.sdk.safetyNumber('bob')).toBe(bob.sdk.safetyNumber('alice'));
  });

  it('write to each other, with the time of writing and a receipt', async () => {
    const before = Date.now();
    const hello = await alice.sdk.send('bob', 'hello bob');
    await until(
      'bob has it',
      () => bob.inbox.length === 1,
      20_000,
      () => JSON.stringify([alice.problems, alice.deliveries, bob.problems]),
    );
    const answer = await bob.sdk.send('alice', 'hello alice');
    await until('alice has the answer', () => alice.inbox.length === 1);
    expect(bob.inbox[0]).toMatchObject({ id: hello, from: 'alice', text: 'hello bob' });
    expect(bob.inbox[0]!.sentAt).toBeGreaterThanOrEqual(before);
    expect(bob.inbox[0]!.sentAt).toBeLessThanOrEqual(Date.now());
    await until('alice has the receipt', () => alice.statusesOf(hello).includes('delivered'));
    await until('bob has the receipt', () => bob.statusesOf(answer).includes('delivered'));
  });

  it('alice is told that what she wrote came back, keeps it, and bob gets it once when he returns', async () => {
    await bob.leaves();
    const id = await alice.sdk.send('bob', 'are you there?');
    await until('alice is told', () => alice.statusesOf(id).includes('undelivered'), 1_000 * (WINDOW_SECONDS + 15));
    expect(alice.sdk.queue().map(({ text }) => text)).toEqual(['are you there?']);
    await bob.returns();
    await until('it arrives', () => bob.textsFrom('alice').includes('are you there?'));
    await until('alice has the receipt', () => alice.statusesOf(id).includes('delivered'));
    expect(alice.sdk.queue()).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(bob.textsFrom('alice')).toEqual(['hello bob', 'are you there?']);
  });
});
