import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { itThoroughly } from '@sotto/testing/thoroughly';
import { HOST } from '../../demo/dist/demo-server.js';
import { People } from './people.js';
import { KEYS, PseudoTerminal } from './pseudo-terminal.js';

const LONG = 120_000;

describe('entering a full-screen session', () => {
  let people: People;

  beforeAll(async () => {
    people = await People.on();
    const alice = await people.registers('alice');
    await alice.leaves();
  }, LONG);
  afterAll(() => people.leave(), LONG);

  const fails = async (terminal: PseudoTerminal): Promise<{ code: number; said: string }> => {
    const code = await terminal.ends(60);
    return { code, said: terminal.raw.slice(terminal.raw.lastIndexOf('\u001b[?1049l')) };
  };
  const elsewhere = (name: string, port: number, pin = people.server.pin) =>
    new PseudoTerminal(
      name,
      ['join', '-t', HOST, '-p', String(port), '-k', pin, '-i', name, '--password-file', people.passwordFile],
      people.env(name),
    );

  it(
    'gives the terminal back as it was found, and opens again with what was there',
    async () => {
      const alice = people.returns('alice');
      await alice.shows('You are alice');
      expect(await alice.leaves()).toBe(0);
      for (const mode of ['1049', '2004', '25']) expect(alice.raw.match(new RegExp(`\\u001b\\[\\?${mode}[hl]`, 'g'))).toHaveLength(2);
    },
    LONG,
  );

  it(
    'gives the terminal back also when a signal ends it',
    async () => {
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
        const alice = people.returns('alice');
        await alice.shows('You are alice');
        alice.isTold(signal);
        expect(await alice.ends()).toBe(0);
        expect(alice.raw).toContain('\u001b[?1049l');
      }
    },
    LONG,
  );

  it(
    'ends when its terminal goes away, and leaves the store free for the next session',
    async () => {
      const alice = people.returns('alice');
      await alice.shows('You are alice');
      alice.hangsUp();
      expect(await alice.ends()).toBe(128 + constants.signals.SIGHUP);
      const again = people.returns('alice');
      await again.shows('You are alice');
      expect(await again.leaves()).toBe(0);
    },
    LONG,
  );

  it(
    'asks for the password on the screen, without showing it, and takes no for an answer',
    async () => {
      const where = ['-t', HOST, '-p', String(people.server.port), '-k', people.server.pin, '-i', 'alice'];
      const alice = new PseudoTerminal('alice', ['join', ...where], people.env('alice'));
      await alice.shows('Password for alice@');
      alice.type(`correct horse battery${KEYS.enter}`);
      await alice.shows('You are alice');
      expect(alice.raw).not.toContain('horse');
      await alice.leaves();
      const again = new PseudoTerminal('alice', ['join', ...where], people.env('alice'));
      await again.shows('Password for alice@');
      again.type(KEYS.escape);
      expect(await fails(again)).toMatchObject({ code: 2, said: expect.stringContaining('given up') });
    },
    LONG,
  );

  itThoroughly(
    'asks again for the password of an account that did not open by it',
    async () => {
      const alice = new PseudoTerminal('alice', [], people.env('alice'));
      await alice.shows('Password for alice@');
      alice.type(`corect horse battery${KEYS.enter}`);
      await alice.shows('/login on this line tries again');
      alice.type(`/login${KEYS.enter}`);
      await alice.shows('Password for alice@');
      alice.type(`correct horse battery${KEYS.enter}`);
      await alice.shows('You are alice');
      await alice.leaves();
    },
    LONG,
  );

  itThoroughly(
    'says what is wrong with a password, a pin, an address, and leaves',
    async () => {
      const wrong = join(people.folder, 'wrong');
      await writeFile(wrong, 'not this one\n');
      const alice = new PseudoTerminal(
        'alice',
        ['join', '-t', HOST, '-p', String(people.server.port), '-i', 'alice', '--password-file', wrong],
        people.env('alice'),
      );
      expect((await fails(alice)).said).toContain('this password does not open what is stored here');
      expect((await fails(elsewhere('carol', people.server.port, 'ab'.repeat(32)))).said).toContain('another identity');
      expect((await fails(elsewhere('carol', 1))).said).toMatch(/sotto: .*127\.0\.0\.1, port 1\. sotto doctor 127\.0\.0\.1:1 looks closer/);
    },
    LONG,
  );

  itThoroughly(
    'says that something else than Sotto answers',
    async () => {
      const web: Server = createServer((_, response) => response.end('hello'));
      await new Promise<void>((resolve) => web.listen(0, HOST, resolve));
      const { code, said } = await fails(elsewhere('carol', (web.address() as AddressInfo).port));
      expect(code).not.toBe(0);
      expect(said).toMatch(/sotto: .+/);
      await new Promise((resolve) => web.close(resolve));
    },
    LONG,
  );

  itThoroughly(
    'refuses a store that is damaged, says how to go on, and leaves it alone',
    async () => {
      const bob = await people.registers('bob');
      await bob.leaves();
      const store = join(people.folder, 'homes', 'bob', '.local', 'share', 'sotto', `${HOST}_${people.server.port}`, 'bob', 'store.db');
      await truncate(store, Math.floor((await stat(store)).size / 2));
      const damaged = await readFile(store);
      const { code, said } = await fails(people.returns('bob'));
      expect(code).toBe(2);
      expect(said).toContain('sotto import FILE brings back what you exported');
      expect(await readFile(store)).toEqual(damaged);
    },
    LONG,
  );

  itThoroughly(
    'is line mode where the terminal can do no more, or the user wants it so',
    async () => {
      for (const [args, env] of [
        [[], { TERM: 'dumb' }],
        [['--plain'], {}],
      ] as const) {
        const alice = people.returns('alice', args, undefined, env);
        await alice.shows('You are alice');
        expect(alice.raw).not.toContain('\u001b[?1049h');
        alice.type('/quit\r');
        expect(await alice.ends()).toBe(0);
      }
    },
    LONG,
  );

  itThoroughly(
    'has no colours when NO_COLOR is set, and some when it is not',
    async () => {
      // eslint-disable-next-line no-control-regex -- Colours are control sequences.
      const colour = /\u001b\[(?:\d+;)*(?:3[0-7]|9[0-7]|38|4[0-7])(?:;\d+)*m/;
      const written = async (env: NodeJS.ProcessEnv) => {
        const alice = people.returns('alice', [], undefined, env);
        await alice.shows('You are alice');
        alice.type(`/nonsense${KEYS.enter}`);
        await alice.shows('there is no /nonsense');
        await alice.leaves();
        return alice.raw;
      };
      expect(await written({ NO_COLOR: '1' })).not.toMatch(colour);
      expect(await written({})).toMatch(colour);
    },
    LONG,
  );
});
