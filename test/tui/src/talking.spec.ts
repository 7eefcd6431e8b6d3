import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { becomeContacts, People } from './people.js';
import { KEYS, LARGE, pasted, type PseudoTerminal, SMALL } from './pseudo-terminal.js';

const LONG = 120_000;

/** The text, wherever the screen breaks it. */
const overRows = (text: string) => new RegExp([...text.replaceAll(' ', '')].join('\\s*'));

describe('two people at full-screen terminals', () => {
  let people: People;
  let alice: PseudoTerminal;
  let bob: PseudoTerminal;

  beforeAll(async () => {
    people = await People.on();
    alice = await people.registers('alice', SMALL);
    bob = await people.registers('bob', LARGE);
    await becomeContacts(alice, bob);
  }, LONG);

  afterAll(async () => {
    await Promise.all([alice?.leaves(), bob?.leaves()]);
    await people?.leave();
  }, LONG);

  it(
    'talk, and see what became of their messages',
    async () => {
      bob.type(`hello alice, 你好 👋${KEYS.enter}`);
      await alice.shows(/\d\d:\d\d #\d+ bob hello alice, 你好 👋/);
      // This emulator draws emoji in one of the two columns that they have.
      await bob.shows(/you hello alice, 你好 👋 +✓✓/);
      // Several keys in one chunk, and a line of two rows.
      alice.type(`one${KEYS.enter}two${KEYS.newline}three${KEYS.enter}`);
      await bob.shows(/alice one\n.*alice two\n.*three/);
    },
    LONG,
  );

  it(
    'answer, react, change what they said, and see that the other is typing and has read',
    async () => {
      // It is told every few seconds, and the last time was with the message before.
      const isTold = bob.shows('alice is typing…');
      for (const key of 'Tea at fiv?') {
        alice.type(key);
        await new Promise((resolve) => setTimeout(resolve, 600));
      }
      await isTold;
      alice.type(KEYS.enter);
      await bob.shows(/#\d+ alice Tea at fiv\?/);
      const [, number] = /#(\d+) alice Tea at fiv/.exec(bob.text) ?? [];
      bob.type(`/reply ${number} With pleasure${KEYS.enter}/react ${number} ☕${KEYS.enter}`);
      await alice.shows(/Tea at fiv\? ✓✓\n.*☕ +bob\n.*┃ alice: Tea at fiv\?\n.*bob With pleasure/);
      const [, own] = /#(\d+) you Tea at fiv/.exec(alice.text) ?? [];
      alice.type(`/edit ${own} Tea at five?${KEYS.enter}`);
      await bob.shows(/alice Tea at five\? \(edited\)/);
      bob.type(`/read-receipts on${KEYS.enter}`);
      await bob.shows('Others are told what you have read.');
      bob.type(KEYS.escape);
      alice.type(`Then until five${KEYS.enter}`);
      await alice.shows(/you Then until five ✓✓\n.*read by bob/);
      alice.type(`/search five${KEYS.enter}`);
      await alice.shows(/alice .*Tea at five\?/);
      alice.type(KEYS.escape);
      await alice.shows('Enter sends');
    },
    LONG,
  );

  it(
    'see the same safety number, with a code to scan',
    async () => {
      alice.type(`/verify${KEYS.enter}`);
      bob.type(`/verify${KEYS.enter}`);
      await Promise.all([alice.shows('safety number'), bob.shows('safety number')]);
      await Promise.all([alice.shows('▄▄▄▄▄'), bob.shows('▄▄▄▄▄')]);
      const digits = ({ text }: PseudoTerminal) => [...text.matchAll(/(?<=[│ ])\d{5}(?= |$)/gm)].map(([group]) => group);
      expect(digits(alice)).toHaveLength(12);
      expect(digits(alice)).toEqual(digits(bob));
      for (const person of [alice, bob]) person.type(KEYS.escape);
      await Promise.all([alice.shows('Enter sends'), bob.shows('Enter sends')]);
    },
    LONG,
  );

  it(
    'keep what is being typed when the terminal changes its size, down to twenty columns',
    async () => {
      const typed = 'typed while the window changes its size';
      for (const [i, size] of [{ columns: 60, rows: 20 }, { columns: 20, rows: 6 }, { columns: 132, rows: 43 }, SMALL].entries()) {
        alice.type(typed.slice(i * 10, i * 10 + 5));
        alice.resize(size);
        alice.type(typed.slice(i * 10 + 5, i * 10 + 10));
        await alice.shows(overRows(typed.slice(0, i * 10 + 10)));
        for (const row of alice.rows) expect(row.length).toBeLessThanOrEqual(size.columns);
      }
      alice.type(KEYS.enter);
      await bob.shows(typed);
    },
    LONG,
  );

  it(
    'paste two hundred lines as one message',
    async () => {
      const lines = Array.from({ length: 200 }, (_, i) => `line ${i} of what was pasted`);
      alice.type(pasted(lines.join('\n')));
      await alice.shows('line 199 of what was pasted');
      expect(bob.text).not.toContain('of what was pasted');
      alice.type(KEYS.enter);
      await bob.shows('line 199 of what was pasted');
      for (let page = 0; page < 8; page++) bob.type(KEYS.pageUp);
      await bob.shows(/alice line 0 of what was pasted\n.*line 1 of what was pasted/);
      bob.type(KEYS.escape);
      await bob.shows('line 199 of what was pasted');
    },
    LONG,
  );

  it(
    'say what is unknown, and what was probably meant',
    async () => {
      alice.type(`/verfy bob${KEYS.enter}`);
      await alice.shows('there is no /verfy, did you mean /verify?');
      // It is still there to be mended.
      await alice.shows('> /verfy bob');
      alice.type(KEYS.interrupt);
    },
    LONG,
  );

  it(
    'are not reached by what a message may hold for terminals',
    async () => {
      bob.type(pasted('\u001b]0;title\u0007\u001b[31mred\u202etxt') + KEYS.enter);
      await alice.shows('red');
      bob.type(pasted(`${'👩\u200d'.repeat(78)}Password:${'\u200b'.repeat(3_000)}hidden`) + KEYS.enter);
      await alice.shows(/👩 ?…Password:hidden/);
      expect(alice.rows.at(-3)).toMatch(/^──/);
      // Nor are they by what they paste themselves.
      expect(bob.raw).not.toContain('\u001b]0;title');
      bob.type(KEYS.up);
      await bob.shows(/^> .*…Password:hidden/m);
      bob.type(KEYS.interrupt);
      expect(alice.raw).not.toContain('\u001b]0;title');
      expect(alice.raw).not.toContain('\u001b[31mred');
      expect(alice.raw).not.toContain('\u202e');
    },
    LONG,
  );
});
