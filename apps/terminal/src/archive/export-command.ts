import { existsSync } from 'node:fs';
import { exportToFile } from '@sotto/client/node';
import { ClientError } from '@sotto/client';
import type { ExportCommand } from '../command-line/commands/archive.js';
import { UsageError } from '../command-line/usage-error.js';
import { damageTold, openStore, storeFileIn, storeFolderOf } from '../device/device.js';
import type { Terminal } from '../password/hidden-prompt.js';
import { readArchivePassphrase } from '../password/password.js';
import { Progress } from './progress.js';
import { readStoreSecret } from './store-secret.js';
import { whereStored } from './stored-account.js';

/** Needs no server; the store, and nobody else who has it open. */
export async function runExport(command: ExportCommand, out: (line: string) => void): Promise<void> {
  const terminal: Terminal = { input: process.stdin, output: process.stderr };
  const join = await whereStored(command);
  const storeFile = storeFileIn(storeFolderOf(join));
  if (!existsSync(storeFile)) throw new UsageError(`there is nothing stored: ${storeFile}`);
  const store = await openStore(join, await readStoreSecret(join, command.password, terminal));
  const progress = new Progress('export', command.json);
  let messages = 0;
  try {
    const passphrase = await readArchivePassphrase(command.passphrase, terminal, true);
    await exportToFile(store, command.file, passphrase, { onProgress: (done) => progress.tell((messages = done)) });
  } catch (error) {
    const told = damageTold(error, storeFile);
    throw told instanceof ClientError ? new UsageError(told.message) : told;
  } finally {
    progress.end();
    await store.close();
  }
  if (command.json) return out(JSON.stringify({ event: 'exported', file: command.file, messages, at: Date.now() }));
  out(`${command.file} holds ${messages} messages, the contacts, the settings and the account's key, sealed under its passphrase.`);
  out(
    'It makes a new device of the account: sotto import. Keep it as you would keep a key: with its passphrase and the password it is you.',
  );
}
