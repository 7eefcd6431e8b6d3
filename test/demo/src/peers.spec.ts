import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { itThoroughly } from '@sotto/testing/thoroughly';
import { anyServer } from './demo-server.js';
import { JsonProcess } from './json-process.js';

const HOST = '127.0.0.1';

describe('the sotto command without a server', () => {
  let folder: string;
  let port: number;
  let pin: string;
  const processes: JsonProcess[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-peers-'));
    await writeFile(join(folder, 'passphrase'), 'correct horse battery\n', { mode: 0o600 });
    await writeFile(join(folder, 'another'), 'another horse battery\n', { mode: 0o600 });
  });

  afterEach(async () => {
    for (const each of processes.splice(0)) await each.dies();
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  function sotto(name: string, words: readonly string[], store = name, passphrase = 'passphrase'): JsonProcess {
    const args = [...words, '-i', name, '--store', join(folder, store), '--passphrase-file', join(folder, passphrase)];
    const started = new JsonProcess(name, args);
    processes.push(started);
    return started;
  }

  const listens = (...more: string[]) => sotto('alice', ['listen', '-p', String(port ?? 0), ...more]);
  const connects = (name = 'bob', ...more: string[]) => sotto(name, ['connect', `${HOST}:${port}`, ...more]);
  const texts = ({ heard }: JsonProcess) => heard.filter(({ event }) => event === 'message').map(({ text }) => text);

  it('lets alice and bob talk, kills bob, and brings what was written meanwhile once he is back', async () => {
    const alice = listens();
    ({ port, pin } = (await alice.hears('listening')) as unknown as { port: number; pin: string });
    const bob = connects('bob', '-k', pin);
    const seen = [await alice.hears('safety-number', { name: 'bob' }), await bob.hears('safety-number', { name: 'alice' })];
    expect(seen[0]!['number']).toBe(seen[1]!['number']);
    bob.say({ do: 'send', text: 'hello alice' });
    await alice.hears('message', { from: 'bob', text: 'hello alice' });
    const greeting = await alice.ask({ do: 'send', to: 'bob', text: 'hello bob' }, 'sent');
    await bob.hears('message', { from: 'alice', text: 'hello bob' });
    await alice.hears('delivery', { id: greeting['id'], status: 'delivered' });

    await bob.dies();
    await alice.hears('presence', { name: 'bob', online: false });
    const { id } = await alice.ask({ do: 'send', text: 'while you were away' }, 'sent');
    await alice.hears('delivery', { id, status: 'waiting-for-online' });
    const queue = await alice.ask({ do: 'queue' }, 'queue');
    expect(queue['messages']).toEqual([expect.objectContaining({ id, to: 'bob', text: 'while you were away' })]);

    const again = connects();
    await again.hears('message', { from: 'alice', text: 'while you were away' });
    await alice.hears('delivery', { id, status: 'delivered' });
    again.say({ do: 'send', text: 'here I am again' });
    await alice.hears('message', { from: 'bob', text: 'here I am again' });
    expect(texts(again)).toEqual(['while you were away']);
    const history = await again.ask({ do: 'history', name: 'alice' }, 'history');
    expect(history['messages']).toHaveLength(4);

    await alice.dies();
    await again.hears('connection', { state: 'offline' });
    const later = await again.ask({ do: 'send', text: 'are you there?' }, 'sent');
    const back = listens();
    await back.hears('message', { from: 'bob', text: 'are you there?' }, 60);
    await again.hears('delivery', { id: later['id'], status: 'delivered' });
    expect(texts(back)).toEqual(['are you there?']);
    await again.ends({ do: 'quit' });
    await back.ends('SIGTERM');
  }, 120_000);

  itThoroughly(
    'says what is wrong, and ends',
    async () => {
      const alice = listens();
      await alice.hears('listening');
      expect(await connects('bob', '-k', '00'.repeat(32)).fails()).toEqual({
        code: 1,
        complaints: expect.stringContaining('another identity'),
      });
      const locked = sotto('bob', ['connect', `${HOST}:${port}`], 'bob', 'another');
      expect(await locked.fails()).toEqual({ code: 2, complaints: expect.stringContaining('does not open') });
      const unasked = connects('carol');
      expect(await unasked.fails()).toEqual({ code: 1, complaints: expect.stringContaining(pin) });
      const taken = sotto('dave', ['listen', '-p', String(port)]);
      expect(await taken.fails()).toEqual({ code: 2, complaints: expect.stringContaining(`port ${port} is in use`) });
      const twice = sotto('alice', ['listen', '-p', '0']);
      expect(await twice.fails()).toEqual({ code: 2, complaints: expect.stringContaining('runs with this store already') });
      const [nobody] = [sotto('erin', ['connect', `${HOST}:1`])];
      expect(await nobody.fails()).toEqual({ code: 1, complaints: expect.stringContaining('nobody listens there') });
      await alice.ends('SIGTERM');
    },
    60_000,
  );

  itThoroughly(
    'tells a server from a peer',
    async () => {
      const server = await anyServer(2);
      const wrong = sotto('erin', ['connect', `${HOST}:${server.port}`]);
      expect(await wrong.fails()).toEqual({ code: 1, complaints: expect.stringContaining('a Sotto server answers there') });
      await server.stop();
    },
    60_000,
  );

  itThoroughly(
    'warns of a changed key, sends it nothing, and goes on when it is confirmed',
    async () => {
      const alice = listens();
      await alice.hears('listening');
      const { id } = await alice.ask({ do: 'send', to: 'bob', text: 'for the one I know' }, 'sent');
      const stranger = sotto('bob', ['connect', `${HOST}:${port}`, '--trust-new'], 'stranger');
      expect(await stranger.fails()).toEqual({ code: 1, complaints: expect.stringContaining('with another key') });
      const warning = await alice.hears('notice', { code: 'key-changed' });
      expect(warning).toMatchObject({ contact: 'bob', text: expect.stringContaining('ANOTHER KEY') });
      expect(await alice.ask({ do: 'add', name: 'carol' }, 'error')).toMatchObject({ text: expect.stringContaining('takes a server') });
      alice.say({ do: 'confirm', name: 'bob' });
      await alice.hears('safety-number', { name: 'bob' });
      const again = sotto('bob', ['connect', `${HOST}:${port}`, '--trust-new'], 'stranger');
      await again.hears('message', { from: 'alice', text: 'for the one I know' });
      await alice.hears('delivery', { id, status: 'delivered' });
      await again.ends({ do: 'quit' });
      await alice.ends({ do: 'quit' });
    },
    60_000,
  );

  itThoroughly(
    'stops where another answers for somebody it knows, and waits for the word of the user',
    async () => {
      const impostor = sotto('alice', ['listen', '-p', String(port)], 'impostor');
      await impostor.hears('listening');
      const bob = sotto('bob', ['connect', `${HOST}:${port}`], 'stranger');
      await bob.hears('notice', { code: 'key-changed' });
      await bob.hears('connection', { state: 'refused' });
      bob.say({ do: 'send', to: 'alice', text: 'for the alice I know' });
      await bob.hears('sent', { to: 'alice' });
      expect(impostor.heard.map(({ event }) => event)).toEqual(['ready', 'listening']);
      await bob.ends({ do: 'quit' });
      await impostor.ends({ do: 'quit' });
    },
    60_000,
  );

  itThoroughly(
    'reaches another peer from within a session',
    async () => {
      const alice = listens();
      await alice.hears('listening');
      const carol = sotto('carol', ['listen', '-p', '0', '--trust-new']);
      await carol.hears('listening');
      carol.say({ do: 'connect', address: `${HOST}:${port}` });
      await carol.hears('connection', { state: 'online', peer: `${HOST}:${port}` });
      carol.say({ do: 'send', text: 'hello from a listener' });
      await alice.hears('message', { from: 'carol', text: 'hello from a listener' });
      await carol.ends({ do: 'quit' });
      await alice.ends({ do: 'quit' });
    },
    60_000,
  );
});
