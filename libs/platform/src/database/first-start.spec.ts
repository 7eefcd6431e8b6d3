import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { describeThoroughly } from '@sotto/testing/thoroughly';
import type { Database } from './database.js';
import { FirstStart } from './first-start.js';
import { isMigrated, migrationDirectories } from './migrations.js';
import { openDatabase } from './open-database.js';
import { makeSeed, readSeed, seedFile } from './seed.js';

const folders: string[] = [];
async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-first-start-'));
  folders.push(folder);
  return folder;
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

async function appliedMigrations({ client }: Database): Promise<string[]> {
  const rows = await client.$queryRaw<
    { name: string }[]
  >`SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL`;
  return rows.map(({ name }) => name).sort();
}

describe('a first start', () => {
  let folder: string;
  const database = () => join(folder, 'postgres');
  const begin = () => FirstStart.of(folder, 'postgres');

  beforeEach(async () => {
    folder = await newFolder();
  });

  it('is one where there is no database, until it is finished', async () => {
    const first = await begin();
    await mkdir(database());
    await first!.finish();
    expect(await begin()).toBeUndefined();
    expect(await readdir(folder)).toEqual(['postgres']);
  });

  it('begins anew, without what was half done, when the process was killed in it', async () => {
    await begin();
    await mkdir(database());
    await writeFile(join(database(), 'half'), '');
    expect(await begin()).toBeDefined();
    expect(await readdir(folder)).toEqual(['unfinished']);
  });

  it('leaves a database alone that was there before', async () => {
    await mkdir(database());
    expect(await begin()).toBeUndefined();
    expect(await readdir(folder)).toEqual(['postgres']);
  });
});

// Every standalone server of other suites begins so.
describeThoroughly('a database that begins with a seed', () => {
  let seeds: string;
  let database: Database;

  beforeAll(async () => {
    seeds = await newFolder();
    await writeFile(join(seeds, 'postgres-of-an-older-version.tar.gz'), '');
    await makeSeed(seeds);
    database = await openDatabase({ kind: 'pglite', folder: await newFolder(), seeds });
  }, 120_000);
  afterAll(() => database?.close());

  it('has every migration and no row of anybody', async () => {
    const migrations = await migrationDirectories();
    expect(await appliedMigrations(database)).toEqual(migrations.map(({ path }) => path));
    expect(await database.client.account.count()).toBe(0);
    expect(await database.client.contact.count()).toBe(0);
  });

  it('was really made from it: it is the same cluster as another of that seed', async () => {
    const other = await openDatabase({ kind: 'pglite', folder: await newFolder(), seeds });
    const cluster = async ({ client }: Database) => client.$queryRaw`SELECT system_identifier::text FROM pg_control_system()`;
    expect(await cluster(other)).toEqual(await cluster(database));
    await other.close();
  }, 60_000);

  it('finds the seed of its own version alone', async () => {
    expect(await readdir(seeds)).toEqual([(await seedFile(seeds)).slice(seeds.length + 1)]);
    expect(await readSeed(await newFolder())).toBeUndefined();
  });

  it('is known to need no migration, but one in which a migration failed, was rolled back, or is not known does', async () => {
    const postgres = await PGlite.create({ loadDataDir: new Blob([await readFile(await seedFile(seeds))]) });
    expect(await isMigrated(postgres)).toBe(true);
    const changed = async (change: string) => {
      await postgres.exec(`BEGIN; ${change}`);
      const is = await isMigrated(postgres);
      await postgres.exec('ROLLBACK');
      return is;
    };
    expect(await changed('UPDATE _prisma_migrations SET finished_at = NULL')).toBe(false);
    expect(await changed('UPDATE _prisma_migrations SET rolled_back_at = now()')).toBe(false);
    expect(await changed("UPDATE _prisma_migrations SET migration_name = 'another'")).toBe(false);
    expect(await changed('DROP TABLE _prisma_migrations')).toBe(false);
    expect(await isMigrated(postgres)).toBe(true);
    await postgres.close();
  }, 60_000);

  it('gets the migrations that its seed does not have', async () => {
    const folder = await newFolder();
    const postgres = await PGlite.create({ loadDataDir: new Blob([await readFile(await seedFile(seeds))]) });
    await postgres.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    const bare = await postgres.dumpDataDir('gzip');
    await postgres.close();
    await writeFile(await seedFile(folder), new Uint8Array(await bare.arrayBuffer()));
    const migrated = await openDatabase({ kind: 'pglite', folder: await newFolder(), seeds: folder });
    expect(await appliedMigrations(migrated)).toEqual(await appliedMigrations(database));
    await migrated.close();
  }, 120_000);
});
