import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { PrismaPg } from '@prisma/adapter-pg';
import type { Database, DatabaseOptions } from './database.js';
import { codeOf, DatabaseOpenError } from './database-error.js';
import { FirstStart } from './first-start.js';
import { lockFolder } from './folder-lock.js';
import { PrismaClient } from './generated/client.js';
import { applyMigrations, isMigrated } from './migrations.js';
import { assertRoom, keepRoom } from './room.js';
import { adapterOf, readSeed, SEEDS } from './seed.js';
import { Turns } from './turns.js';
import { unpackSeed } from './unpack-seed.js';

const DATABASE_FOLDER = 'postgres';
/** The default of 128 MB of shared buffers is memory this process would hold for a few thousand rows. */
const START_PARAMS = [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'];

/** Opens and warms up: Prisma's first query takes 135-350 ms, which no user should wait for. Throws DatabaseOpenError, or the driver's error when a server is away. */
export function openDatabase(options: DatabaseOptions): Promise<Database> {
  return options.kind === 'postgres'
    ? openPostgres(options.url, options.maxConnections ?? 10)
    : openPGlite(resolve(options.folder), options.seeds);
}

async function openPostgres(url: string, max: number): Promise<Database> {
  const adapter = new PrismaPg(
    { connectionString: url, max, connectionTimeoutMillis: 3_000, idleTimeoutMillis: 30_000, query_timeout: 10_000, keepAlive: true },
    // An idle connection that breaks is replaced at the next query; without a listener it would end the process.
    { onPoolError: () => undefined, onConnectionError: () => undefined },
  );
  const client = new PrismaClient({ adapter });
  try {
    await warmUp(client);
  } catch (error) {
    await client.$disconnect();
    throw error;
  }
  return { client, ping: () => ping(client), close: () => client.$disconnect() };
}

async function openPGlite(folder: string, seeds = SEEDS): Promise<Database> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const lock = await lockFolder(folder);
    try {
      return await openLocked(folder, seeds, () => lock.release());
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw explained(error, folder);
  }
}

async function openLocked(folder: string, seeds: string, release: () => Promise<void>): Promise<Database> {
  const first = await FirstStart.of(folder, DATABASE_FOLDER);
  const seed = first === undefined ? undefined : await readSeed(seeds);
  const dataDir = join(folder, DATABASE_FOLDER);
  if (seed !== undefined) unpackSeed(seed, dataDir);
  // What a start does to its files, migrations before all, passes by keepRoom.
  await assertRoom(folder);
  const postgres = await PGlite.create({ dataDir, startParams: START_PARAMS });
  giveTurns(postgres);
  try {
    const adapter = adapterOf(postgres);
    if (!(await isMigrated(postgres))) await applyMigrations(adapter);
    const client = new PrismaClient({ adapter });
    await warmUp(client);
    await first?.finish();
    keepRoom(postgres, dataDir);
    return { client, ping: () => ping(client), close: () => closeAll(client, postgres, release) };
  } catch (error) {
    await postgres.close();
    throw error;
  }
}

/** Not what runs inside a transaction: that holds the database for itself until it ends. */
function giveTurns(postgres: PGlite): void {
  const turns = new Turns();
  const query = postgres.query.bind(postgres);
  postgres.query = (...statement) => turns.run(() => query(...statement));
}

async function closeAll(client: PrismaClient, postgres: PGlite, release: () => Promise<void>): Promise<void> {
  await client.$disconnect();
  if (!postgres.closed) await postgres.close();
  await release();
}

async function ping(client: PrismaClient): Promise<void> {
  await client.$queryRaw`SELECT 1`;
}

/** By a table that may be read: a service's database user has its own alone, and what is refused is an error in the log of the database. */
async function warmUp(client: PrismaClient): Promise<void> {
  const [accounts] = await client.$queryRaw<{ readable: boolean }[]>`SELECT has_table_privilege('accounts', 'SELECT') AS readable`;
  if (accounts?.readable) await client.account.findUnique({ where: { name: '' }, select: { id: true } });
  else await client.contact.findFirst({ where: { owner: '' }, select: { owner: true } });
}

const CAUSES: Readonly<Record<string, string>> = {
  EROFS: 'is on a read-only file system',
  EACCES: 'may not be written by this user',
  EPERM: 'may not be written by this user',
  ENOSPC: 'is on a full disk',
  EDQUOT: 'is over its quota',
  ENOTDIR: 'is not a folder',
  EEXIST: 'is not a folder',
};

function explained(error: unknown, folder: string): unknown {
  if (error instanceof DatabaseOpenError) return error;
  const cause = CAUSES[codeOf(error) ?? ''];
  if (cause !== undefined) return new DatabaseOpenError(`the data folder ${folder} ${cause}`, { cause: error });
  return new DatabaseOpenError(`the database in ${folder} does not open: is its disk full, or was it written by a newer version?`, {
    cause: error,
  });
}
