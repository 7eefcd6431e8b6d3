import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { itThoroughly } from '@sotto/testing/thoroughly';
import { HOST } from '../../demo/dist/demo-server.js';
import { PASSWORD, People } from './people.js';
import { KEYS, PseudoTerminal } from './pseudo-terminal.js';

const LONG = 120_000;

describe('what a session stores, on a terminal', () => {
  let people: People;

  beforeAll(async () => {
    people = await People.on();
  }, LONG);
  afterAll(() => people.leave(), LONG);

  const storeOf = (name: string) => join(people.folder, 'homes', name, '.local/share/sotto', `${HOST}_${people.server.port}`, name);
  const listOf = (name: string) => join(people.folder, 'homes', name, '.config/sotto/servers.json');
  const isRemembered = async (name: string): Promise<void> => {
    for (let tries = 0; !existsSync(listOf(name)); tries++) {
      if (tries > 500) throw new Error(`${name} is not remembered`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const runs = (name: string, args: readonly string[]) => new PseudoTerminal(name, args, people.env(name));

  itThoroughly(
    'opens by a key file that it makes when its user says so, alone as well, and goes by /panic and a name',
    async () => {
      const key = join(people.folder, 'alice.key');
      const alice = runs('alice', ['join', await people.server.invite('alice'), '--key-file', key]);
      await alice.shows('There is no key file');
      alice.type(`y${KEYS.enter}`);
      await alice.shows('New password for alice@');
      alice.type(`${PASSWORD}${KEYS.enter}`);
      await alice.shows('Once more');
      alice.type(`${PASSWORD}${KEYS.enter}`);
      await alice.shows(/Registered\. Your name/, 60);
      expect((await stat(key)).mode & 0o777).toBe(0o600);
      await isRemembered('alice');
      await alice.leaves();

      const again = runs('alice', []);
      await again.shows('You are alice', 60);
      again.type(`/panic${KEYS.enter}`);
      await again.shows('Type alice to go on');
      again.type(`bob${KEYS.enter}`);
      await again.shows('Nothing was changed');
      expect(existsSync(storeOf('alice'))).toBe(true);
      again.type(`/panic${KEYS.enter}`);
      await again.shows('Type alice to go on');
      again.type(`alice${KEYS.enter}`);
      await again.shows('What cannot be promised');
      expect(existsSync(storeOf('alice'))).toBe(false);
      await again.leaves();
      const remembered = await readFile(listOf('alice'), 'utf8');
      expect(remembered).not.toContain('alice');
    },
    LONG,
  );

  itThoroughly(
    'comes to another machine by an archive, which is remembered there as after sotto join',
    async () => {
      const carol = await people.registers('carol');
      await isRemembered('carol');
      await carol.leaves();
      const archive = [
        join(people.folder, 'carol.sotto'),
        '--password-file',
        people.passwordFile,
        '--passphrase-file',
        people.passwordFile,
      ];
      expect(await runs('carol', ['export', ...archive, '-i', 'carol']).ends()).toBe(0);
      const where = ['-t', HOST, '-p', String(people.server.port), '-k', people.server.pin, '-i', 'carol'];
      const elsewhere = runs('elsewhere', ['import', ...archive, ...where]);
      await elsewhere.shows('0 messages and 0 contacts of carol came in.', 60);
      expect(await elsewhere.ends()).toBe(0);
      expect(await readFile(listOf('elsewhere'), 'utf8')).toContain('"carol"');
      const again = runs('elsewhere', ['import', ...archive, ...where, '--merge']);
      await again.shows('Nothing new: what the archive holds of carol was here already.', 60);
      expect(await again.ends()).toBe(0);
    },
    LONG,
  );

  it(
    'goes by sotto panic, which asks once, by the name',
    async () => {
      const bob = await people.registers('bob');
      await isRemembered('bob');
      await bob.leaves();
      const no = runs('bob', ['panic', '-i', 'bob']);
      await no.shows('Type bob to go on');
      no.type(`yes${KEYS.enter}`);
      expect(await no.ends()).toBe(2);
      expect(existsSync(storeOf('bob'))).toBe(true);
      const yes = runs('bob', ['panic', '-i', 'bob']);
      await yes.shows('Type bob to go on');
      yes.type(`bob${KEYS.enter}`);
      await yes.shows('What cannot be promised');
      expect(await yes.ends()).toBe(0);
      expect(existsSync(storeOf('bob'))).toBe(false);
    },
    LONG,
  );
});
