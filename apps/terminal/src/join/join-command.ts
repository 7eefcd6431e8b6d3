import type { JoinCommand } from '../command-line/commands/join.js';
import { askToTrust } from '../device/device.js';
import { noteHangup } from '../command-line/ending.js';
import { INTERCEPTION } from '../device/interception.js';
import { openAccountHome } from '../homes/account-home.js';
import type { Terminal } from '../password/hidden-prompt.js';
import { readOpening } from '../password/opening.js';
import { readPassphrase } from '../password/password.js';
import { askNobody, askOn } from './asker.js';
import type { Chat } from './chat.js';
import type { ChatEvent } from './chat-event.js';
import { parseJsonLine, parseTypedLine } from './chat-command.js';
import { Display } from './display.js';
import { stayingText } from './handing-over.js';
import { MessageNumbers } from './message-numbers.js';
import { openScreen, type Screen } from './screen.js';

/** Line mode: talks until the user leaves, the input ends, nobody takes the output, or SIGINT, SIGTERM or SIGHUP. */
export async function runJoin(command: JoinCommand): Promise<void> {
  const terminal: Terminal = { input: process.stdin, output: process.stderr };
  const opening = await readOpening(command, terminal);
  const display = new Display(command.json, new MessageNumbers());
  let isIntercepted = false;
  const { home, first } = await openAccountHome(command, opening, {
    ask: command.json ? askNobody : askOn(() => display.screen),
    trust: (pin) => askToTrust(pin, terminal),
    passphrase: () => readPassphrase(command.recovery?.passphrase ?? { from: 'prompt' }, terminal),
    numbers: display.numbers,
    showingIsReading: !command.json,
    oneOfSeveral: false,
    show: (event) => {
      isIntercepted ||= event.event === 'connection' && event.reason === 'pin-changed';
      display.show(event);
    },
  });
  try {
    await talk(home.chat, display, command.json, first);
  } finally {
    await home.close();
  }
  if (isIntercepted) throw new Error(INTERCEPTION);
}

/**
 * Lines in, events out. Throws when lines or messages that came through a pipe were not taken: nobody may be there to read that.
 * @param first shown before everything else
 */
export async function talk(chat: Chat, display: Display, json: boolean, first: readonly ChatEvent[]): Promise<void> {
  const screen = openScreen(process.stdin, process.stdout, json ? '' : '> ');
  const interrupted = new AbortController();
  const interrupt = () => {
    interrupted.abort();
    screen.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  // The system says it, and a shell once more.
  process.on('SIGHUP', () => {
    noteHangup();
    interrupt();
  });
  // Ctrl-D is a key where lines are edited, and no end.
  if (process.stdin.isTTY && process.stdout.isTTY && !json) process.stdin.once('end', noteHangup);
  let outputError: NodeJS.ErrnoException | undefined;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    outputError = error;
    screen.close();
  });
  display.open(screen, first);
  chat.start();
  const { refused, left } = await followLines(chat, screen, json, display, () => outputError !== undefined);
  const isOver = process.stdin.isTTY || interrupted.signal.aborted || (json && left);
  const staying = isOver ? 0 : await chat.handOver(interrupted.signal);
  screen.close();
  if (process.stdin.isTTY && !json) process.stdout.write(stayingText(chat.undelivered));
  if (!isOver) checkPiped(json ? 0 : refused, staying);
  if (outputError !== undefined) throw new Error(`nobody takes the output any more (${outputError.code}): no further line was read`);
}

interface FollowedLines {
  /** How many could not be done, each told. */
  readonly refused: number;
  /** One of them said so; else the input has ended. */
  readonly left: boolean;
}

/** One after the other, as they were typed; none that came before, but was not taken yet, once it is over. */
async function followLines(chat: Chat, screen: Screen, json: boolean, display: Display, isOver: () => boolean): Promise<FollowedLines> {
  let refused = 0;
  for await (const line of screen.lines()) {
    if (isOver()) break;
    try {
      const command = json ? parseJsonLine(line) : parseTypedLine(line);
      if (command !== undefined && !(await chat.run(command))) return { refused, left: true };
    } catch (error) {
      refused++;
      display.show({ event: 'error', text: error instanceof Error ? error.message : 'failed' });
    }
  }
  return { refused, left: false };
}

/** Programs read what became of each line themselves. */
function checkPiped(refused: number, staying: number): void {
  const told = [
    ...(refused > 0 ? [`${refused === 1 ? 'a line' : `${refused} lines`} could not be done, as told above`] : []),
    ...(staying > 0
      ? [`not delivered: ${staying === 1 ? 'a message stays' : `${staying} messages stay`} here until sotto runs as you again`]
      : []),
  ];
  if (told.length > 0) throw new Error(told.join('; '));
}
