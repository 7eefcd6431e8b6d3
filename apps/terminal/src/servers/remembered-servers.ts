import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TAGGED_NAME_PATTERN } from '@sotto/protocol/limits';
import { makeFolder } from '../command-line/make-folder.js';
import { UsageError } from '../command-line/usage-error.js';
import { hostForUrl, PIN_PATTERN } from '../link/join-link.js';

/** An account that `sotto` opens by itself. No secrets: the pin is public. */
export interface RememberedServer {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  /** Undefined: the store has it, or the first log-in asks. */
  readonly pin?: string | undefined;
  readonly tls?: boolean | undefined;
  /** The device's folder, when it is not the default one. */
  readonly store?: string | undefined;
  /** Where the file is that opens the store, when no password does. */
  readonly keyFile?: string | undefined;
}

const MAX_SERVERS = 100;
const MAX_BYTES = 256 * 1024;

export function addressOf({ host, port }: Pick<RememberedServer, 'host' | 'port'>): string {
  return `${hostForUrl(host)}:${port}`;
}

export function isSame(a: RememberedServer, b: Pick<RememberedServer, 'host' | 'port' | 'name'>): boolean {
  return a.host === b.host && a.port === b.port && a.name === b.name;
}

/** Throws UsageError when the file is there and is not one of ours: it is left alone. */
export async function readServers(file: string): Promise<RememberedServer[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new UsageError(`${file} cannot be read (${code})`);
  }
  return parsed(text, file);
}

/** The identities under which this user's accounts at the address are remembered. None when the list cannot be read: that is told elsewhere. */
export async function rememberedPins(file: string, { host, port }: Pick<RememberedServer, 'host' | 'port'>): Promise<ReadonlySet<string>> {
  const servers = await readServers(file).catch(() => []);
  return new Set(servers.flatMap((each) => (each.host === host && each.port === port && each.pin !== undefined ? [each.pin] : [])));
}

/** In place of one with the same address and name, or as a new one. */
export async function rememberServer(file: string, server: RememberedServer): Promise<void> {
  const servers = await readServers(file);
  const others = servers.filter((each) => !isSame(each, server));
  if (others.length >= MAX_SERVERS)
    throw new UsageError(`${MAX_SERVERS} servers are remembered already: sotto servers remove HOST:PORT -i NAME`);
  await writeServers(file, [...others, server]);
}

/** Returns what was forgotten: all accounts at the address, or the one of that name. */
export async function forgetServer(file: string, address: string, name?: string): Promise<RememberedServer[]> {
  const servers = await readServers(file);
  const goes = (each: RememberedServer) => addressOf(each) === address && (name === undefined || each.name === name);
  const gone = servers.filter(goes);
  if (gone.length > 0)
    await writeServers(
      file,
      servers.filter((each) => !goes(each)),
    );
  return gone;
}

/** Whole or not at all, and for nobody else: who knows whom is nobody's business. */
async function writeServers(file: string, servers: readonly RememberedServer[]): Promise<void> {
  await makeFolder(dirname(file), 'the list of servers is kept there; XDG_CONFIG_HOME names another place');
  const fresh = `${file}.${process.pid}.new`;
  const handle = await open(fresh, 'w', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify({ servers }, undefined, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(fresh, file).catch(async (error: unknown) => {
    await rm(fresh, { force: true });
    throw error;
  });
}

function parsed(text: string, file: string): RememberedServer[] {
  const broken = new UsageError(`${file} is no list of servers: mend it, or move it away and add them again (sotto servers add)`);
  if (text.length > MAX_BYTES) throw broken;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw broken;
  }
  const servers = typeof value === 'object' && value !== null ? (value as { servers?: unknown }).servers : undefined;
  if (!Array.isArray(servers) || servers.length > MAX_SERVERS || !servers.every(isServer)) throw broken;
  return servers;
}

function isServer(value: unknown): value is RememberedServer {
  if (typeof value !== 'object' || value === null) return false;
  const { host, port, name, pin, tls, store, keyFile } = value as Readonly<Record<string, unknown>>;
  const isPort = typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535;
  const isName = typeof name === 'string' && TAGGED_NAME_PATTERN.test(name);
  const isPin = pin === undefined || (typeof pin === 'string' && PIN_PATTERN.test(pin));
  const isPath = (path: unknown) => path === undefined || typeof path === 'string';
  const isRest = (tls === undefined || typeof tls === 'boolean') && isPath(store) && isPath(keyFile);
  return typeof host === 'string' && host !== '' && isPort && isName && isPin && isRest;
}
