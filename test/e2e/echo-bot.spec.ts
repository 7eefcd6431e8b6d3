import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { toHex } from '@sotto/protocol';
import { temporaryFolder } from '@sotto/testing';
import { type Server, startServer } from '../harness/dist/index.js';
import { becomeContacts, contactOf, Person, until } from './people.js';
import { PASSWORD } from './wire-client.js';

const BOT = resolve(import.meta.dirname, '../../examples/echo-bot/bot.js');

describe('the echo bot of the examples', () => {
  let server: Server;
  let alice: Person;
  let folder: string;
  const bots: ChildProcess[] = [];

  beforeAll(async () => {
    server = await startServer('standalone', { retryWindowSeconds: 2 });
    alice = await Person.registers(server, 'alice');
    folder = await temporaryFolder('echo-bot');
    await writeFile(join(folder, 'password'), `${PASSWORD}\n`, { mode: 0o600 });
  }, 180_000);

  afterEach(() => bots.forEach((bot) => bot.kill('SIGKILL')));
  afterAll(async () => {
    await alice?.leaves();
    await server?.stop();
  }, 30_000);

  const startsBot = (name: string, invite: string, store = join(folder, `${name}.db`)) => {
    const link = `sotto://${new URL(server.url).host}/#${toHex(server.pin)}/${invite}`;
    const options = ['--name', name, '--password-file', join(folder, 'password'), '--store', store];
    const bot = spawn(process.execPath, [BOT, link, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
    bots.push(bot);
    return bot;
  };
  const hears = (from: string, text: string) => until(`the echo of ${text}`, () => alice.textsFrom(from).includes(text), 30_000);

  it('is 40 lines long at most', async () => {
    expect((await readFile(BOT, 'utf8')).trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  });

  it('lets in who asks, answers, and goes on after it was killed', async () => {
    const invite = await server.createInvite('echo');
    const bot = startsBot('echo', invite);
    for await (const line of createInterface({ input: bot.stdout! })) if (line === 'online') break;
    await alice.sdk.requestContact('echo');
    await until('the bot accepts', () => contactOf(alice, 'echo')?.status === 'accepted', 30_000);
    await alice.sdk.send('echo', 'hello');
    await hears('echo', 'hello');
    bot.kill('SIGKILL');
    await once(bot, 'exit');
    await alice.sdk.send('echo', 'are you there?');
    const again = startsBot('echo', invite);
    await hears('echo', 'are you there?');
    expect(alice.textsFrom('echo')).toEqual(['hello', 'are you there?']);
    again.kill('SIGTERM');
    expect(await once(again, 'exit')).toEqual([0, null]);
  }, 120_000);

  it('answers what it had received and not answered when it ended, and nothing twice', async () => {
    const bob = await Person.registers(server, 'bob');
    await becomeContacts(alice, bob);
    for (const text of ['one', 'two']) await alice.sdk.send('bob', text);
    await until('bob has both', () => bob.inbox.length === 2);
    await bob.sdk.send('alice', 'one', { replyTo: bob.inbox.find(({ text }) => text === 'one')!.id });
    await bob.leaves();
    startsBot('bob', '', join(bob.folder, 'device.db'));
    await hears('bob', 'two');
    await alice.sdk.send('bob', 'three');
    await hears('bob', 'three');
    expect(alice.textsFrom('bob')).toEqual(['one', 'two', 'three']);
  }, 120_000);
});
