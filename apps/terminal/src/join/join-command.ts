import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClientError, type SottoClient } from '@sotto/client';
import { openClient, SqliteStore } from '@sotto/client/node';
import type { JoinCommand } from '../command-line/command.js';
import { defaultStoreFolder } from '../command-line/folders.js';
import { UsageError } from '../command-line/usage-error.js';
import { encodeJoinLink, hostForUrl } from '../link/join-link.js';
import { confirm, type Terminal } from '../password/hidden-prompt.js';
import { readPassphrase, readPassword } from '../password/password.js';
import { AccountCommands } from './account-commands.js';
import { askNobody, askOn } from './asker.js';
import { Chat } from './chat.js';
import { parseJsonLine, parseTypedLine } from './chat-command.js';
import type { ChatEvent } from './chat-event.js';
import { Display } from './display.js';
import { GroupCommands } from './group-commands.js';
import { GroupNames } from './group-names.js';
import { MessageNumbers } from './message-numbers.js';
import { openScreen, type Screen } from './screen.js';

/** Talks until the user leaves, the input ends, or SIGINT or SIGTERM. */
export async function runJoin(command: JoinCommand): Promise<void> {
  const terminal: Terminal = { input: process.stdin, output: process.stderr };
  const password = await readPassword(command.password, terminal, command.register !== undefined);
  const store = await openStore(command, password);
  const client = await openDevice(command, store, terminal);
  const display = new Display(command.json, new MessageNumbers());
  // They listen before it connects: messages may come with the first box.
  const { chat, stop } = partsOf(client, store, command, display);
  try {
    const registered = await enter(client, command, password);
    await recover(client, command, terminal);
    await talk(client, command, chat, display, registered);
  } finally {
    stop();
    await client.close();
  }
}

function partsOf(client: SottoClient, store: SqliteStore, command: JoinCommand, display: Display): { chat: Chat; stop: () => void } {
  const { host, port, json, deviceName, recovery } = command;
  const show = (event: ChatEvent) => display.show(event);
  const ask = json ? askNobody : askOn(() => display.screen);
  const tools = {
    ask,
    deviceName: recovery === undefined ? deviceName : undefined,
    linkOf: (invite: string, name: string | undefined) => encodeJoinLink({ host, port, pin: client.pin ?? '', invite, name }),
    changePassphrase: (passphrase: string) => store.changePassphrase(passphrase),
  };
  const account = new AccountCommands(client, tools, show);
  const groups = new GroupCommands(client, new GroupNames(client), show);
  const chat = new Chat(client, { account, groups }, ask, display.numbers, show);
  return { chat, stop: () => [account, groups, chat].forEach((part) => part.stop()) };
}

/** The passphrase of the store is the password: one thing to remember, and it never lies on the disk. */
async function openStore(command: JoinCommand, password: string): Promise<SqliteStore> {
  const folder = command.store ?? defaultStoreFolder(process.env, command, command.name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'store.db');
  try {
    return await SqliteStore.open(file, password);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (error.reason === 'wrong-passphrase') {
      throw new UsageError(
        'this password does not open what is stored here (one changed on another device: the old one does, then /login)',
      );
    }
    if (error.reason === 'store-in-use') throw new UsageError('sotto runs with this store already: one device is one process');
    throw error.reason === 'bad-store' ? new UsageError(`${error.message} (${file})`) : error;
  }
}

function openDevice(command: JoinCommand, store: SqliteStore, terminal: Terminal): Promise<SottoClient> {
  return openClient({
    url: `${command.tls ? 'wss' : 'ws'}://${hostForUrl(command.host)}:${command.port}/`,
    store,
    pin: command.pin,
    onNewPin: (pin) => command.trustNew || askToTrust(pin, terminal),
  });
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

/** A device that waits is confirmed by the recovery file, when there is one. */
async function recover(client: SottoClient, { recovery }: JoinCommand, terminal: Terminal): Promise<void> {
  if (recovery === undefined || client.account?.pending !== true) return;
  const file = await readFile(recovery.file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`the recovery file ${recovery.file} cannot be read (${error.code ?? 'unknown'})`);
  });
  await client.confirmByRecoveryFile(file, await readPassphrase(recovery.passphrase, terminal));
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
  const { name, server, pending } = account;
  const events: ChatEvent[] = [{ event: 'ready', name, server, pin, registered, pending }];
  const notice = (text: string) => events.push({ event: 'notice', text });
  if (registered && name !== command.name) {
    notice(`the server made ${name} of ${command.name}: others find you by it; on this machine -i ${command.name} goes on working`);
  }
  if (registered) notice('/recovery FILE writes a recovery file: with it and a passphrase you get back in when this device is lost');
  if (!pending && command.recovery !== undefined) notice('the device is confirmed: the recovery file is not needed here any more');
  return events;
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
