import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ClientError, type SottoClient } from '@sotto/client';
import { openClient, SqliteStore } from '@sotto/client/node';
import type { JoinCommand } from '../command-line/command.js';
import { defaultStoreFolder } from '../command-line/folders.js';
import { UsageError } from '../command-line/usage-error.js';
import { hostForUrl } from '../link/join-link.js';
import { confirm, type Terminal } from '../password/hidden-prompt.js';
import { readPassword } from '../password/password.js';
import { Chat } from './chat.js';
import { parseJsonLine, parseTypedLine } from './chat-command.js';
import type { ChatEvent } from './chat-event.js';
import { Display } from './display.js';
import { MessageNumbers } from './message-numbers.js';
import { openScreen, type Screen } from './screen.js';

/** Talks until the user leaves, the input ends, or SIGINT or SIGTERM. */
export async function runJoin(command: JoinCommand): Promise<void> {
  const terminal: Terminal = { input: process.stdin, output: process.stderr };
  const password = await readPassword(command.password, terminal, command.register !== undefined);
  const client = await openDevice(command, password, terminal);
  const numbers = new MessageNumbers();
  const display = new Display(command.json, numbers);
  // Listens before it connects: messages may come with the first box.
  const chat = new Chat(client, numbers, (event) => display.show(event));
  try {
    const registered = await enter(client, command, password);
    await talk(client, command, chat, display, registered);
  } finally {
    chat.stop();
    await client.close();
  }
}

async function openDevice(command: JoinCommand, password: string, terminal: Terminal): Promise<SottoClient> {
  const folder = command.store ?? defaultStoreFolder(process.env, command, command.name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // The passphrase of the store is the password: one thing to remember, and it never lies on the disk.
  const store = await openStore(join(folder, 'store.db'), password);
  return openClient({
    url: `${command.tls ? 'wss' : 'ws'}://${hostForUrl(command.host)}:${command.port}/`,
    store,
    pin: command.pin,
    onNewPin: (pin) => command.trustNew || askToTrust(pin, terminal),
  });
}

async function openStore(file: string, password: string): Promise<SqliteStore> {
  try {
    return await SqliteStore.open(file, password);
  } catch (error) {
    if (!(error instanceof ClientError) || error.reason !== 'wrong-passphrase') throw error;
    throw new UsageError('this password does not open what is stored here (after a change of the password, the old one does)');
  }
}

async function askToTrust(pin: string, terminal: Terminal): Promise<boolean> {
  terminal.output.write(`This server is new here. Its identity (pin) is\n  ${pin}\n`);
  return confirm(terminal, 'Is that what its operator told you?');
}

/** True when an account was made. */
async function enter(client: SottoClient, { register, name, host, port }: JoinCommand, password: string): Promise<boolean> {
  if (client.account !== undefined) {
    await client.resume();
    return false;
  }
  try {
    if (register === undefined) await client.logIn(name, password);
    else await client.register(name, password, register.invite);
    return register !== undefined;
  } catch (error) {
    if (error instanceof ClientError && error.reason === 'pin-refused') {
      throw new UsageError(`${error.message} (-k PIN, or --trust-new)`);
    }
    if (error instanceof ClientError && error.reason === 'offline')
      throw new Error(`${error.message}: ${host}, port ${port}`, { cause: error });
    throw error;
  }
}

async function talk(client: SottoClient, command: JoinCommand, chat: Chat, display: Display, registered: boolean): Promise<void> {
  const screen = openScreen(process.stdin, process.stdout, command.json ? '' : '> ');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => screen.close());
  display.open(screen, welcome(client, command, registered));
  chat.start();
  await followLines(chat, screen, command.json, display);
  screen.close();
}

function welcome({ account, pin = '' }: SottoClient, command: JoinCommand, registered: boolean): ChatEvent[] {
  if (account === undefined) return [];
  const ready: ChatEvent = { event: 'ready', name: account.name, server: account.server, pin, registered };
  if (!registered || account.name === command.name) return [ready];
  const text = `the server made ${account.name} of ${command.name}: others find you by it; on this machine -i ${command.name} goes on working`;
  return [ready, { event: 'notice', text }];
}

/** One after the other, as they were typed. */
async function followLines(chat: Chat, screen: Screen, json: boolean, display: Display): Promise<void> {
  for await (const line of screen.lines()) {
    try {
      const command = json ? parseJsonLine(line) : parseTypedLine(line);
      if (command !== undefined && !(await chat.run(command))) return;
    } catch (error) {
      display.show({ event: 'error', text: error instanceof Error ? error.message : 'failed' });
    }
  }
}
