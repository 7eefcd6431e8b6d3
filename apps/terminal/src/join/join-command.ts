import type { SottoClient } from '@sotto/client';
import type { SqliteStore } from '@sotto/client/node';
import type { JoinCommand } from '../command-line/command.js';
import { enter, openDevice, openStore, recover, toolsOf, welcome } from '../device/device.js';
import type { Terminal } from '../password/hidden-prompt.js';
import { readPassword } from '../password/password.js';
import { AccountCommands } from './account-commands.js';
import { askNobody, askOn } from './asker.js';
import { Chat } from './chat.js';
import { parseJsonLine, parseTypedLine } from './chat-command.js';
import type { ChatEvent } from './chat-event.js';
import { Display } from './display.js';
import { GroupCommands } from './group-commands.js';
import { GroupNames } from './group-names.js';
import { MessageCommands } from './message-commands.js';
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
  const show = (event: ChatEvent) => display.show(event);
  const ask = command.json ? askNobody : askOn(() => display.screen);
  const tools = toolsOf(client, store, command, ask);
  const account = new AccountCommands(client, tools, show);
  const names = new GroupNames(client);
  const groups = new GroupCommands(client, names, show);
  const messages = new MessageCommands(client, names, display.numbers, !command.json, show);
  const chat = new Chat(client, { account, groups, messages }, ask, display.numbers, show);
  return { chat, stop: () => [account, groups, messages, chat].forEach((part) => part.stop()) };
}

async function talk(client: SottoClient, command: JoinCommand, chat: Chat, display: Display, registered: boolean): Promise<void> {
  const screen = openScreen(process.stdin, process.stdout, command.json ? '' : '> ');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => screen.close());
  display.open(screen, welcome(client, command, registered));
  chat.start();
  await followLines(chat, screen, command.json, display);
  screen.close();
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
