// Two people on a running `docker compose up --build --wait`: invited, registered, in contact, a message each way, logged in again.
// usage: node test/deploy/compose-story.mjs [ws://127.0.0.1:7788]
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { clearTimeout, setTimeout } from 'node:timers';
import { MemoryStore } from '@sotto/client';
import { openClient } from '@sotto/client/node';

const url = process.argv[2] ?? 'ws://127.0.0.1:7788';
const LIMIT_MS = 20_000;

function invite() {
  const text = execFileSync('docker', ['compose', 'exec', '-T', 'auth', 'node', 'deploy/invite.mjs'], { encoding: 'utf8' });
  const { invite: code, pin } = Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/)),
  );
  return { code, pin };
}

/** The first event of this kind that passes. */
function next(client, event, passes) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} in time`)), LIMIT_MS);
    const stop = client.on(event, (value) => {
      if (!passes(value)) return;
      clearTimeout(timer);
      stop();
      resolve(value);
    });
  });
}

async function newcomer(name, password) {
  const { code, pin } = invite();
  const client = await openClient({ url, pin, store: new MemoryStore() });
  client.on('problem', ({ code: problem, text }) => console.log(`${name}: ${problem}: ${text}`));
  const account = await client.register(name, password, code);
  console.log(`${account.name} is registered at ${account.server}`);
  return { client, pin, name: account.name };
}

async function say(from, to, text) {
  const received = next(to.client, 'message', (message) => message.text === text);
  const delivered = next(from.client, 'delivery', ({ status }) => status === 'delivered');
  await from.client.send(to.name, text);
  const message = await received;
  await delivered;
  console.log(`${to.name} has "${message.text}" from ${message.from}`);
}

const password = randomBytes(12).toString('hex');
const alice = await newcomer(`alice_${randomBytes(3).toString('hex')}`, password);
const bob = await newcomer(`bob_${randomBytes(3).toString('hex')}`, password);

const asked = next(bob.client, 'contact', ({ name }) => name === alice.name);
await alice.client.requestContact(bob.name);
await asked;
const accepted = next(alice.client, 'contact', ({ status }) => status === 'accepted');
await bob.client.accept(alice.name);
await accepted;
console.log('they are in contact');

await say(alice, bob, 'hello bob');
await say(bob, alice, 'hello alice');

await alice.client.close();
const again = await openClient({ url, pin: alice.pin, store: new MemoryStore() });
const account = await again.logIn(alice.name, password);
console.log(`${account.name} is logged in on a new device${account.pending ? ', which waits to be confirmed' : ''}`);
await again.close();
await bob.client.close();
console.log('ok');
process.exit(0);
