import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseJoinLink } from '@sotto/terminal';
import { itThoroughly } from '@sotto/testing/thoroughly';
import { type DemoServer, HOST, hostStandalone } from './demo-server.js';
import { JsonProcess } from './json-process.js';
import { playStory } from './story.js';

const RETRY_WINDOW_SECONDS = 2;

describe('the sotto command', () => {
  let folder: string;
  let passwordFile: string;
  let server: DemoServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-command-'));
    passwordFile = join(folder, 'password');
    await writeFile(passwordFile, 'correct horse battery\nsecond line\n', { mode: 0o600 });
    server = await hostStandalone(folder, RETRY_WINDOW_SECONDS);
  }, 100_000);

  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const joins = (name: string, ...options: string[]) =>
    new JsonProcess(name, ['join', '-t', HOST, '-p', String(server.port), '-i', name, '--password-file', passwordFile, ...options]);

  it('lets two people talk, keeps what one misses, and brings it once', async () => {
    const told: string[] = [];
    await playStory({ server, folder, passwordFile, retryWindowSeconds: RETRY_WINDOW_SECONDS, tell: (line) => told.push(line) });
    expect(told.at(-1)).toBe('the queue of alice is empty');
  }, 120_000);

  it('sends no password to a server whose identity it was not told, and says how to go on', async () => {
    const carol = joins('carol', '--store', join(folder, 'carol'));
    await expect(carol.hears('ready')).rejects.toThrow(/-k PIN, or --trust-new/);
  }, 30_000);

  it('refuses a server that shows another identity than the pinned one', async () => {
    const carol = joins('carol', '--store', join(folder, 'carol'), '-k', 'ab'.repeat(32));
    await expect(carol.hears('ready')).rejects.toThrow(/another identity/);
  }, 30_000);

  it('does not register whoever only logs in', async () => {
    const carol = joins('carol', '--store', join(folder, 'carol'), '-k', server.pin);
    await expect(carol.hears('ready')).rejects.toThrow(/sotto: /);
  }, 30_000);

  itThoroughly(
    'says that a port is taken',
    async () => {
      const second = new JsonProcess('a second server', ['host', '-p', String(server.port), '--data', join(folder, 'second')]);
      await expect(second.hears('listening', {}, 60)).rejects.toThrow(/port \d+ is taken/);
    },
    70_000,
  );

  itThoroughly(
    'names in its links what others reach it by, also in those that are made later',
    async () => {
      const data = join(folder, 'public');
      const host = new JsonProcess('a public server', ['host', '-p', '0', '--data', data, '--public', 'chat.example.org:443']);
      const { address, pin, invite } = await host.hears('listening', {}, 60);
      expect(address).toBe('chat.example.org:443');
      expect(parseJoinLink((invite as { link: string }).link)).toMatchObject({ host: 'chat.example.org', port: 443, pin });
      const { link } = await new JsonProcess('sotto invite', ['invite', 'bob', '--data', data]).hears('invite');
      expect(parseJoinLink(String(link))).toMatchObject({ host: 'chat.example.org', port: 443, pin, name: 'bob' });
      await host.ends('SIGTERM');
    },
    90_000,
  );

  itThoroughly(
    'lets in as many connections as it was told, and tells one more that it is full',
    async () => {
      const small = await hostStandalone(join(folder, 'small'), RETRY_WINDOW_SECONDS, { size: 1 });
      const enter = async (name: string) =>
        new JsonProcess(name, ['join', await small.invite(name), '--password-file', passwordFile, '--store', join(folder, 'small', name)]);
      const erin = await enter('erin');
      await erin.hears('ready');
      await expect((await enter('frank')).hears('ready')).rejects.toThrow(/the server is full or busy/);
      await erin.ends({ do: 'quit' });
      await small.stop();
    },
    100_000,
  );

  it('answers a line that it does not understand, and goes on', async () => {
    const dave = new JsonProcess('dave', [
      'join',
      await server.invite('dave'),
      '--password-file',
      passwordFile,
      '--store',
      join(folder, 'dave'),
    ]);
    await dave.hears('ready');
    expect((await dave.ask({ do: 'fly' }, 'error'))['text']).toContain('"do" is one of');
    expect((await dave.ask({ do: 'send', text: 'to whom?' }, 'error'))['text']).toContain('/to NAME');
    expect((await dave.ask({ do: 'contacts' }, 'contacts'))['contacts']).toEqual([]);
    await dave.ends('SIGTERM');
  }, 30_000);
});

describe('npm run demo', () => {
  itThoroughly(
    'plays the story to its end on separate services',
    async () => {
      const demo = fileURLToPath(new URL('../dist/demo.js', import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, [demo, '--services']);
      expect(stdout).toContain('starting the services over NATS, Redis and PostgreSQL');
      expect(stdout).toMatch(/All of it happened\.\n$/);
    },
    240_000,
  );
});
