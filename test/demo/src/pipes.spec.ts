import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { itThoroughly } from '@sotto/testing/thoroughly';
import { anyServer, type DemoServer, HOST } from './demo-server.js';
import { JsonProcess } from './json-process.js';
import { runText } from './text-process.js';

describe('sotto join in a pipe', () => {
  let folder: string;
  let server: DemoServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-pipes-'));
    await writeFile(join(folder, 'password'), 'correct horse battery\n', { mode: 0o600 });
    server = await anyServer(1);
  }, 100_000);

  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const stored = (name: string) => ['--store', join(folder, name), '--password-file', join(folder, 'password')];
  const registers = async (name: string) => {
    const person = new JsonProcess(name, ['join', await server.invite(name), ...stored(name)]);
    await person.hears('ready');
    return person;
  };
  const as = (name: string, pin = server.pin) => ['join', '-t', HOST, '-p', String(server.port), '-k', pin, '-i', name];
  const pipes = (name: string, ...lines: string[]) => runText([...as(name), ...stored(name)], lines.map((line) => `${line}\n`).join(''));

  it('delivers what was written, or says what stays here and ends with 1', async () => {
    const [alice, carol] = [await registers('alice'), await registers('carol')];
    alice.say({ do: 'add', name: 'carol' });
    await carol.hears('request');
    carol.say({ do: 'accept', name: 'alice' });
    await alice.hears('contact', { name: 'carol', state: 'accepted' });
    await alice.ends({ do: 'quit' });
    expect(await pipes('alice', '/to carol', 'hi', 'again')).toMatchObject({ code: 0, complaints: '' });
    await carol.hears('message', { text: 'hi' });
    await carol.hears('message', { text: 'again' });
    await carol.ends({ do: 'quit' });
    const { code, out, complaints } = await pipes('alice', '/to carol', 'are you there?', '/to dave');
    expect(out).toMatch(/#\d+ to carol \(.*\): are you there\?\n$/);
    expect(complaints).toBe(
      'sotto: a line could not be done, as told above; not delivered: a message stays here until sotto runs as you again\n',
    );
    expect(code).toBe(1);
  }, 90_000);

  it('says in its own words that nobody takes what it prints', async () => {
    const gina = await registers('gina');
    await gina.ends({ do: 'quit' });
    const full = await open('/dev/full', 'w');
    const { code, complaints } = await runText([...as('gina'), ...stored('gina')], '/contacts\n'.repeat(50), {}, full.fd);
    await full.close();
    expect(complaints).toBe('sotto: nobody takes the output any more (ENOSPC): no further line was read\n');
    expect(code).toBe(1);
  }, 90_000);

  itThoroughly(
    'says at once what cannot be, whatever follows',
    async () => {
      const erin = await registers('erin');
      await erin.ends({ do: 'quit' });
      const { code, out, complaints } = await pipes(
        'erin',
        '/group new "tea & cake"',
        '/to tea & cake',
        '/to "tea & cake"',
        '/expire 0s',
        '/add erin',
        '/decline ghost',
        '/remove ghost',
        '/unblock ghost',
        '/group leave tea',
        '/approve 111111',
        '/quit',
      );
      expect(out).toContain('! tea is no contact (yet): a name with spaces goes in quotes, "tea & cake"\n');
      expect(out).toContain('! a message expires after 5 seconds to 10 years\n');
      expect(out).toContain('! that is your own name\n');
      expect(out).toContain('! there is no open request of ghost\n');
      expect(out).toContain('! nobody in the list of contacts is called ghost\n');
      expect(out).toContain('! nobody is blocked who is called ghost\n');
      expect(out).toContain('! there is no group tea: a name with spaces goes in quotes, "tea & cake"\n');
      expect(out).toContain(
        '! 111111 is no code (eight digits, as both devices show them), and no device begins so: /devices lists them\n',
      );
      expect(complaints).toBe('sotto: 8 lines could not be done, as told above\n');
      expect(code).toBe(1);
    },
    60_000,
  );

  itThoroughly(
    'tells who has no account what it takes',
    async () => {
      const { code, complaints } = await pipes('nobody', '/contacts');
      expect(complaints).toContain('Your name has its tag, if the server gave one (alice.1234); who has no account yet needs an invite\n');
      expect(code).toBe(1);
    },
    60_000,
  );

  itThoroughly(
    'knows a server by the pin that is remembered of it, also for a mailbox and the doctor',
    async () => {
      const frank = await registers('frank');
      await frank.ends({ do: 'quit' });
      const config = join(folder, 'config');
      const remembers = async (pin: string) => {
        await mkdir(join(config, 'sotto'), { recursive: true });
        const servers = [{ host: HOST, port: server.port, name: 'gwen', pin }];
        await writeFile(join(config, 'sotto', 'servers.json'), JSON.stringify({ servers }));
      };
      const at = ['-t', HOST, '-p', String(server.port), '-i', 'frank', ...stored('frank-mailbox')];
      const asks = (...args: string[]) => runText(args, '/help\n/reset-key\n/quit\n', { XDG_CONFIG_HOME: config });
      await remembers('ab'.repeat(32));
      expect((await asks('mailbox', ...at)).complaints).toContain('somebody may stand between');
      await remembers(server.pin);
      expect((await asks('doctor', `${HOST}:${server.port}`)).out).toContain('it shows the identity that is known here');
      const { code, out } = await asks('mailbox', ...at);
      expect(out).toContain('A mailbox understands, while its input is open:\n');
      expect(out).toContain(
        'a mailbox understands /approve, /deny, /devices, /invisible, /help and /quit: all else is done with sotto join\n',
      );
      expect(code).toBe(0);
    },
    60_000,
  );

  itThoroughly(
    'leaves nothing of a device that never came to be',
    async () => {
      const data = join(folder, 'data');
      for (const command of ['join', 'mailbox']) {
        // Nobody listens on port 1.
        const where = ['-t', HOST, '-p', '1', '-i', 'nobody', '--password-file', join(folder, 'password')];
        const { code } = await runText([command, ...where], '', { XDG_DATA_HOME: data });
        expect({ code, left: await readdir(join(data, 'sotto')) }).toEqual({ code: 1, left: [] });
      }
    },
    60_000,
  );

  itThoroughly(
    'warns of a server with another identity than the one that is known, before the log-in and after, and ends with 1',
    async () => {
      const bob = await registers('bob');
      await bob.ends({ do: 'quit' });
      for (const store of ['bob', 'new']) {
        const { code, complaints } = await runText([...as('bob', 'ab'.repeat(32)), ...stored(store)]);
        expect(complaints).toMatch(/^sotto: the server shows another identity than .* by another way, .*somebody may stand between\n$/);
        expect(code).toBe(1);
      }
    },
    60_000,
  );
});
