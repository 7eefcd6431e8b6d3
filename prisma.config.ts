import { defineConfig } from 'prisma/config';

/** For `prisma generate` only. Migrations are applied by @sotto/platform/database, offline; no command of Prisma's gets the address of a database. */
const config = defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
});

// The Prisma CLI reads the default export.
export default config;
