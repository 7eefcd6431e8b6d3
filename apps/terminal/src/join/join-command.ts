import type { JoinCommand } from '../command-line/commands/join.js';
import { askToTrust } from '../device/device.js';
import { openAccountHome } from '../homes/account-home.js';
import type { Terminal } from '../password/hidden-prompt.js';
import { readOpening } from '../password/opening.js';
import { readPassphrase } from '../password/password.js';
import { askNobody, askOn } from './asker.js';
import type { Chat } from './chat.js';
import type { ChatEvent } from './chat-event.js';
import { parseJsonLine, parseTypedLine } from './chat-command.js';
import { Display } from './display.js';
import { MessageNumbers } from './message-numbers.js';
import { openScreen, type Screen } from './screen.js';

/** Line mode: talks until the user leaves, the input ends, or SIGINT or SIGTERM. */
export async function runJoin(command: JoinCommand): Promise<void> {
  const terminal: Terminal = { input: process.stdin, output: process.stderr };
  const opening = await readOpening(command, terminal);
  const display = new Display(command.json, new MessageNumbers());
  const { home, first } = await openAccountHome(command, opening, {
    ask: command.json ? askNobody : askOn(() => display.screen),
    trust: (pin) => askToTrust(pin, terminal),
    passphrase: () => readPassphrase(command.recovery?.passphrase ?? { from: 'prompt' }, terminal),
    numbers: display.numbers,
    showingIsReading: !command.json,
    oneOfSeveral: false,
    show: (event) => display.show(event),
  });
  try {
    await talk(home.chat, display, command.json, first);
  } finally {
    await home.close();
  }
}

/** Lines in, events out. @param first shown before everything else */
export async function talk(chat: Chat, display: Display, json: boolean, first: readonly ChatEvent[]): Promise<void> {
  const screen = openScreen(process.stdin, process.stdout, json ? '' : '> ');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => screen.close());
  display.open(screen, first);
  chat.start();
  await followLines(chat, screen, json, display);
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
