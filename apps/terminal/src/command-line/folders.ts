import { homedir } from 'node:os';
import { join } from 'node:path';

/** XDG base directory specification; all data that sotto keeps is below it. */
function sottoFolder(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'sotto');
}

/** Which accounts `sotto` opens by itself. */
export function serversFile(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'sotto', 'servers.json');
}

export function defaultServerFolder(env: NodeJS.ProcessEnv): string {
  return join(sottoFolder(env), 'server');
}

/** One folder a device: a name may exist on several servers, and several servers on a host. */
export function defaultStoreFolder(env: NodeJS.ProcessEnv, address: { host: string; port: number }, name: string): string {
  return join(sottoFolder(env), `${address.host.replace(/[^A-Za-z0-9.-]/g, '_')}_${address.port}`, name);
}

/** Of somebody who talks to peers without a server. */
export function defaultPeerFolder(env: NodeJS.ProcessEnv, name: string): string {
  return join(sottoFolder(env), 'peer', name);
}
