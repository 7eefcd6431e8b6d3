import { Redis } from 'ioredis';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, openDatabase } from '@sotto/platform/database';
import type { Topology } from '../harness/dist/index.js';
import { formsOf, streamsIn, unwrapped } from './needle.js';

/** Something that the server keeps, and where. */
interface Kept {
  where: string;
  /** In every form that it can be read in. */
  readings: Iterable<Buffer>;
}

/** Where in all that a running server keeps one of the needles stands: files and logs of all processes, Redis, and the rows of Postgres. */
export async function placesOf(server: Topology, needles: readonly Uint8Array[]): Promise<string[]> {
  // What lives shortest first: searching takes longer than the server keeps a timer.
  const kept = server.kind === 'standalone' ? [] : [...(await valuesOf(server.urlOf('redis'))), ...(await rowsOfPostgres(server))];
  return placesIn([...kept, ...(await filesOf(server))], needles);
}

async function rowsOfPostgres(server: Topology): Promise<Kept[]> {
  const database = await openDatabase({ kind: 'postgres', url: server.urlOf('postgres') });
  try {
    return await rowsOf(database);
  } finally {
    await database.close();
  }
}

/** As placesOf, for the rows of the embedded database of a standalone server that does not run. */
export async function placesInRest(server: Topology, needles: readonly Uint8Array[]): Promise<string[]> {
  const database = await openDatabase({ kind: 'pglite', folder: join(server.folder, 'data') });
  try {
    return placesIn(await rowsOf(database), needles);
  } finally {
    await database.close();
  }
}

function placesIn(all: Kept[], needles: readonly Uint8Array[]): string[] {
  const forms = needles.flatMap(formsOf);
  const holds = (readings: Iterable<Buffer>) => {
    for (const bytes of readings) if (forms.some((form) => bytes.includes(form))) return true;
    return false;
  };
  return all.flatMap(({ where, readings }) => (holds(readings) ? [where] : []));
}

async function filesOf(server: Topology): Promise<Kept[]> {
  const folders = [server.folder, ...server.pids().map(({ name }) => server.folderOf(name))];
  const kept: Kept[] = [];
  for (const folder of folders) {
    const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const where = join(entry.parentPath, entry.name);
      const bytes = await readFile(where).catch(() => Buffer.alloc(0));
      kept.push({ where, readings: streamsIn(bytes) });
    }
  }
  return kept;
}

/** As a dump has them: out of their pages, and what Postgres compressed is whole again. */
async function rowsOf({ client }: Database): Promise<Kept[]> {
  const tables = await client.$queryRaw<{ name: string }[]>`
    SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`;
  const kept: Kept[] = [];
  for (const { name } of [...tables, { name: 'pg_catalog.pg_largeobject' }]) {
    const rows = await client.$queryRawUnsafe<{ row: string }[]>(`SELECT row_to_json(kept)::text AS row FROM ${name} AS kept`);
    for (const { row } of rows) kept.push({ where: `postgres ${name}`, readings: readingsOfJson(row) });
  }
  return kept;
}

function* readingsOfJson(text: string): Generator<Buffer> {
  yield Buffer.from(text);
  const values: string[] = [];
  JSON.parse(text, (key, value: unknown) => {
    values.push(key);
    if (typeof value === 'string') values.push(value);
    return value;
  });
  for (const value of values) yield* unwrapped(Buffer.from(value));
}

/** All keys and values. */
async function valuesOf(url: string): Promise<Kept[]> {
  const redis = new Redis(url);
  try {
    const kept: Kept[] = [];
    for (const key of await redis.keysBuffer('*')) {
      for (const value of [key, ...(await valuesOfKey(redis, key))]) kept.push({ where: `redis ${key}`, readings: partsOf(value) });
    }
    return kept;
  } finally {
    redis.disconnect();
  }
}

async function valuesOfKey(redis: Redis, key: Buffer): Promise<Buffer[]> {
  switch (await redis.type(key)) {
    case 'string':
      return [(await redis.getBuffer(key)) ?? Buffer.alloc(0)];
    case 'hash':
      return Object.entries(await redis.hgetallBuffer(key)).flatMap(([field, value]) => [Buffer.from(field), value]);
    case 'set':
      return redis.smembersBuffer(key);
    case 'list':
      return redis.lrangeBuffer(key, 0, -1);
    case 'zset':
      return redis.zrangeBuffer(key, '0', '-1');
    default:
      throw new Error('a kind of value that this test cannot read: teach it');
  }
}

/** What joins several values in one: any sign that is not of base64, in each of its two alphabets. */
const JOINTS = [/[^A-Za-z0-9+/=]/, /[^A-Za-z0-9_=-]/];

function* partsOf(value: Buffer): Generator<Buffer> {
  yield* unwrapped(value);
  const text = value.toString('latin1');
  if (!/^[\x20-\x7e]+$/.test(text)) return;
  for (const joint of JOINTS) for (const part of text.split(joint)) yield* unwrapped(Buffer.from(part));
}
