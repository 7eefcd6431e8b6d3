import type { JoinCommand, PeerCommand } from '../command-line/command.js';
import { addressOf } from '../servers/remembered-servers.js';

/** How an account is called beside those on other servers: `alice@chat.example:7788`. */
export function homeIdOf(command: Pick<JoinCommand, 'host' | 'port' | 'name'>): string {
  return `${command.name}@${addressOf(command)}`;
}

export function peerHomeId({ name }: Pick<PeerCommand, 'name'>): string {
  return `${name}, without a server`;
}
