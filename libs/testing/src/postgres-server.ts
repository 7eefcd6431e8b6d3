import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.js';
import { cacheFolder, serverBinaries, type ServerBinaries } from './server-binaries.js';
import { answers, runServer, type RunningServer } from './server-process.js';
import { temporaryFolder } from './temporary-folder.js';

const run = promisify(execFile);

export interface PostgresOptions {
  port?: number;
  /** Statements go to the log, values too. */
  logStatements?: boolean;
  /** What it begins with; nothing when undefined. */
  contents?: Contents;
}

/** Of a database, made once on this machine and copied from then on. */
export interface Contents {
  /** Another one whenever `make` makes something else. */
  readonly version: string;
  make(url: string): Promise<void>;
}

/** Debian's `nobody`: PostgreSQL refuses to run as root and wants a user that has a name. */
const UNPRIVILEGED = { uid: 65_534, gid: 65_534 };

/** A real PostgreSQL. It survives kill -9 of its processes, not of the machine (fsync is off). */
export async function startPostgres(options: PostgresOptions = {}): Promise<RunningServer> {
  const binaries = await serverBinaries('postgres');
  const folder = await temporaryFolder('postgres');
  const owner = process.getuid?.() === 0 ? UNPRIVILEGED : undefined;
  const data = join(folder, 'data');
  await mkdir(data, { mode: 0o700 });
  if (owner !== undefined) {
    await chown(folder, owner.uid, owner.gid);
    await chown(data, owner.uid, owner.gid);
  }
  await initialise({ binaries, owner }, data, options.contents);
  return runOn(data, folder, { binaries, owner }, options);
}

type Owner = typeof UNPRIVILEGED | undefined;

interface Program {
  readonly binaries: ServerBinaries;
  readonly owner: Owner;
}

async function runOn(data: string, folder: string, { binaries, owner }: Program, options: PostgresOptions): Promise<RunningServer> {
  const port = options.port ?? (await freePort());
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

const CLUSTER = ['-U', 'sotto', '--auth=trust', '--no-sync', '--no-locale', '-E', 'UTF8'];

/** Copies a cluster that is made when it is first wanted: to copy takes a tenth of the time of initdb. */
async function initialise(program: Program, data: string, contents?: Contents): Promise<void> {
  const { binaries, owner } = program;
  const { mtimeMs } = await stat(join(binaries.folder, 'postgres'));
  const kind = createHash('sha256')
    .update(JSON.stringify([binaries.folder, mtimeMs, owner, CLUSTER, contents?.version]))
    .digest('hex');
  const template = join(cacheFolder(), `postgres-cluster-${kind.slice(0, 16)}`);
  if (!existsSync(template)) await makeCluster(program, template, contents);
  await run('cp', ['-a', `${template}/.`, data]);
}

/** Several processes may come here at once: the first to be ready leaves its own, and any of them will do. */
async function makeCluster(program: Program, template: string, contents?: Contents): Promise<void> {
  const { binaries, owner } = program;
  await mkdir(dirname(template), { recursive: true });
  const made = await mkdtemp(`${template}.`);
  if (owner !== undefined) await chown(made, owner.uid, owner.gid);
  await run(join(binaries.folder, 'initdb'), ['-D', made, ...CLUSTER], {
    cwd: made,
    env: { ...process.env, ...binaries.environment },
    ...owner,
  });
  if (contents !== undefined) await fill(program, made, contents);
  await rename(made, template).catch(() => rm(made, { recursive: true }));
}

async function fill(program: Program, data: string, contents: Contents): Promise<void> {
  const server = await runOn(data, await temporaryFolder('postgres'), program, {});
  try {
    await contents.make(server.url);
    // A fast shutdown: everything is in its files, and whoever starts on a copy has nothing to recover.
    await server.kill('SIGINT');
  } finally {
    await server.stop();
  }
}
