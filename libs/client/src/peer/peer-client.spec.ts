import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClient, SqliteStore } from '../node/index.js';
import { MemoryStore } from '../storage/memory.store.js';
import { allLeave, Person } from './people.harness.js';

afterEach(allLeave);

describe('peers without a server', () => {
  it('meet, see the same safety number before anything is said, and talk in both directions', async () => {
    const [alice, bob] = [await Person.called('alice'), await Person.called('bob')];
    await bob.client.connect(await alice.listens());
    await alice.sees('bob');
    expect(bob.asked).toEqual([{ name: 'alice', pin: alice.client.pin, safetyNumber: alice.client.safetyNumber('bob') }]);
    expect(bob.client.safetyNumber('alice')).toBe(alice.client.safetyNumber('bob'));
    const id = await bob.client.send('alice', 'hello');
    await alice.reads('hello');
    await alice.client.send('bob', 'hello yourself');
    await bob.reads('hello yourself');
    await bob.delivers(id);
    expect(bob.client.queue()).toEqual([]);
    expect((await alice.client.history('bob')).map(({ from, text }) => `${from}: ${text}`)).toEqual([
      'bob: hello',
      'alice: hello yourself',
    ]);
  });

  it('answer, react to, change and read what the other wrote', async () => {
    const [alice, bob] = [await Person.called('alice'), await Person.called('bob')];
    await bob.client.connect(await alice.listens());
    await alice.sees('bob');
    const id = await bob.client.send('alice', 'shall we?');
    await alice.reads('shall we?');
    await alice.client.react('bob', id, '👍');
    await alice.client.send('bob', 'yes', { replyTo: id });
    await bob.reads('yes');
    expect(bob.of('message').at(-1)).toMatchObject({ text: 'yes', replyTo: id });
    await bob.client.edit('alice', id, 'shall we go?');
    await alice.until('the change', () => alice.of('message-changed').some(({ message }) => message.text === 'shall we go?'));
    expect(await bob.client.message('alice', id)).toMatchObject({ reactions: [{ emoji: '👍', by: ['alice'] }] });
    expect((await alice.client.search('SHALL WE')).map((message) => message.id)).toEqual([id]);
  });

  it('come to one listener in numbers, each to a conversation of its own', async () => {
    const alice = await Person.called('alice');
    const url = await alice.listens();
    const [bob, carol] = [await Person.called('bob'), await Person.called('carol')];
    await Promise.all([bob.client.connect(url), carol.client.connect(url)]);
    await Promise.all([alice.sees('bob'), alice.sees('carol')]);
    await Promise.all([alice.client.send('bob', 'for bob'), alice.client.send('carol', 'for carol')]);
    await Promise.all([bob.reads('for bob'), carol.reads('for carol')]);
    expect([bob.texts, carol.texts]).toEqual([['for bob'], ['for carol']]);
    expect(bob.client.contacts().map(({ name }) => name)).toEqual(['alice']);
  });

  it('keep what is written while the other is away, and send it once when it is back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sotto-peer-'));
    const store = () => SqliteStore.open(join(folder, 'store.db'), 'correct horse battery');
    const alice = await Person.called('alice');
    const url = await alice.listens();
    const before = await Person.called('bob', { store: await store() });
    await before.client.connect(url);
    await alice.sees('bob');
    await before.client.send('alice', 'hello');
    await alice.reads('hello');
    await before.leaves();
    await alice.sees('bob', false);
    const ids = [await alice.client.send('bob', 'one'), await alice.client.send('bob', 'two')];
    await alice.until('waits', () => alice.statusOf(ids[1]!) === 'waiting-for-online');
    const bob = await Person.called('bob', { store: await store() });
    await bob.client.connect(url);
    await Promise.all(ids.map((id) => alice.delivers(id)));
    expect(bob.texts).toEqual(['one', 'two']);
    expect(bob.asked).toEqual([]);
    await bob.leaves();
    await rm(folder, { recursive: true });
  });

  it('come back to a listener that was away, by themselves', async () => {
    const [alice, bob] = [await Person.called('alice'), await Person.called('bob')];
    await bob.client.connect(await alice.listens());
    await alice.sees('bob');
    const { port } = alice.door!;
    alice.door!.close();
    await alice.client.hangUp('bob');
    await bob.sees('alice', false);
    const id = await bob.client.send('alice', 'are you there?');
    await alice.listens(port);
    await alice.reads('are you there?');
    await bob.delivers(id);
  });

  it('may both dial: one link stands, and nothing is lost or shown twice', async () => {
    const [alice, bob] = [await Person.called('alice'), await Person.called('bob')];
    const [toAlice, toBob] = [await alice.listens(), await bob.listens()];
    await bob.client.connect(toAlice);
    await alice.sees('bob');
    const texts = Array.from({ length: 20 }, (_, i) => `message ${i}`);
    const sent = texts.map((text) => bob.client.send('alice', text));
    await alice.client.connect(toBob);
    const ids = await Promise.all(sent);
    for (const id of ids) await bob.delivers(id);
    expect([...alice.texts].sort()).toEqual([...texts].sort());
    await alice.client.send('bob', 'enough');
    await bob.reads('enough');
    // Long enough for several tries of a dialer that does not leave the other's link alone.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect([alice, bob].flatMap((each) => each.of('state')).filter(({ state }) => state === 'online')).toHaveLength(2);
  });

  it('know each other again when the roles change', async () => {
    const [alice, bob] = [await Person.called('alice'), await Person.called('bob')];
    await bob.client.connect(await alice.listens());
    await alice.sees('bob');
    await bob.client.send('alice', 'first');
    await alice.reads('first');
    alice.door!.close();
    await alice.client.connect(await bob.listens());
    await alice.client.send('bob', 'second');
    await bob.reads('second');
    expect(alice.asked).toEqual([]);
    expect([alice, bob].map(({ client }) => client.contacts().length)).toEqual([1, 1]);
  });

  it('refuse a store that is somebody else’s, or an account’s at a server', async () => {
    const store = new MemoryStore();
    await Person.called('alice', { store: keptOpen(store) });
    await allLeave();
    await expect(Person.called('bob', { store: keptOpen(store) })).rejects.toMatchObject({ reason: 'bad-store' });
    const url = 'ws://127.0.0.1:1';
    await expect(openClient({ url, store: keptOpen(store) })).rejects.toMatchObject({ reason: 'bad-store' });
    const account = new MemoryStore();
    await account.commit([{ collection: 'session', key: 'secrets', value: new Uint8Array(1) }]);
    await expect(Person.called('alice', { store: account })).rejects.toMatchObject({ reason: 'bad-store' });
  });
});

function keptOpen(store: MemoryStore) {
  return {
    load: (collection: string) => store.load(collection),
    get: store.get.bind(store),
    commit: store.commit.bind(store),
    close: async () => undefined,
  };
}
