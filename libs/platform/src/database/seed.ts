import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import { applyMigrations, migrationDirectories } from './migrations.js';

/** Where a build puts the seed. */
export const SEEDS = fileURLToPath(new URL('../../seed', import.meta.url));

/**
 * A seed is a data folder of PGlite, initialised and migrated, with no row of anybody and no secret: unpacking it takes an eighth of the time of
 * making one. It is only a start: migrations are applied on top of it as on any other folder. A seed of another PGlite
 * has another name and is not found.
 */
export async function seedFile(folder: string): Promise<string> {
  const hash = createHash('sha256').update(await pgliteVersion());
  for (const { path, migrationFile } of await migrationDirectories()) hash.update(`\0${path}\0${JSON.stringify(migrationFile)}`);
  return join(folder, `postgres-${hash.digest('hex').slice(0, 16)}.tar.gz`);
}

/** Undefined when there is none. */
export async function readSeed(folder: string): Promise<Uint8Array | undefined> {
  return readFile(await seedFile(folder)).catch(() => undefined);
}

/** Makes the seed if it is not there, and removes those of other versions. */
export async function makeSeed(folder: string): Promise<void> {
  const file = await seedFile(folder);
  await mkdir(folder, { recursive: true });
  const present = await readdir(folder);
  if (present.some((name) => join(folder, name) === file)) return;
  await writeFile(`${file}.new`, await packed());
  await rename(`${file}.new`, file);
  for (const name of present) await rm(join(folder, name), { force: true });
}

async function packed(): Promise<Uint8Array> {
  const postgres = await PGlite.create();
  try {
    await applyMigrations(adapterOf(postgres));
    await postgres.exec('CHECKPOINT');
    return new Uint8Array(await (await postgres.dumpDataDir('gzip')).arrayBuffer());
  } finally {
    await postgres.close();
  }
}

/** The adapter's types name PGlite's CommonJS declarations of the same class. */
export function adapterOf(postgres: PGlite): PrismaPGlite {
  return new PrismaPGlite(postgres as unknown as ConstructorParameters<typeof PrismaPGlite>[0]);
}

async function pgliteVersion(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  return (JSON.parse(await readFile(join(dirname(entry), '../package.json'), 'utf8')) as { version: string }).version;
}
