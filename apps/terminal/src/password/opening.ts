import { existsSync } from 'node:fs';
import type { JoinCommand } from '../command-line/commands/join.js';
import { byPassword, type Opening, storeFileIn, storeFolderOf } from '../device/device.js';
import type { Terminal } from './hidden-prompt.js';
import { onTerminal, openKeyFile } from './key-file.js';
import { readPassword } from './password.js';

/** What opens the device of an account: the password, or a key file and, for a log-in, the password. Throws UsageError. */
export async function readOpening(command: JoinCommand, terminal: Terminal): Promise<Opening> {
  const isStored = existsSync(storeFileIn(storeFolderOf(command)));
  const password = () => readPassword(command.password, terminal, command.register !== undefined && !isStored);
  if (command.keyFile === undefined) return byPassword(await password());
  return { store: await openKeyFile(command.keyFile, isStored, onTerminal(terminal)), password };
}
