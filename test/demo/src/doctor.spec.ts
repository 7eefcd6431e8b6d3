import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { itThoroughly } from '@sotto/testing/thoroughly';
import { anyServer, type DemoServer, HOST } from './demo-server.js';
import { JsonProcess } from './json-process.js';

const SOTTO = fileURLToPath(new URL('../../../apps/terminal/dist/main.js', import.meta.url));
const PAGE_BYTES = 4_096;

describe('sotto doctor', () => {
  let folder: string;
  let passwordFile: string;
  let server: DemoServer;
  let address: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-doctor-'));
    passwordFile = join(folder, 'password');
    await writeFile(passwordFile, 'correct horse battery\n', { mode: 0o600 });
    server = await anyServer(2);
    address = `${HOST}:${server.port}`;
  }, 100_000);

  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const storeOf = (name: string) => join(folder, name);
  const joins = async (name: string) => {
    const target = await server.invite(name);
    const person = new JsonProcess(name, ['join', target, '--password-file', passwordFile, '--store', storeOf(name)]);
    await person.hears('ready');
    return person;
  };
  /** Its exit code, and how it found each thing. */
  const examines = async (...args: string[]) => {
    const doctor = new JsonProcess('the doctor', ['doctor', ...args]);
    const { code, complaints } = await doctor.fails();
    expect(complaints).toBe('');
    const findings = doctor.heard.filter(({ event }) => event === 'finding');
    return {
      code,
      ...Object.fromEntries(findings.map(({ check, health, text }) => [String(check), `${String(health)}: ${String(text)}`])),
    };
  };
  const of = (name: string) => [address, '-k', server.pin, '-i', name, '--store', storeOf(name)];

  it('finds that all is well, while the store is in use and after', async () => {
    const alice = await joins('alice');
    expect(await examines(...of('alice'))).toMatchObject({
      code: 0,
      connection: expect.stringMatching(/^good/),
      server: expect.stringMatching(/^good/),
      pin: expect.stringMatching(/^good/),
      clock: expect.stringMatching(/^good/),
      store: expect.stringMatching(/^good: .* is in use/),
      session: expect.stringMatching(/^skipped/),
    });
    await alice.ends({ do: 'quit' });
    expect(await examines(...of('alice'), '--password-file', passwordFile)).toMatchObject({
      code: 0,
      store: expect.stringMatching(/^good: .* is whole/),
      session: 'good: the session of alice stands',
    });
  }, 60_000);

  itThoroughly(
    'tells a server with another identity, and one whose identity nobody told',
    async () => {
      expect(await examines(address, '-k', 'ab'.repeat(32))).toMatchObject({
        code: 1,
        pin: expect.stringMatching(/^broken: .*another identity/),
      });
      expect(await examines(address)).toMatchObject({ code: 0, pin: `look: its identity is not known here: ${server.pin}` });
    },
    30_000,
  );

  itThoroughly(
    'tells what is no Sotto server, and where nothing is',
    async () => {
      const web = await webServer();
      const { port } = web.address() as AddressInfo;
      expect(await examines(`${HOST}:${port}`)).toMatchObject({
        code: 1,
        server: expect.stringMatching(/^broken: no Sotto server greets/),
      });
      await new Promise((resolve) => web.close(resolve));
      expect(await examines(`${HOST}:${port}`)).toMatchObject({ code: 1, connection: expect.stringMatching(/^broken: .*ECONNREFUSED/) });
      expect(await examines('nowhere.invalid:7788')).toMatchObject({ code: 1, name: expect.stringMatching(/^broken/) });
    },
    30_000,
  );

  itThoroughly(
    'says of a full server that it is full, and asks no further',
    async () => {
      const full = new WebSocketServer({ port: 0, host: HOST });
      full.on('connection', (socket) => socket.close(1013));
      await once(full, 'listening');
      const doctor = new JsonProcess('the doctor', ['doctor', `${HOST}:${(full.address() as AddressInfo).port}`]);
      expect(await doctor.fails()).toEqual({ code: 1, complaints: '' });
      const found = doctor.heard.find(({ check }) => check === 'server');
      expect(found).toMatchObject({
        health: 'broken',
        text: 'the server is full or busy, try again later',
        advice: expect.stringContaining('-s SIZE'),
      });
      await new Promise((closed) => full.close(closed));
    },
    30_000,
  );

  itThoroughly(
    'sees what befell a store: a kill, readers, damage, another password',
    async () => {
      const bob = await joins('bob');
      await bob.dies();
      expect(await examines(...of('bob'))).toMatchObject({ code: 0, store: expect.stringMatching(/^look: .* was killed/) });
      await writeFile(join(folder, 'another'), 'another password\n');
      const opened = await examines(...of('bob'), '--password-file', join(folder, 'another'));
      expect(opened).toMatchObject({ code: 1, session: expect.stringMatching(/^broken: the password/) });
      expect(await examines(...of('bob'), '--password-file', passwordFile)).toMatchObject({
        code: 0,
        session: expect.stringMatching(/^good/),
      });
      await chmod(storeOf('bob'), 0o755);
      await chmod(join(storeOf('bob'), 'store.db'), 0o644);
      expect(await examines(...of('bob'))).toMatchObject({ code: 0, access: expect.stringMatching(/^look: others/) });
      await damage(join(storeOf('bob'), 'store.db'));
      expect(await examines(...of('bob'))).toMatchObject({ code: 1, store: expect.stringMatching(/^broken/) });
    },
    60_000,
  );

  itThoroughly(
    'goes through the remembered accounts, says what to do in words, and does not ask',
    async () => {
      const config = join(folder, 'config');
      await mkdir(join(config, 'sotto'), { recursive: true });
      const servers = [{ host: HOST, port: server.port, name: 'carol', pin: server.pin, store: storeOf('carol') }];
      await writeFile(join(config, 'sotto', 'servers.json'), JSON.stringify({ servers }));
      const { stdout, status } = spawnSync(process.execPath, [SOTTO, 'doctor'], {
        env: { ...process.env, XDG_CONFIG_HOME: config },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      expect(stdout).toContain(`carol@${address}\n  ✓ ${HOST} is an address`);
      expect(stdout).toContain('  ! nothing is stored at ');
      expect(stdout).toMatch(/0 broken, 1 worth a look, \d+ good\n$/);
      expect(status).toBe(0);
    },
    30_000,
  );
});

async function webServer(): Promise<Server> {
  const web = createServer((_, response) => response.end('hello'));
  await new Promise<void>((resolve) => web.listen(0, HOST, resolve));
  return web;
}

/** Writes over the pages behind the first. */
async function damage(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(2 * PAGE_BYTES, 0x5a), 0, 2 * PAGE_BYTES, PAGE_BYTES);
  await handle.close();
}
