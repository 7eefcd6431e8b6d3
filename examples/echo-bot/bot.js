// @ts-check
// Says to everyone what they said: node examples/echo-bot/bot.js LINK --name echo --password-file FILE [--store FILE]
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { openClient, SqliteStore } from '@sotto/client/node';

const options = /** @type {const} */ ({ name: { type: 'string' }, 'password-file': { type: 'string' }, store: { type: 'string' } });
const { positionals, values } = parseArgs({ options, allowPositionals: true });
const link = new URL(positionals[0] ?? '');
const [pin, invite] = link.hash.slice(1).split('/');
const [password = ''] = (await readFile(values['password-file'] ?? 'password', 'utf8')).split(/\r?\n/);

// Keys, contacts and messages are in this file, sealed by the password: with it the bot is the same after a restart.
const store = await SqliteStore.open(values.store ?? 'echo-bot.db', password);
const client = await openClient({ url: `ws://${link.host}/`, pin, store });
const report = (/** @type {Error} */ { message }) => console.error(message);
client.on('contact', (contact) => accept(contact).catch(report));
client.on('message', (message) => echo(message).catch(report));
client.on('problem', ({ text }) => report(new Error(text)));
client.on('state', (now) => console.log('cause' in now ? `${now.state}: ${now.cause}` : now.state));

/** @param {import('@sotto/client').Contact} contact */
async function accept({ name, status }) {
  if (status === 'requested') await client.accept(name);
}

/** In conversations of two only: two bots in a group would never stop. @param {import('@sotto/client').Message} message */
async function echo({ id, from, conversation, own, text }) {
  if (!own && from === conversation && text !== '') await client.send(from, text, { replyTo: id });
}

// What came just before the bot ended has no answer yet.
for (const { name } of client.contacts().filter(({ status }) => status === 'accepted')) {
  const messages = await client.history(name);
  for (const each of messages) if (!messages.some(({ own, replyTo }) => own && replyTo === each.id)) await echo(each).catch(report);
}
if (!(await client.resume())) await client.register(values.name ?? 'echo', password, invite);
for (const contact of client.contacts()) await accept(contact).catch(report);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void client.close().then(() => process.exit(0)));
