import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type DemoServer, HOST } from './demo-server.js';
import { JsonProcess } from './json-process.js';

export interface Scene {
  readonly server: DemoServer;
  /** Empty; the devices' stores go below it. */
  readonly folder: string;
  readonly passwordFile: string;
  readonly retryWindowSeconds: number;
  /** The command, where it is not the one that was built here. */
  readonly program?: string;
  readonly tell: (line: string) => void;
}

/** How long a second copy of a message gets to show itself. */
const SECOND_COPY_MS = 2_000;

/** Two people, from their registration to a message that had to wait. Throws at the first step that does not happen. */
export async function playStory(scene: Scene): Promise<void> {
  const alice = await registers(scene, 'alice');
  const bob = await registers(scene, 'bob');
  await becomeContacts(scene, alice, bob);
  await compareSafetyNumbers(scene, alice, bob);
  await talk(scene, alice, bob);
  await talk(scene, bob, alice);
  await leaves(scene, bob, alice);
  const { id, text } = await writesInVain(scene, alice);
  const bobAgain = await returns(scene, 'bob');
  await arrivesOnce(scene, { alice, bob: bobAgain, id, text });
  await Promise.all([alice.ends({ do: 'quit' }), bobAgain.ends({ do: 'quit' })]);
}

async function registers(scene: Scene, name: string): Promise<JsonProcess> {
  const link = await scene.server.invite(name);
  const person = new JsonProcess(name, ['join', link, ...deviceOf(scene, name)], scene.program);
  await person.hears('ready', { name, registered: true });
  scene.tell(`${name} registered with an invite`);
  return person;
}

async function returns(scene: Scene, name: string): Promise<JsonProcess> {
  const where = ['-t', HOST, '-p', String(scene.server.port), '-k', scene.server.pin, '-i', name];
  const person = new JsonProcess(name, ['join', ...where, ...deviceOf(scene, name)], scene.program);
  await person.hears('ready', { name, registered: false });
  scene.tell(`${name} is back, with the device that ${name} had`);
  return person;
}

function deviceOf({ folder, passwordFile }: Scene, name: string): string[] {
  return ['--password-file', passwordFile, '--store', join(folder, name)];
}

async function becomeContacts({ tell }: Scene, alice: JsonProcess, bob: JsonProcess): Promise<void> {
  alice.say({ do: 'add', name: 'bob' });
  await bob.hears('request', { name: 'alice' });
  tell('alice asked bob to be a contact; bob sees it');
  bob.say({ do: 'accept', name: 'alice' });
  await Promise.all([
    alice.hears('contact', { name: 'bob', state: 'accepted' }),
    bob.hears('contact', { name: 'alice', state: 'accepted' }),
  ]);
  tell('bob accepted; both know it');
}

async function compareSafetyNumbers({ tell }: Scene, alice: JsonProcess, bob: JsonProcess): Promise<void> {
  const [ofAlice, ofBob] = await Promise.all([
    alice.ask({ do: 'verify', name: 'bob' }, 'safety-number'),
    bob.ask({ do: 'verify', name: 'alice' }, 'safety-number'),
  ]);
  if (typeof ofAlice['number'] !== 'string' || ofAlice['number'] !== ofBob['number']) throw new Error('the safety numbers differ');
  tell(`the safety numbers are equal: ${ofAlice['number']}`);
}

async function talk({ tell }: Scene, from: JsonProcess, to: JsonProcess): Promise<void> {
  const text = `hello ${to.name}, ${from.name} here`;
  const { id } = await from.ask({ do: 'send', to: to.name, text }, 'sent');
  await to.hears('message', { from: from.name, text });
  await from.hears('delivery', { id, status: 'delivered' });
  tell(`${from.name} wrote "${text}"; ${to.name} read it, and ${from.name} has the receipt`);
}

async function leaves({ tell }: Scene, who: JsonProcess, witness: JsonProcess): Promise<void> {
  const from = witness.heard.length;
  await who.ends({ do: 'quit' });
  await witness.hears('presence', { name: who.name, online: false }, 30, from);
  tell(`${who.name} left; ${witness.name} sees it`);
}

async function writesInVain({ tell, retryWindowSeconds }: Scene, alice: JsonProcess): Promise<{ id: string; text: string }> {
  const text = 'are you there?';
  const { id } = await alice.ask({ do: 'send', to: 'bob', text }, 'sent');
  tell(`alice wrote "${text}" meanwhile`);
  await alice.hears('delivery', { id, status: 'undelivered' }, retryWindowSeconds + 30);
  tell(`after the retry window of ${retryWindowSeconds} s it came back as undelivered: the server has forgotten it`);
  const { messages } = await alice.ask({ do: 'queue' }, 'queue');
  if (!(messages as { id: string }[]).some((each) => each.id === id)) throw new Error('the message is not in the queue of alice');
  tell('it stays in the queue of alice');
  return { id: String(id), text };
}

interface Return {
  readonly alice: JsonProcess;
  readonly bob: JsonProcess;
  readonly id: string;
  readonly text: string;
}

async function arrivesOnce({ tell }: Scene, { alice, bob, id, text }: Return): Promise<void> {
  await bob.hears('message', { from: 'alice', text }, 60);
  await alice.hears('delivery', { id, status: 'delivered' }, 60);
  await pause(SECOND_COPY_MS);
  const copies = bob.heard.filter((heard) => heard.event === 'message').length;
  if (copies !== 1) throw new Error(`bob was shown ${copies} messages instead of one`);
  tell('it arrived, once, and alice has the receipt');
  const { messages } = await alice.ask({ do: 'queue' }, 'queue');
  if ((messages as unknown[]).length !== 0) throw new Error('the queue of alice is not empty');
  tell('the queue of alice is empty');
}
