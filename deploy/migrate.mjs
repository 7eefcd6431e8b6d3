// One-shot: applies the migrations and gives each service's database user what it needs and no more.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { migratePostgres, openDatabase } from '@sotto/platform/database';

const folder = process.env.MIGRATE_SECRETS ?? '/secrets/migrate';
const read = (name) => readFileSync(join(folder, name), 'utf8').trim();
const url = read('database-url');

const GRANTS = { auth: 'accounts', contacts: 'contacts' };

try {
  const applied = await migratePostgres(url);
  process.stdout.write(`${applied.length} migrations applied\n`);
  const { client } = await openDatabase({ kind: 'postgres', url });
  for (const [service, table] of Object.entries(GRANTS)) {
    const password = read(`${service}-password`);
    if (!/^[0-9a-f]+$/.test(password)) throw new Error(`the database password of ${service} must be hex`);
    const user = `sotto_${service}`;
    await client.$executeRawUnsafe(`DO $$ BEGIN CREATE ROLE ${user} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$`);
    await client.$executeRawUnsafe(`ALTER ROLE ${user} LOGIN PASSWORD '${password}'`);
    await client.$executeRawUnsafe(`GRANT SELECT, INSERT, UPDATE, DELETE ON "${table}" TO ${user}`);
  }
  process.exit(0);
} catch (error) {
  process.stderr.write(`migrate: ${error instanceof Error ? error.name : 'failed'}\n`);
  process.exit(1);
}
