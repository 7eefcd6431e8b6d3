import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anyServer, type DemoServer, HOST } from './demo-server.js';
import { JsonProcess } from './json-process.js';

const LONG = 120_000;

describe('messages in the sotto command', () => {
  let folder: string;
  let server: DemoServer;
  let alice: JsonProcess;
  let bob: JsonProcess;
  let question: unknown;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-messages-'));
    await writeFile(join(folder, 'password'), 'correct horse battery\n', { mode: 0o600 });
    server = await anyServer(2);
    [alice, bob] = await Promise.all([registers('alice'), registers('bob')]);
    alice.say({ do: 'add', name: 'bob' });
    await bob.hears('request', { name: 'alice' });
    bob.say({ do: 'accept', name: 'alice' });
    await alice.hears('contact', { name: 'bob', state: 'accepted' });
    question = (await alice.ask({ do: 'send', to: 'bob', text: 'Tea at fife?' }, 'sent'))['id'];
    await bob.hears('message', { id: question, text: 'Tea at fife?' });
  }, 180_000);

  afterAll(async () => {
    await Promise.all([alice, bob].map((person) => person?.ends({ do: 'quit' })));
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const device = (name: string) => ['--store', join(folder, name), '--password-file', join(folder, 'password')];

  async function registers(name: string): Promise<JsonProcess> {
    const person = new JsonProcess(name, ['join', await server.invite(name), ...device(name)]);
    await person.hears('ready', { registered: true }, 60);
    return person;
  }

  it(
    'are answered with what they quote, changed, deleted and reacted to',
    async () => {
      bob.say({ do: 'react', message: question, emoji: '☕' });
      await alice.hears('message-changed', { id: question, what: 'reacted', by: 'bob', emoji: '☕' });
      bob.say({ do: 'unreact', message: question });
      await alice.hears('message-changed', { id: question, what: 'unreacted', by: 'bob' });
      alice.say({ do: 'edit', message: question, text: 'Tea at five?' });
      await bob.hears('message-changed', { id: question, what: 'edited', by: 'alice', text: 'Tea at five?' });
      const { id: answer } = await bob.ask({ do: 'reply', message: question, text: 'Yes!' }, 'sent', { to: 'alice' });
      await alice.hears('message', { id: answer, replyTo: question, quote: { from: 'alice', text: 'Tea at five?' } });
      bob.say({ do: 'delete', message: answer });
      await alice.hears('message-changed', { id: answer, what: 'deleted', by: 'bob' });
      const { messages } = await alice.ask({ do: 'history', name: 'bob' }, 'history');
      expect((messages as { text: string }[]).map(({ text }) => text)).toEqual(['Tea at five?', '']);
    },
    LONG,
  );

  it(
    'are found, told to be read, typed, and gone when they expire',
    async () => {
      const { messages } = await bob.ask({ do: 'search', text: 'TEA at' }, 'found', { text: 'TEA at' });
      expect(messages).toMatchObject([{ id: question, conversation: 'alice', edited: true }]);
      await bob.ask({ do: 'read-receipts', on: true }, 'settings', { readReceipts: true });
      bob.say({ do: 'read', message: question });
      await alice.hears('read', { by: 'bob', conversation: 'bob', ids: [question] });
      alice.say({ do: 'typing', in: 'bob' });
      await bob.hears('typing', { by: 'alice', conversation: 'alice' });
      await alice.ask({ do: 'expire', seconds: 5, in: 'bob' }, 'notice');
      const { id } = await alice.ask({ do: 'send', to: 'bob', text: 'burn after reading' }, 'sent');
      await bob.hears('message', { id, text: 'burn after reading' });
      for (const person of [alice, bob]) await person.hears('message-changed', { id, what: 'expired', text: '' });
    },
    LONG,
  );

  it(
    'are not changed by others, nor where they are not known',
    async () => {
      bob.say({ do: 'edit', message: question, text: 'Tea never' });
      await bob.hears('error', { text: 'only its author changes a message' });
      bob.say({ do: 'react', message: '0a'.repeat(16), emoji: '+1', in: 'alice' });
      await bob.hears('error', { text: 'that message is not here' });
      const unknown = await bob.ask({ do: 'expire', seconds: 5, in: 'nobody' }, 'error');
      expect(unknown['text']).toContain('no conversation with nobody');
      const half = await bob.ask({ do: 'send', group: 'tea', text: 'to whom?' }, 'error');
      expect(half['text']).toContain('"send" knows no "group"');
      bob.say({ do: 'retention', days: 0 });
      await bob.hears('error', { text: 'messages are kept for 1 to 36500 days, or for good' });
    },
    LONG,
  );

  it(
    'are sent again or given up, one or all that wait for somebody',
    async () => {
      const carol = await registers('carol');
      alice.say({ do: 'add', name: 'carol' });
      await carol.hears('request', { name: 'alice' });
      carol.say({ do: 'accept', name: 'alice' });
      await alice.hears('contact', { name: 'carol', state: 'accepted' });
      await alice.ask({ do: 'add', name: 'carol' }, 'contact', { name: 'carol', state: 'accepted' });
      const { id: asked } = await carol.ask({ do: 'send', to: 'alice', text: 'Shall we?' }, 'sent');
      await alice.hears('message', { id: asked });
      await carol.ends({ do: 'quit' });
      const queue = async () => (await alice.ask({ do: 'queue' }, 'queue'))['messages'] as Readonly<Record<'id' | 'text', string>>[];
      const { id: first } = await alice.ask({ do: 'reply', message: asked, text: 'We shall' }, 'sent');
      const { id: second } = await alice.ask({ do: 'send', to: 'carol', text: 'at six' }, 'sent');
      for (const id of [first, second]) await alice.hears('delivery', { id, status: 'waiting-for-online' }, 60);
      const before = alice.heard.length;
      await alice.ask({ do: 'resend', message: 'all', in: 'carol' }, 'notice', { text: '2 messages to carol: sent again.' });
      const anew = await queue();
      expect(anew.map(({ text }) => text)).toEqual(['We shall', 'at six']);
      expect(anew.map(({ id }) => id)).toEqual([first, second]);
      for (const id of [first, second]) await alice.hears('delivery', { id, status: 'waiting-for-online' }, 60, before);
      await alice.ask({ do: 'discard', message: anew[0]!.id }, 'delivery', { id: anew[0]!.id, status: 'discarded' });
      await alice.ask({ do: 'discard', message: 'all', in: 'carol' }, 'notice', { text: 'One message to carol: given up.' });
      expect(await queue()).toEqual([]);
      expect((await alice.ask({ do: 'discard', message: 'all', in: 'carol' }, 'error'))['text']).toBe(
        'nothing for carol waits to be given up',
      );
      const { messages } = await alice.ask({ do: 'history', name: 'carol' }, 'history');
      expect(messages).toMatchObject([{ id: asked }, { id: first, discarded: true }, { id: second, discarded: true }]);
      // What was given up reaches nobody, also not by catching up.
      const { id: third } = await alice.ask({ do: 'send', to: 'carol', text: 'after all' }, 'sent');
      const back = new JsonProcess('carol', [
        'join',
        '-t',
        HOST,
        '-p',
        String(server.port),
        '-k',
        server.pin,
        '-i',
        'carol',
        ...device('carol'),
      ]);
      await back.hears('message', { id: third }, 60);
      await alice.hears('delivery', { id: third, status: 'delivered' });
      expect(back.heard.filter(({ event }) => event === 'message').map(({ id }) => id)).toEqual([third]);
      await back.ends({ do: 'quit' });
    },
    LONG,
  );
});
