import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import type { SottoClient } from '@sotto/client';
import type { JoinCommand } from '../command-line/commands/join.js';
import type { PanicCommand } from '../command-line/commands/panic.js';
import { serversFile } from '../command-line/folders.js';
import { UsageError } from '../command-line/usage-error.js';
import { openDevice, openStore, storeFileIn, storeFolderOf } from '../device/device.js';
import type { Terminal } from '../password/hidden-prompt.js';
import { whereStored } from '../archive/stored-account.js';
import { readStoreSecret } from '../archive/store-secret.js';
import { addressOf, forgetServer } from '../servers/remembered-servers.js';
import { destroyedText } from './destroyed-text.js';
import { destroyHere, revokeOwnDevice, within } from './destruction.js';

const CONNECT_MS = 5_000;

/** Destroys what this machine has of an account. Needs no password, unless the device is to be revoked at the server as well. */
export async function runPanic(command: PanicCommand, out: (line: string) => void, err: (line: string) => void): Promise<void> {
  const terminal: Terminal = { input: process.stdin, output: process.stderr };
  const join = await whereStored(command);
  const file = storeFileIn(storeFolderOf(join));
  if (!existsSync(file)) throw new UsageError(`there is nothing stored: ${file}`);
  if (!command.yes) await confirmByName(command.name, join, terminal);
  const client = command.everywhere ? await reach(join, command, terminal).catch((error: unknown) => void err(reasonOf(error))) : undefined;
  const destruction = await destroyHere({
    ...(client !== undefined && { client }),
    file,
    revoke: command.everywhere ? () => revokeOwnDevice(client) : undefined,
  });
  await forgetServer(serversFile(process.env), addressOf(join), join.name).catch(() => []);
  out(command.json ? JSON.stringify({ event: 'destroyed', ...destruction, at: Date.now() }) : destroyedText(destruction));
}

async function confirmByName(name: string, join: JoinCommand, { input, output }: Terminal): Promise<void> {
  if (!input.isTTY) throw new UsageError('there is no terminal to ask: --yes destroys without a question');
  const reader = createInterface({ input, output });
  try {
    output.write(`All keys and messages of ${name}@${addressOf(join)} on this machine go for good.\n`);
    const typed = await reader.question(`Type ${name} to go on: `);
    if (typed.trim() !== name) throw new UsageError('nothing was destroyed');
  } finally {
    reader.close();
  }
}

/** Connected, or not: it is not waited for. */
async function reach(join: JoinCommand, command: PanicCommand, terminal: Terminal): Promise<SottoClient> {
  const secret = await readStoreSecret(join, command.password, terminal);
  const client = await openDevice(join, await openStore(join, secret), () => Promise.resolve(false));
  await within(CONNECT_MS, client.resume());
  return client;
}

function reasonOf(error: unknown): string {
  return `sotto: the device could not be revoked at the server: ${error instanceof Error ? error.message : 'failed'}`;
}
