import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startPostgres, type RunningServer } from '@sotto/testing';
import { databaseContract } from './database.contract.js';
import type { Database } from './database.js';
import { databaseErrorKind } from './database-error.js';
import { lockFolder } from './folder-lock.js';
import { migratePostgres } from './migrations.js';
import { openDatabase } from './open-database.js';

const folders: string[] = [];
async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-database-'));
  folders.push(folder);
  return folder;
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

describe('database in the process (PGlite)', () => {
  let folder: string;
  let database: Database;
  beforeAll(async () => {
    folder = await newFolder();
    database = await openDatabase({ kind: 'pglite', folder });
  }, 60_000);
  afterAll(() => database.close());

  databaseContract(() => database);

  it('refuses a folder that is in use, and keeps its rows over a restart', async () => {
    await expect(openDatabase({ kind: 'pglite', folder })).rejects.toThrow('another process uses');
    const before = await database.client.account.count();
    await database.close();
    database = await openDatabase({ kind: 'pglite', folder });
    expect(await database.client.account.count()).toBe(before);
  }, 60_000);

  it('says that its folder is none', async () => {
    const file = join(await newFolder(), 'file');
    await writeFile(file, '');
    await expect(openDatabase({ kind: 'pglite', folder: file })).rejects.toThrow('is not a folder');
  });
});

describe('database on a server (Postgres)', () => {
  let server: RunningServer;
  let database: Database;
  beforeAll(async () => {
    server = await startPostgres();
    await Promise.all([migratePostgres(server.url), migratePostgres(server.url)]);
    database = await openDatabase({ kind: 'postgres', url: server.url });
  }, 60_000);
  afterAll(async () => {
    await database.close();
    await server.stop();
  });

  databaseContract(() => database);

  it('applies a migration once', async () => {
    expect(await migratePostgres(server.url)).toEqual([]);
    expect(await database.client.account.count()).toBeGreaterThan(0);
  });

  it.each(['accounts', 'contacts'])('opens for a user who may read %s alone without an error in the log of the server', async (table) => {
    await database.client.$executeRawUnsafe(`CREATE ROLE reader_of_${table} LOGIN`);
    await database.client.$executeRawUnsafe(`GRANT SELECT ON ${table} TO reader_of_${table}`);
    const logged = async () => (await readFile(join(server.folder, 'log'), 'utf8')).split('\n').filter((line) => /ERROR|FATAL/.test(line));
    const before = await logged();
    const url = new URL(server.url);
    url.username = `reader_of_${table}`;
    await (await openDatabase({ kind: 'postgres', url: url.href })).close();
    expect(await logged()).toEqual(before);
  });

  it('tells that the server is away, and goes on when it is back', async () => {
    await server.kill();
    expect(databaseErrorKind(await database.ping().catch((error: unknown) => error))).toBe('away');
    await server.restart();
    await database.ping();
  }, 60_000);
});

describe('lock of a data folder', () => {
  it('goes to one of many that start at once, also over a dead holder', async () => {
    const folder = await newFolder();
    // No process has this id: it is above the largest that Linux gives.
    await writeFile(join(folder, 'lock.3'), JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), token: 'gone' }));
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => lockFolder(folder)));
    const held = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(held).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['lock.4']);
    await held[0]!.release();
    await (await lockFolder(folder)).release();
  });
});
