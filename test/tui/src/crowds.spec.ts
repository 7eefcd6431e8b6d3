import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { JsonProcess } from '../../demo/dist/json-process.js';
import { People } from './people.js';
import { KEYS, LARGE, type PseudoTerminal } from './pseudo-terminal.js';

const LONG = 180_000;
const MESSAGES = 1_000;
/** Most that the client draws. */
const FRAMES_A_SECOND = 30;
const TYPED = 'every one of these keys was pressed while hundreds of messages came in';

describe('a full-screen terminal that hundreds of messages come to at once', () => {
  let people: People;
  let alice: PseudoTerminal;
  let bob: JsonProcess;

  beforeAll(async () => {
    people = await People.on();
    alice = await people.registers('alice', LARGE);
    const device = ['--store', join(people.folder, 'bob'), '--password-file', people.passwordFile];
    bob = new JsonProcess('bob', ['join', await people.server.invite('bob'), ...device]);
    await bob.hears('ready', {}, 60);
    alice.type(`/add bob${KEYS.enter}`);
    await bob.hears('request', { name: 'alice' });
    bob.say({ do: 'accept', name: 'alice' });
    await alice.shows('● bob');
    await bob.ask({ do: 'send', to: 'alice', text: 'the first' }, 'sent');
    alice.type(`/to bob${KEYS.enter}`);
    await alice.shows('bob the first');
  }, LONG);

  afterAll(async () => {
    await Promise.all([alice?.leaves(), bob?.ends({ do: 'quit' })]);
    await people?.leave();
  }, LONG);

  it(
    'loses no keystroke, shows the last message, and draws no frame for each',
    async () => {
      const before = alice.raw.length;
      const startedAt = Date.now();
      for (let i = 1; i <= MESSAGES; i++) bob.say({ do: 'send', to: 'alice', text: `message ${i}` });
      for (const key of TYPED) {
        alice.type(key);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await alice.shows(`bob message ${MESSAGES}`, 90);
      await alice.shows(TYPED);
      const frames = alice.raw.slice(before).split('\u001b[?2026h').length - 1;
      expect(frames).toBeGreaterThan(0);
      const seconds = (Date.now() - startedAt) / 1_000;
      // However long it takes on a busy machine: the rate is bounded, and so is the number.
      expect(frames).toBeLessThan(Math.min(MESSAGES, FRAMES_A_SECOND * (seconds + 1)));
      alice.type(KEYS.enter);
      await bob.hears('message', { text: TYPED }, 60);
      for (let page = 0; page < 3; page++) alice.type(KEYS.pageUp);
      await alice.shows(/scrolled back/);
      const topmost = Number(/message (\d+)/.exec(alice.text)?.[1]);
      expect(topmost).toBeGreaterThan(MESSAGES - 150);
      expect(topmost).toBeLessThan(MESSAGES - 50);
    },
    LONG,
  );
});
