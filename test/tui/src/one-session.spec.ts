import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DemoServer, HOST, hostStandalone } from '../../demo/dist/demo-server.js';
import { PASSWORD, People } from './people.js';
import { KEYS, LARGE, PseudoTerminal } from './pseudo-terminal.js';

const LONG = 240_000;
const QUEUED = 'this waits until your server is back';
const HOST_OPTIONS = { size: 50 } as const;

/** Two servers and a peer in one session: alice knows bob on the first, dora on the second, and carol without a server. */
describe('one session with two servers and a peer', () => {
  let people: People;
  let folder: string;
  let second: DemoServer;
  let isSecondUp = true;
  let alice: PseudoTerminal;
  let bob: PseudoTerminal;
  let dora: PseudoTerminal;
  let carol: PseudoTerminal;

  const choosesSecret = async (person: PseudoTerminal, question: string, secret: string) => {
    for (const asked of [question, 'Once more']) {
      await person.shows(asked);
      person.type(`${secret}${KEYS.enter}`);
    }
  };

  /** Apart from what is typed next: an Escape before a character is another key. */
  const closesPanel = async (person: PseudoTerminal) => {
    person.type(KEYS.escape);
    await person.rests();
  };

  beforeAll(async () => {
    people = await People.on();
    folder = join(people.folder, 'second');
    await mkdir(folder);
    second = await hostStandalone(folder, 2, HOST_OPTIONS);
    alice = await people.registers('alice', LARGE);
    bob = await people.registers('bob');
    const link = await second.invite('dora');
    dora = new PseudoTerminal('dora', ['join', link, '--password-file', people.passwordFile], people.env('dora'));
    await dora.shows(/Registered\. Your name/, 60);
    carol = new PseudoTerminal('carol', ['listen', '-p', '0', '-i', 'carol'], people.env('carol'));
    await choosesSecret(carol, 'New passphrase for what is stored here', PASSWORD);
    await carol.shows(/127\.0\.0\.1:\d+/);
  }, LONG);

  afterAll(async () => {
    await Promise.all([alice, bob, dora, carol].map((person) => person?.leaves()));
    if (isSecondUp) await second?.stop();
    await people?.leave();
  }, LONG);

  it(
    'meets somebody in each, and says by an @ where a command is for',
    async () => {
      alice.type(`/servers add ${await second.invite('alice_b')}${KEYS.enter}`);
      await choosesSecret(alice, 'New password for alice_b@', PASSWORD);
      await alice.shows(`▣ alice_b@${HOST}:${second.port}`);

      const [, port] = /127\.0\.0\.1:(\d+)/.exec(carol.text) ?? [];
      alice.type(`/connect ${HOST}:${port} -i alice${KEYS.enter}`);
      await choosesSecret(alice, 'New passphrase for what is stored here', PASSWORD);
      await alice.shows('Is that the pin that the other end shows?');
      alice.type(`y${KEYS.enter}`);
      await alice.shows('● carol');
      await closesPanel(alice);
      alice.type(`/to carol@peers${KEYS.enter}`);
      await alice.shows(/^ carol ●/);

      // Beside a conversation with a peer it is not plain on which of two servers bob is to be asked.
      alice.type(`/add bob${KEYS.enter}`);
      await alice.shows(`/add bob@${HOST}:${people.server.port} or /add bob@${HOST}:${second.port}`);
      alice.type(`${KEYS.interrupt}/add bob@${HOST}:${people.server.port}${KEYS.enter}`);
      await bob.shows('? alice');
      bob.type(`/accept alice${KEYS.enter}`);
      alice.type(`/add dora@${HOST}:${second.port}${KEYS.enter}`);
      await dora.shows('? alice_b');
      dora.type(`/accept alice_b${KEYS.enter}`);
      await alice.shows('● bob');
      await bob.shows('● alice');
      await alice.shows('● dora');
      await dora.shows('● alice_b');
      expect(alice.text.match(/[●○] (?:bob|dora|carol)\b/g)).toHaveLength(3);
    },
    LONG,
  );

  it(
    'talks in all three',
    async () => {
      bob.type(`/to alice${KEYS.enter}`);
      dora.type(`/to alice_b${KEYS.enter}`);
      await closesPanel(carol);
      carol.type(`/to alice${KEYS.enter}`);
      for (const [other, where] of [
        [bob, `${HOST}:${people.server.port}`],
        [dora, `${HOST}:${second.port}`],
        [carol, 'peers'],
      ] as const) {
        alice.type(`/to ${other.name}@${where} good morning ${other.name}${KEYS.enter}`);
        await other.shows(`good morning ${other.name}`);
        await alice.shows(`you good morning ${other.name} ✓✓`);
        other.type(`${other.name} says hello${KEYS.enter}`);
        await alice.shows(`${other.name} says hello`);
      }
    },
    LONG,
  );

  it(
    'makes a group on the server that is named behind a member',
    async () => {
      alice.type(`/group new tea dora bob@${HOST}:${people.server.port} dora@${HOST}:${second.port}${KEYS.enter}`);
      await alice.shows('a group and its members are on one server');
      alice.type(`${KEYS.interrupt}/group new tea dora@${HOST}:${second.port}${KEYS.enter}`);
      await alice.shows('# tea');
      await dora.shows('# tea');
    },
    LONG,
  );

  it(
    'goes on with one server and the peer while the other server is stopped, and brings what waits when it is started again, once',
    async () => {
      await second.stop();
      isSecondUp = false;
      await alice.shows(`□ alice_b@${HOST}:${second.port}`);
      expect(alice.text).toContain(`▣ alice@${HOST}:${people.server.port}`);
      alice.type(`/to dora@${HOST}:${second.port} ${QUEUED}${KEYS.enter}`);
      await alice.shows(`you ${QUEUED} …`);

      for (const [other, where] of [
        [bob, `${HOST}:${people.server.port}`],
        [carol, 'peers'],
      ] as const) {
        alice.type(`/to ${other.name}@${where} nothing hiccups here${KEYS.enter}`);
        await other.shows('nothing hiccups here');
        await alice.shows('you nothing hiccups here ✓✓');
        other.type(`nor here, says ${other.name}${KEYS.enter}`);
        await alice.shows(`nor here, says ${other.name}`);
      }
      expect(dora.text).not.toContain(QUEUED);

      second = await hostStandalone(folder, 2, { ...HOST_OPTIONS, port: second.port });
      isSecondUp = true;
      await dora.shows(QUEUED, 60);
      alice.type(`/to dora@${HOST}:${second.port}${KEYS.enter}`);
      await alice.shows(`you ${QUEUED} ✓✓`, 60);
      await dora.rests();
      expect(dora.text.match(new RegExp(QUEUED, 'g'))).toHaveLength(1);
      dora.type(`it came${KEYS.enter}`);
      await alice.shows('dora it came');
    },
    LONG,
  );
});
