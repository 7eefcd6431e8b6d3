import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { HOST } from '../../demo/dist/demo-server.js';
import { JsonProcess } from '../../demo/dist/json-process.js';
import { People } from './people.js';
import { KEYS, LARGE, type PseudoTerminal } from './pseudo-terminal.js';

const LONG = 180_000;

describe('somebody who comes back to the whole screen', () => {
  let people: People;
  let alice: PseudoTerminal;
  let bob: JsonProcess;
  let carol: JsonProcess;

  const deviceOf = (name: string) => ['--store', join(people.folder, name), '--password-file', people.passwordFile];
  const joins = async (name: string) => {
    const person = new JsonProcess(name, ['join', await people.server.invite(name), ...deviceOf(name)]);
    await person.hears('ready', {}, 60);
    return person;
  };
  const runs = async (line: string, shows: string | RegExp) => {
    alice.type(`${line}${KEYS.enter}`);
    await alice.shows(shows);
  };
  const returns = async () => {
    expect(await alice.leaves()).toBe(0);
    alice = people.returns('alice', [], LARGE);
    await alice.shows('● carol');
  };

  beforeAll(async () => {
    people = await People.on();
    alice = await people.registers('alice', LARGE);
    [bob, carol] = await Promise.all([joins('bob'), joins('carol')]);
    for (const person of [bob, carol]) {
      alice.type(`/add ${person.name}${KEYS.enter}`);
      await person.hears('request', { name: 'alice' });
      person.say({ do: 'accept', name: 'alice' });
      await alice.shows(`● ${person.name}`);
    }
    await runs('/to carol', /^ carol ●/);
  }, LONG);

  afterAll(async () => {
    await Promise.all([alice?.leaves(), bob?.ends({ do: 'quit' }), carol?.ends({ do: 'quit' })]);
    await people?.leave();
  }, LONG);

  it(
    'finds how much is unread as it was, until it is read',
    async () => {
      for (const text of ['one', 'two', 'three']) await bob.ask({ do: 'send', to: 'alice', text }, 'delivery', { status: 'delivered' });
      await alice.shows(/● bob +3/);
      await returns();
      await alice.shows(/● bob +3/);
      await runs('/to bob', 'bob three');
      await runs('/block', 'Block bob, and hear nothing more of them? [y/N]');
      alice.type(KEYS.enter);
      await alice.shows('Nothing was changed.');
      await alice.rests();
      await returns();
      await alice.rests();
      expect(alice.text).toMatch(/● bob *(?:│|$)/m);
    },
    LONG,
  );

  it(
    'sees what a member says in a group whom she has blocked only when she wants to',
    async () => {
      await runs('/group new tea bob carol', '# tea');
      await Promise.all([bob, carol].map((person) => person.hears('group', { what: 'joined', groupName: 'tea' }, 60)));
      await runs('/to tea', /^ tea/);
      await runs('/block bob', 'bob: blocked');
      bob.say({ do: 'to', name: 'tea' });
      bob.say({ do: 'send', text: 'you can not get rid of me' });
      await alice.shows(/bob~\w+ \(hidden, as you have blocked who wrote it: \/show \d+\)/);
      expect(alice.text).not.toContain('get rid of me');
      await carol.hears('message', { text: 'you can not get rid of me' });
      await returns();
      await runs('/to tea', '(hidden, as you have blocked');
      const [, number] = /\/show (\d+)/.exec(alice.text) ?? [];
      await runs(`/show ${number}`, 'you can not get rid of me');
    },
    LONG,
  );

  it(
    'is told on leaving what is not delivered, and sees what she gave up as given up',
    async () => {
      await runs('/to carol', /^ carol ●/);
      await runs('it has arrived', 'it has arrived ✓✓');
      await carol.ends({ do: 'quit' });
      await alice.shows(/^ carol ○/);
      await runs('it has not', /it has not [✓!…]/);
      expect(await alice.leaves()).toBe(0);
      expect(alice.raw).toContain('A message is not delivered yet, and kept here until sotto runs as you again.');
      alice = people.returns('alice', ['--plain'], LARGE);
      await runs('/quit', 'A message is not delivered yet, and kept here until sotto runs as you again.');
      expect(await alice.ends()).toBe(0);
      alice = people.returns('alice', [], LARGE);
      await alice.shows('○ carol');
      await runs('/to carol', /it has not [✓!…]/);
      await runs('/discard all', 'it has not ✗');
      expect(await alice.leaves()).toBe(0);
      expect(alice.raw).not.toContain('not delivered yet');
      alice = people.returns('alice', [], LARGE);
      await alice.shows('○ carol');
      await runs('/to carol', 'it has not ✗');
      expect(alice.text).toContain('it has arrived ✓✓');
      const where = ['-t', HOST, '-p', String(people.server.port), '-k', people.server.pin, '-i', 'carol'];
      carol = new JsonProcess('carol', ['join', ...where, ...deviceOf('carol')]);
      await carol.hears('ready');
    },
    LONG,
  );
});
