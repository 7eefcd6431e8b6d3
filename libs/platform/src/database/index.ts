export { DATABASE } from './database.js';
export type { Database, DatabaseOptions } from './database.js';
export { DatabaseOpenError, databaseErrorKind } from './database-error.js';
export type { DatabaseErrorKind } from './database-error.js';
export { openDatabase } from './open-database.js';
export { applyMigrations, migratePostgres } from './migrations.js';
export { ContactState, Prisma, PrismaClient } from './generated/client.js';
export type { Account, Contact } from './generated/client.js';
