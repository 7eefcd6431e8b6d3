import type { ExportCommand } from '../command-line/commands/archive.js';
import { commandFor, type JoinCommand } from '../command-line/commands/join.js';
import type { PanicCommand } from '../command-line/commands/panic.js';
import { serversFile } from '../command-line/folders.js';
import { UsageError } from '../command-line/usage-error.js';
import { addressOf, readServers } from '../servers/remembered-servers.js';

/** Which stored account is meant: as the command says, or the one of that name that is remembered. Throws UsageError. */
export async function whereStored({ at, name, store, keyFile }: ExportCommand | PanicCommand): Promise<JoinCommand> {
  if (at !== undefined) return at;
  const remembered = (await readServers(serversFile(process.env))).filter((each) => each.name === name);
  const fitting = store === undefined ? remembered : remembered.filter((each) => each.store === store);
  if (store !== undefined && fitting.length !== 1) return { ...commandFor({ host: '', port: 0, name, store }), keyFile };
  const [found, ...others] = fitting;
  if (found === undefined) throw new UsageError(`no account ${name} is remembered: -t HOST -p PORT, a link, or --store FOLDER`);
  if (others.length > 0) throw new UsageError(`${name} is on several servers: -t HOST -p PORT (${fitting.map(addressOf).join(', ')})`);
  const command = commandFor(found);
  return { ...command, store: store ?? command.store, keyFile: keyFile ?? command.keyFile };
}
