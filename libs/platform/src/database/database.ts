import type { PrismaClient } from './generated/client.js';

/** What the accounts and contacts are kept in: one per process. */
export interface Database {
  readonly client: PrismaClient;
  /** One round trip to the database. Rejects when it is away. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Nest injection token of the process's Database. */
export const DATABASE = Symbol('DATABASE');

export type DatabaseOptions =
  /** A server. Its migrations are applied by applyMigrations beforehand, not here: several processes open one server. */
  | { kind: 'postgres'; url: string; maxConnections?: number }
  /** Postgres in this process, on a folder that is this process's alone. */
  | {
      kind: 'pglite';
      folder: string;
      /** Where seeds are looked for; where a build puts them when undefined. */
      seeds?: string;
    };
