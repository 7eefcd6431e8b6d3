import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Server, startServer } from '../harness/dist/index.js';
import { becomeContacts, contactOf, Person, until } from './people.js';
import { describeMainlyOn } from './topologies.js';

const WINDOW_SECONDS = 2;
const UNDELIVERED_MS = 1_000 * (WINDOW_SECONDS + 15);

describeMainlyOn('standalone')('a device that knows its server already, on %s', (kind) => {
  let server: Server;
  let alice: Person;
  let bob: Person;
  let carol: Person;

  beforeAll(async () => {
    server = await startServer(kind, { retryWindowSeconds: WINDOW_SECONDS });
    [alice, bob, carol] = (await Promise.all(['alice', 'bob', 'carol'].map((name) => Person.registers(server, name)))) as [
      Person,
      Person,
      Person,
    ];
    await becomeContacts(alice, bob);
    await becomeContacts(carol, bob);
  }, 180_000);

  afterAll(async () => {
    await Promise.all([alice?.leaves(), bob?.leaves(), carol?.leaves()]);
    await server?.stop();
  }, 30_000);

  it('comes back by its credential, as the same device and without a password', async () => {
    const before = alice.sdk.account;
    await alice.leaves();
    await alice.returns();
    await until('alice is online', () => alice.states.at(-1)?.state === 'online');
    expect(alice.sdk.account).toEqual(before);
    await alice.sdk.send('bob', 'the same alice');
    await until('bob has it', () => bob.textsFrom('alice').includes('the same alice'));
  });

  it('is reached by nobody whom it blocked, from the moment that block resolves, and still by the others', async () => {
    await carol.sdk.send('bob', 'carol before');
    await until('bob has it', () => bob.textsFrom('carol').includes('carol before'));
    await bob.sdk.block('alice');
    expect(contactOf(bob, 'alice')?.status).toBe('blocked');
    const id = await alice.sdk.send('bob', 'do you read me?');
    await until('alice is told only that it came back', () => alice.statusesOf(id).includes('undelivered'), UNDELIVERED_MS);
    expect(alice.statusesOf(id)).not.toContain('delivered');
    await carol.sdk.send('bob', 'carol after');
    await until('bob has it', () => bob.textsFrom('carol').includes('carol after'));
    expect(bob.inbox.some(({ text }) => text === 'do you read me?')).toBe(false);
  });

  it('keeps a block when it comes back after a restart', async () => {
    await bob.leaves();
    await bob.returns();
    await until('bob is online', () => bob.states.at(-1)?.state === 'online');
    const id = await alice.sdk.send('bob', 'and now?');
    await until('alice is told only that it came back', () => alice.statusesOf(id).includes('undelivered'), UNDELIVERED_MS);
    expect(bob.inbox.some(({ text }) => text === 'and now?')).toBe(false);
  });
});
