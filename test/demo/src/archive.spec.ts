import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { itThoroughly } from '@sotto/testing/thoroughly';
import { anyServer, type DemoServer, HOST } from './demo-server.js';
import { type Heard, JsonProcess } from './json-process.js';

const LONG = 180_000;

describe('what a device stores', () => {
  let folder: string;
  let server: DemoServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-archive-'));
    await writeFile(join(folder, 'password'), 'correct horse battery\n', { mode: 0o600 });
    await writeFile(join(folder, 'passphrase'), 'a passphrase for the attic\n', { mode: 0o600 });
    server = await anyServer(2);
  }, 100_000);

  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const file = (name: string) => join(folder, name);
  const where = () => ['-t', HOST, '-p', String(server.port), '-k', server.pin];
  const device = (store: string) => ['--store', file(store), '--password-file', file('password')];
  const archive = (name: string) => [file(name), '--passphrase-file', file('passphrase')];
  const registers = async (name: string, ...more: string[]): Promise<JsonProcess> => {
    const person = new JsonProcess(name, ['join', await server.invite(name), ...device(name), ...more]);
    await person.hears('ready', { registered: true }, 60);
    return person;
  };
  const enters = (name: string, store: string, ...more: string[]) =>
    new JsonProcess(store, ['join', ...where(), '-i', name, ...device(store), ...more]);
  const runs = async (args: string[], event: string): Promise<Heard> => {
    const command = new JsonProcess(args[0]!, args);
    const heard = await command.hears(event, {}, 60);
    await command.fails();
    return heard;
  };
  const complaint = async (args: string[]): Promise<string> => {
    const { code, complaints } = await new JsonProcess(args[0]!, args).fails();
    expect(code).toBe(2);
    return complaints;
  };

  itThoroughly(
    'goes into an archive and out of it, as another device; the old one goes on, and is destroyed in the end',
    async () => {
      const [alice, bob] = [await registers('alice'), await registers('bob')];
      alice.say({ do: 'add', name: 'bob' });
      await bob.hears('request', { name: 'alice' });
      bob.say({ do: 'accept', name: 'alice' });
      await alice.hears('contact', { name: 'bob', state: 'accepted' });
      await bob.ask({ do: 'send', to: 'alice', text: 'hello' }, 'sent');
      await alice.hears('message', { text: 'hello' });

      // One device is one process, for exporting as well.
      expect(await complaint(['export', ...archive('a.sotto'), ...where(), '-i', 'alice', ...device('alice')])).toContain(
        'runs with this store',
      );
      await alice.ends({ do: 'quit' });
      const exported = await runs(['export', ...archive('a.sotto'), ...where(), '-i', 'alice', ...device('alice')], 'exported');
      expect(exported).toMatchObject({ messages: 1 });
      expect(await complaint(['export', ...archive('a.sotto'), ...where(), '-i', 'alice', ...device('alice')])).toContain(
        'is there already',
      );

      expect(await complaint(['import', ...archive('a.sotto'), ...where(), '-i', 'bobby', ...device('new')])).toContain(
        'this archive is of alice',
      );
      expect(existsSync(join(file('new'), 'store.db'))).toBe(false);
      const imported = await runs(['import', ...archive('a.sotto'), ...where(), '-i', 'alice', ...device('new')], 'imported');
      expect(imported).toMatchObject({ messages: 1, contacts: 1, loggedIn: true });
      expect(await complaint(['import', ...archive('a.sotto'), ...where(), '-i', 'alice', ...device('new')])).toContain('already: merge');
      const merge = ['import', ...archive('a.sotto'), ...where(), '-i', 'alice', ...device('new'), '--merge'];
      expect(await runs(merge, 'imported')).toMatchObject({ messages: 0 });

      const [old, fresh] = [enters('alice', 'alice'), enters('alice', 'new')];
      await Promise.all([old.hears('ready', {}, 60), fresh.hears('ready', { pending: false }, 60)]);
      fresh.say({ do: 'history', name: 'bob' });
      await fresh.hears('history', { name: 'bob' });
      expect(JSON.stringify(fresh.heard)).toContain('hello');
      await fresh.ask({ do: 'send', to: 'bob', text: 'from the new one' }, 'sent');
      await bob.hears('message', { from: 'alice', text: 'from the new one' }, 60);

      // One ends from within, with its session; the other from outside.
      fresh.say({ do: 'panic', name: 'bob' });
      await fresh.hears('notice', { text: 'Nothing was changed.' });
      await fresh.ends({ do: 'panic', name: 'alice', everywhere: true });
      await fresh.hears('destroyed', { revoked: true, left: [] });
      expect(existsSync(file('new'))).toBe(false);
      const { devices } = (await old.ask({ do: 'devices' }, 'devices')) as unknown as { devices: { revoked: boolean }[] };
      expect(devices.filter(({ revoked }) => revoked)).toHaveLength(1);
      await old.ends({ do: 'quit' });
      expect(await complaint(['panic', ...where(), '-i', 'alice', '--store', file('alice')])).toContain('--yes');
      const destroyed = await runs(['panic', ...where(), '-i', 'alice', ...device('alice'), '--yes', '--everywhere'], 'destroyed');
      expect(destroyed).toMatchObject({ revoked: true, inUse: false, left: [] });
      expect(existsSync(file('alice'))).toBe(false);
      // And while a sotto runs, which is told.
      const atBobs = await runs(['panic', ...where(), '-i', 'bob', '--store', file('bob'), '--yes'], 'destroyed');
      expect(atBobs).toMatchObject({ inUse: true, left: [] });
      await bob.dies();
    },
    LONG,
  );

  it(
    'comes out of an archive though the server is away, and logs in when it is not',
    async () => {
      const carol = await registers('carol');
      await carol.ends({ do: 'quit' });
      await runs(['export', ...archive('c.sotto'), ...where(), '-i', 'carol', ...device('carol')], 'exported');
      const nowhere = ['-t', HOST, '-p', '1', '-k', server.pin];
      const imported = await runs(['import', ...archive('c.sotto'), ...nowhere, '-i', 'carol', ...device('carol-2')], 'imported');
      expect(imported).toMatchObject({ loggedIn: false });
      const again = enters('carol', 'carol-2');
      await again.hears('ready', { name: 'carol', pending: false, registered: false }, 60);
      await again.ends({ do: 'quit' });
    },
    LONG,
  );

  itThoroughly(
    'opens by a key file, without a password but to log in',
    async () => {
      const key = ['--key-file', file('key')];
      expect(await complaint(['join', await server.invite('dora'), ...device('dora'), ...key])).toContain('--new-key-file makes it');
      const dora = await registers('dora', ...key, '--new-key-file');
      await dora.ends({ do: 'quit' });
      const again = new JsonProcess('dora', ['join', ...where(), '-i', 'dora', '--store', file('dora'), ...key]);
      await again.hears('ready', {}, 60);
      await again.ends({ do: 'quit' });
      expect(await complaint(['join', ...where(), '-i', 'dora', ...device('dora')])).toContain('opens by a key file');
      await writeFile(file('another'), new Uint8Array(32), { mode: 0o600 });
      const wrong = ['join', ...where(), '-i', 'dora', '--store', file('dora'), '--key-file', file('another')];
      expect(await complaint(wrong)).toContain('this key file does not open');
      await chmod(file('key'), 0o644);
      const open = new JsonProcess('dora', ['join', ...where(), '-i', 'dora', '--store', file('dora'), ...key]);
      await open.hears('ready', {}, 60);
      await open.ends({ do: 'quit' });
      expect((await open.fails()).complaints).toContain('chmod 600');
    },
    LONG,
  );

  itThoroughly(
    'is refused when it is damaged, with what to do',
    async () => {
      const erna = await registers('erna');
      await erna.ends({ do: 'quit' });
      const store = join(file('erna'), 'store.db');
      const whole = await readFile(store);
      const damages = [
        whole.subarray(0, whole.length - 1_000),
        Buffer.from(whole.map((byte, i) => (i === 3 ? byte ^ 1 : byte))),
        Buffer.from(whole.map((byte, i) => (i >= 8_192 && i % 64 === 0 ? byte ^ 0xff : byte))),
      ];
      for (const damaged of damages) {
        await writeFile(store, damaged);
        expect(await complaint(['join', ...where(), '-i', 'erna', ...device('erna')])).toContain('sotto import FILE');
      }
    },
    LONG,
  );
});
