import type { ServersCommand } from '../command-line/commands/servers.js';
import { serversFile } from '../command-line/folders.js';
import { UsageError } from '../command-line/usage-error.js';
import { addressOf, forgetServer, readServers, rememberServer } from './remembered-servers.js';

/** `sotto servers`: which accounts `sotto` opens by itself. */
export async function runServers(command: ServersCommand, out: (line: string) => void): Promise<void> {
  const file = serversFile(process.env);
  switch (command.action) {
    case 'add':
      await rememberServer(file, command.server);
      break;
    case 'remove':
      if ((await forgetServer(file, command.address, command.name)).length === 0) {
        throw new UsageError(`there is no such server in the list: sotto servers list`);
      }
      break;
    case 'list':
  }
  const servers = await readServers(file);
  if (command.json) return out(JSON.stringify({ event: 'servers', servers }));
  if (servers.length === 0) return out('No servers are remembered: sotto servers add LINK|HOST:PORT -i NAME');
  for (const server of servers) out(`${server.name}@${addressOf(server)}${server.pin === undefined ? '' : `  pin ${server.pin}`}`);
}
