import { existsSync } from 'node:fs';
import type { JoinCommand } from '../command-line/commands/join.js';
import {
  askToTrust,
  enter,
  neverCameToBe,
  openDevice,
  openStore,
  recover,
  recoveryFileOf,
  removeStore,
  storeFileIn,
  storeFolderOf,
  toolsOf,
  welcome,
} from '../device/device.js';
import { AccountCommands } from '../join/account-commands.js';
import { askNobody } from '../join/asker.js';
import { parseJsonLine, parseTypedLine } from '../join/chat-command.js';
import type { ChatEvent } from '../join/chat-event.js';
import { Display } from '../join/display.js';
import { GroupCommands } from '../join/group-commands.js';
import { GroupNames } from '../join/group-names.js';
import { MessageNumbers } from '../join/message-numbers.js';
import { openScreen, type Screen } from '../join/screen.js';
import type { Terminal } from '../password/hidden-prompt.js';
import { readOpening } from '../password/opening.js';
import { readPassphrase } from '../password/password.js';
import { Mailbox } from './mailbox.js';

/** Stays online until SIGINT, SIGTERM or /quit; what has arrived is stored then. Throws when the device's session is over. */
export async function runMailbox(command: JoinCommand): Promise<void> {
  const terminal: Terminal = { input: process.stdin, output: process.stderr };
  const opening = await readOpening(command, terminal);
  const isNew = !existsSync(storeFileIn(storeFolderOf(command)));
  const store = await openStore(command, opening.store);
  const client = await openDevice(command, store, (pin) => askToTrust(pin, terminal));
  const display = new Display(command.json, new MessageNumbers());
  const show = (event: ChatEvent) => display.show(event);
  const account = new AccountCommands(client, toolsOf(client, store, command, askNobody), show);
  const groups = new GroupCommands(client, new GroupNames(client), show);
  const mailbox = new Mailbox(client, account, groups, show);
  const told = new Promise<void>((resolve) => ['SIGINT', 'SIGTERM'].forEach((signal) => process.once(signal, () => resolve())));
  try {
    const file = await recoveryFileOf(client, command);
    const registered = await enter(client, command, opening.password);
    await recover(client, file, () => readPassphrase(command.recovery?.passphrase ?? { from: 'prompt' }, terminal));
    const screen = openScreen(process.stdin, process.stdout, '');
    display.open(screen, welcome(client, command, registered));
    await Promise.race([told, mailbox.refused, quits(mailbox, screen, command.json, display)]);
    screen.close();
  } finally {
    for (const part of [mailbox, groups, account]) part.stop();
    const isEmpty = isNew && neverCameToBe(client);
    await client.close();
    if (isEmpty) await removeStore(command);
  }
}

/** Resolves when a line asks for it; the end of the input does not: services have none. */
async function quits(mailbox: Mailbox, screen: Screen, json: boolean, display: Display): Promise<void> {
  for await (const line of screen.lines()) {
    try {
      const command = json ? parseJsonLine(line) : parseTypedLine(line);
      if (command !== undefined && !(await mailbox.run(command))) return;
    } catch (error) {
      display.show({ event: 'error', text: error instanceof Error ? error.message : 'failed' });
    }
  }
  await new Promise(() => undefined);
}
