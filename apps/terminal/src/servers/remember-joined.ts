import { type JoinCommand, serverOf } from '../command-line/commands/join.js';
import { homeIdOf } from '../homes/home-id.js';
import { readServers, rememberServer } from './remembered-servers.js';

/** Remembered, so that `sotto` alone opens it the next time. */
export async function rememberJoined(file: string, command: JoinCommand): Promise<void> {
  const server = serverOf(command);
  const known = (await readServers(file)).some((each) => homeIdOf(each) === homeIdOf(server) && each.store === server.store);
  if (!known) await rememberServer(file, server);
}
