import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { People } from './people.js';
import { KEYS, LARGE, PseudoTerminal } from './pseudo-terminal.js';

const LONG = 180_000;
const PASSPHRASE = 'a passphrase of their own';

describe('peers without a server, beside an account on one', () => {
  let people: People;

  beforeAll(async () => {
    people = await People.on();
  }, LONG);
  afterAll(() => people.leave(), LONG);

  it(
    'meet, are asked whether it is who they meant, and talk in the same list',
    async () => {
      const carol = new PseudoTerminal('carol', ['listen', '-p', '0', '-i', 'carol'], people.env('carol'));
      await carol.shows('New passphrase for what is stored here');
      carol.type(`${PASSPHRASE}${KEYS.enter}`);
      await carol.shows('Once more');
      carol.type(`${PASSPHRASE}${KEYS.enter}`);
      await carol.shows(/127\.0\.0\.1:\d+|port \d+/);
      const [, port] = /127\.0\.0\.1:(\d+)/.exec(carol.text) ?? [];
      const alice = await people.registers('alice', LARGE);
      alice.type(`/connect 127.0.0.1:${port} -i alice${KEYS.enter}`);
      await alice.shows('New passphrase for what is stored here');
      alice.type(`${PASSPHRASE}${KEYS.enter}`);
      await alice.shows('Once more');
      alice.type(`${PASSPHRASE}${KEYS.enter}`);
      await alice.shows('You have not met who answers there. It calls itself carol');
      await alice.shows(/\b[0-9a-f]{64}\b/);
      await alice.shows('Is that the pin that the other end shows?');
      alice.type(`y${KEYS.enter}`);
      await alice.shows('● carol');
      await carol.shows('● alice');
      for (const person of [alice, carol]) person.type(KEYS.escape);
      for (let i = 0; i < 4 && !alice.rows[0]!.startsWith(' carol ●'); i++) {
        alice.type(KEYS.next);
        await alice.rests();
      }
      alice.type(`no server in between${KEYS.enter}`);
      await carol.shows('● alice');
      for (let i = 0; i < 4 && !carol.rows[0]!.startsWith(' alice ●'); i++) {
        carol.type(KEYS.next);
        await carol.rests();
      }
      await carol.shows('alice no server in between');
      await alice.shows(/you no server in between ✓✓/);
      await alice.shows(`▣ alice@127.0.0.1:${people.server.port}`);
      await Promise.all([alice.leaves(), carol.leaves()]);
    },
    LONG,
  );
});
