import { existsSync } from 'node:fs';
import { ClientError, type Imported, ServerError } from '@sotto/client';
import { importFromFile, type SqliteStore } from '@sotto/client/node';
import { ErrorCode } from '@sotto/protocol';
import type { ImportCommand } from '../command-line/commands/archive.js';
import { serversFile } from '../command-line/folders.js';
import { UsageError } from '../command-line/usage-error.js';
import {
  askToTrust,
  damageTold,
  enter,
  openDevice,
  type Opening,
  openStore,
  removeStore,
  storeFileIn,
  storeFolderOf,
} from '../device/device.js';
import type { Terminal } from '../password/hidden-prompt.js';
import { readOpening } from '../password/opening.js';
import { readArchivePassphrase } from '../password/password.js';
import { rememberJoined } from '../servers/remember-joined.js';
import { Progress } from './progress.js';

/** Takes the archive in, and makes the new device; that waits for the next sotto join when the server is away. */
export async function runImport(command: ImportCommand, out: (line: string) => void): Promise<void> {
  const terminal: Terminal = { input: process.stdin, output: process.stderr };
  const file = storeFileIn(storeFolderOf(command.join));
  const isNew = !existsSync(file);
  const passphrase = await readArchivePassphrase(command.passphrase, terminal, false);
  const opening = await readOpening(command.join, terminal);
  const store = await openStore(command.join, opening.store);
  let imported: Imported;
  try {
    imported = await takeIn(command, store, passphrase);
  } catch (error) {
    await store.close();
    if (isNew) await removeStore(command.join);
    const told = damageTold(error, file);
    throw told instanceof ClientError ? new UsageError(told.message) : told;
  }
  const cause = await makeDevice(command, store, opening, isNew, terminal);
  // As sotto join does where somebody sits.
  const isRemembered = !command.join.json && process.stdout.isTTY;
  if (isRemembered) await rememberJoined(serversFile(process.env), command.join);
  tell(command, imported, cause, out);
}

async function takeIn({ file, merge, join }: ImportCommand, store: SqliteStore, passphrase: string): Promise<Imported> {
  const progress = new Progress('import', join.json);
  const onAccount = ({ name }: { readonly name: string }) => {
    if (name !== join.name && !name.startsWith(`${join.name}.`))
      throw new UsageError(`this archive is of ${name}, not of ${join.name}: -i ${name}`);
  };
  try {
    return await importFromFile(store, file, passphrase, { merge, onAccount, onProgress: ({ done, all }) => progress.tell(done, all) });
  } finally {
    progress.end();
  }
}

/** Returns what kept it from logging in, if something did. A password that is not the account's must not be the one that opens the store. */
async function makeDevice(
  { join }: ImportCommand,
  store: SqliteStore,
  opening: Opening,
  isNew: boolean,
  terminal: Terminal,
): Promise<string | undefined> {
  const client = await openDevice(join, store, (pin) => askToTrust(pin, terminal));
  try {
    await enter(client, join, opening.password);
    return undefined;
  } catch (error) {
    const isWrong = client.restored !== undefined && isNew && join.keyFile === undefined && isWrongPassword(error);
    if (!isWrong) return error instanceof Error ? error.message : 'failed';
    await client.close();
    await removeStore(join);
    throw new UsageError("the password is not the account's: nothing was imported");
  } finally {
    await client.close();
  }
}

function isWrongPassword(error: unknown): boolean {
  const cause = error instanceof UsageError ? error.cause : error;
  return cause instanceof ServerError && cause.code === ErrorCode.WRONG_PASSWORD;
}

function tell({ join, merge }: ImportCommand, imported: Imported, cause: string | undefined, out: (line: string) => void): void {
  const isLoggedIn = cause === undefined;
  if (join.json)
    return out(JSON.stringify({ event: 'imported', ...imported, loggedIn: isLoggedIn, ...(!isLoggedIn && { cause }), at: Date.now() }));
  if (imported.messages + imported.contacts === 0 && merge)
    out(`Nothing new: what the archive holds of ${imported.name} was here already.`);
  else out(`${imported.messages} messages and ${imported.contacts} contacts of ${imported.name} came in.`);
  if (isLoggedIn)
    out('This is a new device of the account. Your other devices bring it into your groups while both are connected: sotto join');
  else out(`It has not logged in (${cause}): the next sotto join does.`);
}
