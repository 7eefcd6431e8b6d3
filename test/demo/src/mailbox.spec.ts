import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { anyServer, type DemoServer, HOST } from './demo-server.js';
import { JsonProcess } from './json-process.js';

const LONG = 180_000;

describe('sotto mailbox', () => {
  let folder: string;
  let server: DemoServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-mailbox-'));
    await writeFile(join(folder, 'password'), 'correct horse battery\n', { mode: 0o600 });
    server = await anyServer(2);
  }, 100_000);

  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const device = (store: string) => ['--store', join(folder, store), '--password-file', join(folder, 'password')];
  const registers = async (name: string): Promise<JsonProcess> => {
    const person = new JsonProcess(name, ['join', await server.invite(name), ...device(name)]);
    await person.hears('ready', { registered: true }, 60);
    return person;
  };
  const enters = (command: 'join' | 'mailbox', name: string, store: string) =>
    new JsonProcess(store, [command, '-t', HOST, '-p', String(server.port), '-k', server.pin, '-i', name, ...device(store)]);

  it(
    'is let in by another device, keeps what that misses, and hands it over when the sender has gone',
    async () => {
      const [alice, bob] = [await registers('alice'), await registers('bob')];
      alice.say({ do: 'add', name: 'bob' });
      await bob.hears('request', { name: 'alice' });
      bob.say({ do: 'accept', name: 'alice' });
      await alice.hears('contact', { name: 'bob', state: 'accepted' });
      await bob.ask({ do: 'send', to: 'alice', text: 'hello' }, 'sent');
      await alice.hears('message', { text: 'hello' });
      const mailbox = enters('mailbox', 'alice', 'mailbox');
      await mailbox.hears('ready', { pending: true }, 60);
      await alice.hears('approval', { stage: 'asked', name: 'sotto mailbox' });
      alice.say({ do: 'approve' });
      const { code } = await mailbox.hears('approval', { stage: 'compare' });
      await alice.hears('approval', { stage: 'compare', code });
      await alice.ask({ do: 'approve', code }, 'approval', { stage: 'approved' });
      await mailbox.ask({ do: 'approve', code }, 'approval', { stage: 'approved' });
      expect((await mailbox.ask({ do: 'send', to: 'bob', text: 'no' }, 'error'))['text']).toContain('a mailbox understands');
      // A device reads what is written once it is in the conversation, and alice's brings it in within seconds.
      while (!mailbox.heard.some(({ event }) => event === 'kept')) {
        await bob.ask({ do: 'send', to: 'alice', text: 'for all of yours' }, 'sent');
        await pause(1_000);
      }
      await alice.ends({ do: 'quit' });
      const { id } = await bob.ask({ do: 'send', to: 'alice', text: 'while you were away' }, 'sent');
      await mailbox.hears('kept', { from: 'bob', id }, 60);
      await bob.hears('delivery', { id, status: 'delivered' });
      await bob.ends({ do: 'quit' });
      const again = enters('join', 'alice', 'alice');
      await again.hears('message', { from: 'bob', id, text: 'while you were away' }, 90);
      expect(mailbox.heard.filter((heard) => 'text' in heard).map(({ text }) => text)).not.toContain('while you were away');
      await again.ends({ do: 'quit' });
      await mailbox.ends('SIGTERM');
    },
    LONG,
  );
});
