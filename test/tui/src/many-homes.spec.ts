import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hostStandalone, type StandaloneServer } from '../../demo/dist/demo-server.js';
import { becomeContacts, PASSWORD, People } from './people.js';
import { KEYS, LARGE, PseudoTerminal } from './pseudo-terminal.js';

const LONG = 180_000;
const PASSPHRASE = 'a passphrase of their own';

describe('two servers and a peer in one session', () => {
  let people: People;
  let other: StandaloneServer;

  beforeAll(async () => {
    people = await People.on();
    await mkdir(join(people.folder, 'other'));
    other = await hostStandalone(join(people.folder, 'other'), 2, 50);
  }, LONG);
  afterAll(async () => {
    await other.stop();
    await people.leave();
  }, LONG);

  /** Twice, as it is new. */
  async function answersTwice(person: PseudoTerminal, secret: string): Promise<void> {
    person.type(`${secret}${KEYS.enter}`);
    await person.shows('Once more');
    person.type(`${secret}${KEYS.enter}`);
  }

  async function opens(person: PseudoTerminal, conversation: string): Promise<void> {
    person.type(`/to ${conversation}${KEYS.enter}`);
    await person.shows(new RegExp(`^ ${conversation} ●`, 'm'));
  }

  it(
    'do not disturb each other when one server goes and comes back, and what was written meanwhile arrives',
    async () => {
      const carol = new PseudoTerminal('carol', ['listen', '-p', '0', '-i', 'carol'], people.env('carol'));
      await carol.shows('New passphrase for what is stored here');
      await answersTwice(carol, PASSPHRASE);
      await carol.shows(/127\.0\.0\.1:\d+/);
      const [, port] = /127\.0\.0\.1:(\d+)/.exec(carol.text) ?? [];
      const link = await other.invite('dave');
      const dave = new PseudoTerminal('dave', ['join', link, '--password-file', people.passwordFile], people.env('dave'));
      await dave.shows(/Registered\. Your name/, 60);
      const bob = await people.registers('bob');
      const alice = await people.registers('alice', LARGE);

      alice.type(`/servers add ${await other.invite('alice_b')}${KEYS.enter}`);
      await alice.shows('New password for alice_b@');
      await answersTwice(alice, PASSWORD);
      await alice.shows('is remembered');
      alice.type(`/connect 127.0.0.1:${port} -i alice${KEYS.enter}`);
      await alice.shows('New passphrase for what is stored here');
      await answersTwice(alice, PASSPHRASE);
      await alice.shows('Is that what the other end shows?');
      alice.type(`y${KEYS.enter}`);
      await alice.shows('● carol');
      for (const person of [alice, carol]) person.type(KEYS.escape);

      await becomeContacts(alice, bob);
      dave.type(`/add alice_b${KEYS.enter}`);
      await alice.shows('? dave');
      alice.type(`/accept dave${KEYS.enter}`);
      await alice.shows('● dave');
      await opens(alice, 'dave');

      await other.stop();
      await alice.shows(`□ alice_b@127.0.0.1:${other.port}`);
      alice.type(`written while the server was down${KEYS.enter}`);
      await opens(alice, 'carol');
      alice.type(`to the peer meanwhile${KEYS.enter}`);
      await alice.shows(/you to the peer meanwhile ✓✓/);
      await opens(alice, 'bob');
      alice.type(`on the other server meanwhile${KEYS.enter}`);
      await bob.shows('alice on the other server meanwhile');

      other = await other.again();
      await alice.shows(`▣ alice_b@127.0.0.1:${other.port}`, 60);
      dave.type(`/to alice_b${KEYS.enter}`);
      await dave.shows('alice_b written while the server was down', 60);
      await Promise.all([alice, bob, carol, dave].map((person) => person.leaves()));
    },
    LONG,
  );
});
