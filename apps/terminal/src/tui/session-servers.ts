import { parseCommand } from '../command-line/command.js';
import { serverOf, targetCommand } from '../command-line/commands/join.js';
import { UsageError } from '../command-line/usage-error.js';
import { homeIdOf } from '../homes/home-id.js';
import { forgetServer, readServers, rememberServer } from '../servers/remembered-servers.js';
import type { HomeOpener } from './home-opener.js';
import type { SessionCommand, TuiSession } from './tui-session.js';

/** `/servers` within a session: further accounts open beside those that are. */
export function serversInSession(file: string, session: () => TuiSession, opener: () => HomeOpener): SessionCommand {
  return (line) => {
    const [word, action = 'list', ...rest] = line.trim().split(/\s+/u);
    if (word !== '/servers') return undefined;
    switch (action) {
      case 'list':
        return listServers(file, session());
      case 'add':
        return addServer(file, rest, session(), opener());
      case 'remove':
        return removeServer(file, rest, session());
      default:
        throw new UsageError('/servers takes add LINK|HOST:PORT NAME, remove HOST:PORT [NAME], or nothing');
    }
  };
}

/** `/listen` and `/connect … -i NAME` within a session, as on the command line. Without a name `/connect` is for peers that are open already. */
export function peersInSession(opener: () => HomeOpener): SessionCommand {
  return (line) => {
    const [word = '', ...rest] = line.trim().split(/\s+/u);
    if (word !== '/listen' && !(word === '/connect' && rest.includes('-i'))) return undefined;
    const command = parseCommand([word.slice(1), ...rest]);
    return command.command === 'listen' || command.command === 'connect' ? opener().openPeer(command) : undefined;
  };
}

/** `/login` where an account did not open, say by a slip of the finger in its password: opens it. */
export function loginInSession(opener: () => HomeOpener): SessionCommand {
  return (line, { home }) => (line.trim() === '/login' ? opener().openAgain(home) : undefined);
}

async function listServers(file: string, session: TuiSession): Promise<void> {
  const remembered = (await readServers(file)).map(homeIdOf);
  const all = [...new Set([...session.homes, ...remembered])];
  const standing = (id: string) => (session.homes.includes(id) ? (remembered.includes(id) ? 'open' : 'open, not remembered') : 'not open');
  const lines = all.length === 0 ? ['No servers yet: /servers add LINK|HOST:PORT NAME'] : all.map((id) => `${id}  ${standing(id)}`);
  session.dispatch({ type: 'panel', panel: { title: 'servers', lines, scroll: 0 } });
}

async function addServer(file: string, [target, name, ...more]: readonly string[], session: TuiSession, opener: HomeOpener): Promise<void> {
  if (target === undefined || more.length > 0) throw new UsageError('/servers add takes LINK or HOST:PORT, and your NAME there');
  const command = targetCommand(target, name);
  await opener.open(command);
  await rememberServer(file, serverOf(command));
  session.dispatch({ type: 'notice', tone: 'info', text: `${homeIdOf(command)} is remembered: sotto alone opens it the next time` });
}

async function removeServer(file: string, [address, name]: readonly string[], session: TuiSession): Promise<void> {
  if (address === undefined) throw new UsageError('/servers remove takes HOST:PORT, and a NAME if you have several there');
  const fits = (id: string) => (name === undefined ? id.endsWith(`@${address}`) : id === `${name}@${address}`);
  const gone = await forgetServer(file, address, name);
  const open = session.homes.filter(fits);
  if (gone.length + open.length === 0) throw new UsageError(`there is no server ${address}: /servers lists them`);
  for (const id of open) await session.remove(id);
  for (const each of gone) session.dispatch({ type: 'home-gone', home: homeIdOf(each) });
  session.dispatch({ type: 'notice', tone: 'info', text: `${address} is closed and forgotten; what is stored here stays` });
}
