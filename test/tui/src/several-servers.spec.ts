import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HOST, hostStandalone } from '../../demo/dist/demo-server.js';
import { People } from './people.js';
import { KEYS, LARGE, PseudoTerminal } from './pseudo-terminal.js';

const LONG = 180_000;

describe('one session with accounts on several servers', () => {
  let people: People;
  let other: Awaited<ReturnType<typeof hostStandalone>>;
  let isOtherUp = true;

  beforeAll(async () => {
    people = await People.on();
    await mkdir(join(people.folder, 'other'));
    other = await hostStandalone(join(people.folder, 'other'), 2, { size: 50 });
  }, LONG);
  afterAll(async () => {
    if (isOtherUp) await other?.stop();
    await people?.leave();
  }, LONG);

  it(
    'joins a second one by a link, opens both with one password, and goes on when one is down',
    async () => {
      const alice = await people.registers('alice', LARGE);
      alice.type(`/servers add ${await other.invite('alice_b')}${KEYS.enter}`);
      await alice.shows('New password for alice_b@');
      for (let i = 0; i < 2; i++) {
        alice.type(`correct horse battery${KEYS.enter}`);
        if (i === 0) await alice.shows('Once more');
      }
      await alice.shows(`▣ alice_b@${HOST}:${other.port}`);
      await alice.shows('is remembered');
      expect(await alice.leaves()).toBe(0);

      const file = join(people.folder, 'homes', 'alice', '.config', 'sotto', 'servers.json');
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const { servers } = JSON.parse(await readFile(file, 'utf8')) as { servers: unknown[] };
      expect(servers).toMatchObject([
        { name: 'alice', port: people.server.port, pin: people.server.pin },
        { name: 'alice_b', port: other.port, pin: other.pin },
      ]);

      const both = new PseudoTerminal('alice', [], people.env('alice'), LARGE);
      await both.shows('Password for alice@');
      both.type(`correct horse battery${KEYS.enter}`);
      await both.shows(`▣ alice@${HOST}:${people.server.port}`);
      await both.shows(`▣ alice_b@${HOST}:${other.port}`);
      await other.stop();
      isOtherUp = false;
      await both.shows(`□ alice_b@${HOST}:${other.port}`);
      expect(await both.leaves()).toBe(0);

      const again = new PseudoTerminal('alice', ['--password-file', people.passwordFile], people.env('alice'), LARGE);
      await again.shows(`▣ alice@${HOST}:${people.server.port}`);
      await again.shows(`□ alice_b@${HOST}:${other.port}`);

      const bob = await people.registers('bob');
      again.type(`/add bob${KEYS.enter}`);
      await bob.shows('? alice');
      bob.type(`/accept alice${KEYS.enter}`);
      await again.shows('● bob');
      again.type(`/to bob${KEYS.enter}`);
      await again.shows(/ bob ● online/);
      again.type(`the other is down${KEYS.enter}`);
      await bob.shows('● alice');
      bob.type(`/to alice${KEYS.enter}`);
      await bob.shows('alice the other is down');
      again.type(`/servers remove ${HOST}:${other.port}${KEYS.enter}`);
      await again.shows('is closed and forgotten');
      expect(again.text).not.toContain('alice_b');
      expect(await again.leaves()).toBe(0);
      expect(await readFile(file, 'utf8')).not.toContain('alice_b');
      await bob.leaves();
    },
    LONG,
  );
});
