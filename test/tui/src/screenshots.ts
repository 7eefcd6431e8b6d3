import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HOST, hostStandalone } from '../../demo/dist/demo-server.js';
import { JsonProcess } from '../../demo/dist/json-process.js';
import { becomeContacts, PASSWORD, People } from './people.js';
import { pictureOf } from './picture.js';
import { pngOf } from './png.js';
import { KEYS, PseudoTerminal } from './pseudo-terminal.js';

const FOLDER = fileURLToPath(new URL('../../../docs/pictures', import.meta.url));
const SIZE = { columns: 100, rows: 30 } as const;

/** By port: how the pictures call the servers. */
const servers = new Map<number, string>();

/** Times, dates and ports differ from run to run, and would make every picture a new one. */
function settled(row: string): string {
  return row
    .replaceAll(/\b\d\d:\d\d\b(?!\d)/g, '14:03')
    .replaceAll(/[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d 20\d\d/g, 'Sat Jan 17 2026')
    .replaceAll(/again in \d s/g, 'again in 2 s')
    .replaceAll(/127\.0\.0\.1:(\d{5})/g, (address, port: string) => servers.get(Number(port)) ?? address);
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

/** Her account at home, one at work, and a peer: work's server is away, and nothing else is held up. */
async function playOneSession(people: People): Promise<void> {
  const folder = join(people.folder, 'work');
  await mkdir(folder);
  const work = await hostStandalone(folder, 2, { size: 50 });
  servers.set(work.port, 'work.home:47788');
  const secret = (kind: string) => [`--${kind}-file`, people.passwordFile];
  const dora = new JsonProcess('dora', ['join', await work.invite('dora'), '--store', join(folder, 'dora'), ...secret('password')]);
  const erin = new JsonProcess('erin', ['listen', '-p', '0', '-i', 'erin', '--store', join(folder, 'erin'), ...secret('passphrase')]);
  const { port } = await erin.hears('listening');
  await dora.hears('ready');
  const alice = people.returns('alice', [], SIZE);
  const types = async (line: string, shows: string) => {
    alice.type(`${line}${KEYS.enter}`);
    await alice.shows(shows);
  };
  const choosesSecret = async (shows: string) => {
    await types(PASSWORD, 'Once more');
    await types(PASSWORD, shows);
  };
  await alice.shows('You are alice');
  await types(`/servers add ${await work.invite('alice_w')}`, 'New password for alice_w@');
  await choosesSecret(`▣ alice_w@${HOST}:${work.port}`);
  await types(`/connect ${HOST}:${String(port)} -i alice`, 'New passphrase');
  await choosesSecret('Is that the pin that the other end shows?');
  await types('y', '● erin');
  alice.type(KEYS.escape);
  await alice.rests();
  alice.type(`/add dora@${HOST}:${work.port}${KEYS.enter}`);
  await dora.hears('request');
  dora.say({ do: 'accept', name: 'alice_w' });
  await alice.shows('● dora');
  await types(`/to dora@${HOST}:${work.port}`, 'dora ● online');
  dora.say({ do: 'send', to: 'alice_w', text: 'The server here goes down for an hour at noon.' });
  await alice.shows('an hour at noon');
  await types('Fine. Call me if it takes longer.', 'takes longer. ✓✓');
  erin.say({ do: 'send', to: 'alice', text: 'Hello from the next desk, without any server' });
  await alice.shows('with news');
  await work.stop();
  await alice.shows(`□ alice_w@`);
  await types('Is it back already?', 'back already? …');
  await picture('one-session', alice);
  await Promise.all([alice.leaves(), dora.ends({ do: 'quit' }), erin.ends({ do: 'quit' })]);
}

const people = await People.on();
try {
  await mkdir(FOLDER, { recursive: true });
  servers.set(people.server.port, 'chat.home:47788');
  await play(people);
  await playOneSession(people);
} finally {
  await people.leave();
}
process.exit(0);
