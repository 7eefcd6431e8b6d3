import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PGlite } from '@electric-sql/pglite';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { SqlDriverAdapter, SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import type { MigrationDirectory, SchemaEngine } from '@prisma/schema-engine-wasm/schema_engine_bg';

/** prisma/ of the repository, as the build copies it: seen from src, from dist, and from the bundle of the terminal command. */
const MIGRATIONS = fileURLToPath(new URL('../../dist/prisma/migrations', import.meta.url));
const SCHEMA = fileURLToPath(new URL('../../dist/prisma/schema.prisma', import.meta.url));

/** Applies what is missing to a Postgres server and returns the names applied. Several at once are safe: the engine takes an advisory lock. */
export async function migratePostgres(url: string): Promise<string[]> {
  const postgres = new PrismaPg({ connectionString: url, max: 2, connectionTimeoutMillis: 5_000 });
  const opened: SqlDriverAdapter[] = [];
  try {
    return await applyMigrations({
      provider: postgres.provider,
      adapterName: postgres.adapterName,
      connect: async () => {
        const adapter = await postgres.connect();
        opened.push(adapter);
        return adapter;
      },
      connectToShadowDb: () => Promise.reject(new Error('migrations use no shadow database')),
    });
  } finally {
    // The engine leaves its connection open, and the advisory lock stands as long as that does: the next to migrate would wait in vain.
    await Promise.all(opened.map((adapter) => adapter.dispose()));
  }
}

/**
 * Applies prisma/migrations by Prisma's own engine, from WebAssembly, because Prisma's CLI downloads a binary at every command.
 * Only `applyMigrations` may ever be called on the engine: its `diff` and `dev` use the adapter's database as a shadow and empty it.
 */
export async function applyMigrations(adapter: SqlMigrationAwareDriverAdapterFactory): Promise<string[]> {
  const engine = await startEngine(adapter);
  try {
    const applied = await engine.applyMigrations({
      migrationsList: {
        baseDir: MIGRATIONS,
        lockfile: { path: 'migration_lock.toml', content: await readFile(join(MIGRATIONS, 'migration_lock.toml'), 'utf8') },
        shadowDbInitScript: '',
        migrationDirectories: await migrationDirectories(),
      },
      filters: { externalTables: [], externalEnums: [] },
    });
    return applied.appliedMigrationNames;
  } finally {
    engine.free();
  }
}

interface MigrationRow {
  readonly name: string;
  readonly finished: boolean;
}

/**
 * Whether the database has had all migrations, each to its end, and no other: then the engine, which takes a third of a second to compile, has
 * nothing to do.
 */
export async function isMigrated(postgres: PGlite): Promise<boolean> {
  const asked = await postgres.query<{ known: boolean }>("SELECT to_regclass('_prisma_migrations') IS NOT NULL AS known");
  if (asked.rows[0]?.known !== true) return false;
  const { rows } = await postgres.query<MigrationRow>(
    'SELECT migration_name AS name, finished_at IS NOT NULL AS finished FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY name',
  );
  const wanted = await migrationDirectories();
  return rows.length === wanted.length && wanted.every(({ path }, i) => rows[i]?.name === path && rows[i].finished);
}

/** In the order in which they are applied. */
export async function migrationDirectories(): Promise<MigrationDirectory[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  return Promise.all(
    names.map(async (name) => {
      const value = await readFile(join(MIGRATIONS, name, 'migration.sql'), 'utf8');
      return { path: name, migrationFile: { path: 'migration.sql', content: { tag: 'ok', value } } };
    }),
  );
}

async function startEngine(adapter: SqlMigrationAwareDriverAdapterFactory): Promise<SchemaEngine> {
  const bindings = await loadBindings();
  const datamodels: [string, string][] = [[SCHEMA, await readFile(SCHEMA, 'utf8')]];
  const quiet = (): void => undefined;
  return bindings.SchemaEngine.new({ datamodels }, quiet, bindMigrationAwareSqlAdapterFactory(adapter));
}

type Exports = Record<string, unknown> & { __wbindgen_start(): void };
type Bindings = typeof import('@prisma/schema-engine-wasm/schema_engine_bg') & { __wbg_set_wasm(exports: Exports): void };

/** What is used of WebAssembly, which TypeScript declares only among the browser's types. */
interface WebAssemblyHost {
  instantiate(binary: Uint8Array, imports: Record<string, unknown>): Promise<{ instance: { exports: Exports } }>;
}

let bindings: Promise<Bindings> | undefined;

/** The package's own entry imports the .wasm as a module, which Node does not do without a flag; this is that entry by hand. */
function loadBindings(): Promise<Bindings> {
  bindings ??= instantiate();
  return bindings;
}

async function instantiate(): Promise<Bindings> {
  const glue = (await import('@prisma/schema-engine-wasm/schema_engine_bg')) as Bindings;
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg'));
  const { WebAssembly: host } = globalThis as unknown as { WebAssembly: WebAssemblyHost };
  const binary = await readFile(join(folder, 'schema_engine_bg.wasm'));
  const { instance } = await host.instantiate(binary, { './schema_engine_bg.js': glue });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return glue;
}
