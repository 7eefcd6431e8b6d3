import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { becomeContacts, People } from './people.js';
import { pictureOf } from './picture.js';
import { pngOf } from './png.js';
import { KEYS, PseudoTerminal } from './pseudo-terminal.js';

const FOLDER = fileURLToPath(new URL('../../../docs/pictures', import.meta.url));
const SIZE = { columns: 100, rows: 30 } as const;

/** Times, dates and ports differ from run to run, and would make every picture a new one. */
function settled(row: string): string {
  return row
    .replaceAll(/\b\d\d:\d\d\b(?!\d)/g, '14:03')
    .replaceAll(/[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d 20\d\d/g, 'Sat Jan 17 2026')
    .replaceAll(/127\.0\.0\.1:\d{5}/g, 'chat.home:47788');
}

async function picture(name: string, terminal: PseudoTerminal): Promise<void> {
  await terminal.rests();
  const svg = pictureOf(terminal.screen, settled);
  for (const [kind, bytes] of [
    ['svg', svg],
    ['png', pngOf(svg)],
  ] as const) {
    await writeFile(join(FOLDER, `${name}.${kind}`), bytes);
    process.stdout.write(`docs/pictures/${name}.${kind}\n`);
  }
}

/** Everybody is at a real terminal, and all that is in the pictures has happened. They say nothing that the font of the PNG lacks. */
async function play(people: People): Promise<void> {
  const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map((name) => people.registers(name, SIZE)));
  if (alice === undefined || bob === undefined || carol === undefined) return;
  await becomeContacts(bob, alice);
  await becomeContacts(carol, alice);
  const says = async (who: PseudoTerminal, hears: PseudoTerminal, text: string) => {
    who.type(`${text}${KEYS.enter}`);
    await hears.shows(text);
  };
  alice.type(`/group new "Sunday walk" bob carol${KEYS.enter}`);
  await Promise.all([bob.shows('# Sunday walk'), carol.shows('# Sunday walk')]);
  for (const person of [bob, carol]) person.type(`/to "Sunday walk"${KEYS.enter}`);
  await says(bob, carol, 'Are we still on for Sunday?');
  await says(carol, bob, 'Yes! Up to the mill, around ten');
  alice.type(`/to bob${KEYS.enter}`);
  await alice.shows(/^ bob ● online/);
  bob.type(`/to alice${KEYS.enter}`);
  await bob.shows(/^ alice ● online/);
  await says(bob, alice, 'Did you get the keys from the office?');
  await says(alice, bob, 'I did. They are at my place; come by whenever you like.');
  await says(bob, alice, 'Tomorrow after six? Café Zoë is open until eight.');
  await says(alice, bob, 'Six is fine. I will be home all evening.');
  await alice.shows('all evening. ✓✓');
  alice.type('And bring the ');
  await alice.shows('> And bring the');
  await picture('conversation', alice);
  for (let i = 0; i < 20; i++) alice.type('\u007f');
  alice.type(`/verify${KEYS.enter}`);
  await alice.shows('▄▄▄▄▄');
  await picture('safety-number', alice);
  await Promise.all([alice, bob, carol].map((person) => person.leaves()));
}

const people = await People.on();
try {
  await mkdir(FOLDER, { recursive: true });
  await play(people);
} finally {
  await people.leave();
}
process.exit(0);
