import { execFile } from 'node:child_process';
import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.js';
import { serverBinaries, type ServerBinaries } from './server-binaries.js';
import { answers, runServer, type RunningServer } from './server-process.js';
import { temporaryFolder } from './temporary-folder.js';

const run = promisify(execFile);

export interface PostgresOptions {
  port?: number;
  /** Statements go to the log, values too. */
  logStatements?: boolean;
}

/** Debian's `nobody`: PostgreSQL refuses to run as root and wants a user that has a name. */
const UNPRIVILEGED = { uid: 65_534, gid: 65_534 };

/** A real, empty PostgreSQL. It survives kill -9 of its processes, not of the machine (fsync is off). */
export async function startPostgres(options: PostgresOptions = {}): Promise<RunningServer> {
  const binaries = await serverBinaries('postgres');
  const port = options.port ?? (await freePort());
  const folder = await temporaryFolder('postgres');
  const owner = process.getuid?.() === 0 ? UNPRIVILEGED : undefined;
  const data = join(folder, 'data');
  await mkdir(data, { mode: 0o700 });
  if (owner !== undefined) {
    await chown(folder, owner.uid, owner.gid);
    await chown(data, owner.uid, owner.gid);
  }
  await initialise(binaries, data, owner);
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    fsync: 'off',
    shared_buffers: '16MB',
    max_connections: 100,
    log_statement: options.logStatements ? 'all' : 'none',
  };
  return runServer({
    program: join(binaries.folder, 'postgres'),
    args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    environment: binaries.environment,
    url: `postgresql://sotto@127.0.0.1:${port}/postgres`,
    port,
    folder,
    stopSignal: 'SIGQUIT',
    owner,
    isReady: () => answers(port, START_UP, /^R/),
  });
}

/** StartupMessage of protocol 3.0 for user `sotto`; the answer starts with `R` (authentication) once logins are taken. */
const START_UP = '\0\0\0\x26\0\x03\0\0user\0sotto\0database\0postgres\0\0';

async function initialise(binaries: ServerBinaries, data: string, owner: typeof UNPRIVILEGED | undefined): Promise<void> {
  const args = ['-D', data, '-U', 'sotto', '--auth=trust', '--no-sync', '--no-locale', '-E', 'UTF8'];
  await run(join(binaries.folder, 'initdb'), args, { cwd: data, env: { ...process.env, ...binaries.environment }, ...owner });
}
