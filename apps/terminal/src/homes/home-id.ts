import type { JoinCommand } from '../command-line/commands/join.js';
import type { PeerCommand } from '../command-line/commands/peer.js';
import { addressOf } from '../servers/remembered-servers.js';

const WITHOUT_SERVER = ', without a server';
/** Stands for HOST:PORT where there is no server. */
const PEERS = 'peers';

/** How an account is called beside those on other servers: `alice@chat.example:7788`. */
export function homeIdOf(command: Pick<JoinCommand, 'host' | 'port' | 'name'>): string {
  return `${command.name}@${addressOf(command)}`;
}

export function peerHomeId({ name }: Pick<PeerCommand, 'name'>): string {
  return `${name}${WITHOUT_SERVER}`;
}

/** As commands name each home behind an @: its address, or, where that is of several, with the own name before it. */
export function homeWords(ids: readonly string[]): string[] {
  return ids.map((id) => (ids.filter((each) => addressIn(each) === addressIn(id)).length === 1 ? addressIn(id) : wordOf(id)));
}

/** Those that are meant by what stands behind an @: HOST:PORT, HOST, `peers`, each also with the own name before it. */
export function homesCalled(where: string, ids: readonly string[]): string[] {
  const isMeant = (word: string) => word === where || word.replace(/:\d+$/, '') === where;
  return ids.filter((id) => isMeant(wordOf(id)) || isMeant(addressIn(id)));
}

function wordOf(id: string): string {
  return id.endsWith(WITHOUT_SERVER) ? `${id.slice(0, -WITHOUT_SERVER.length)}@${PEERS}` : id;
}

function addressIn(id: string): string {
  const word = wordOf(id);
  return word.slice(word.indexOf('@') + 1);
}
