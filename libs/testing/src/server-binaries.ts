import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasDebianPackages, unpackDebianPackage } from './debian-packages.js';

export type ServerName = 'nats' | 'redis' | 'postgres';

/** Where a server's programs are, and what must stand in the environment for them to find their libraries. */
export interface ServerBinaries {
  folder: string;
  environment: Record<string, string>;
}

const SERVERS: Record<ServerName, { programs: string[]; debianPackage: string; install: string }> = {
  nats: { programs: ['nats-server'], debianPackage: 'nats-server', install: 'nats-server (https://nats.io)' },
  redis: { programs: ['redis-server'], debianPackage: 'redis-server', install: 'redis-server 7 or later' },
  postgres: { programs: ['postgres', 'initdb'], debianPackage: 'postgresql', install: 'PostgreSQL 15 or later (postgres and initdb)' },
};

export const SERVER_NAMES: readonly ServerName[] = ['nats', 'redis', 'postgres'];

/** The programs of a server: installed ones if there are any, else unpacked once from Debian packages into a cache. */
export async function serverBinaries(server: ServerName, progress: (line: string) => void = () => undefined): Promise<ServerBinaries> {
  const installed = [...pathFolders(), ...postgresFolders('/')].find((folder) => hasPrograms(folder, server));
  if (installed !== undefined) return { folder: installed, environment: {} };
  const root = join(cacheFolder(), server);
  if (!existsSync(root)) {
    if (!hasDebianPackages()) throw new Error(missingLine(server));
    progress(`fetching ${SERVERS[server].debianPackage} from Debian packages`);
    await unpackDebianPackage(SERVERS[server].debianPackage, root).catch((error: unknown) => {
      throw new Error(missingLine(server), { cause: error });
    });
  }
  const folder = unpackedFolders(root).find((candidate) => hasPrograms(candidate, server));
  if (folder === undefined) throw new Error(missingLine(server));
  return { folder, environment: { LD_LIBRARY_PATH: libraryFolders(root).join(delimiter) } };
}

function missingLine(server: ServerName): string {
  return `${server} is not on this machine and could not be fetched: install ${SERVERS[server].install} and put it on the PATH`;
}

function pathFolders(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).concat('/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin');
}

/** Debian keeps PostgreSQL's programs off the PATH, in a folder per version; the newest comes first. */
function postgresFolders(root: string): string[] {
  const parent = join(root, 'usr/lib/postgresql');
  if (!existsSync(parent)) return [];
  const versions = readdirSync(parent).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(parent, version, 'bin'));
}

function unpackedFolders(root: string): string[] {
  return [...['usr/bin', 'usr/sbin'].map((folder) => join(root, folder)), ...postgresFolders(root)];
}

function libraryFolders(root: string): string[] {
  const parents = ['usr/lib', 'lib'].map((folder) => join(root, folder)).filter((folder) => existsSync(folder));
  const triplets = parents.flatMap((parent) =>
    readdirSync(parent)
      .filter((name) => name.includes('-linux-'))
      .map((name) => join(parent, name)),
  );
  return [...triplets, ...parents];
}

function hasPrograms(folder: string, server: ServerName): boolean {
  return SERVERS[server].programs.every((program) => isExecutable(join(folder, program)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** `.cache` of the checkout; as root, when others cannot reach it, a system folder, since PostgreSQL does not run as root. */
export function cacheFolder(): string {
  const checkout = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
  const reachable = ancestors(checkout).every((folder) => (statSync(folder).mode & 0o001) !== 0);
  return process.getuid?.() === 0 && !reachable ? '/var/cache/sotto-servers' : join(checkout, '.cache', 'servers');
}

function ancestors(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}
