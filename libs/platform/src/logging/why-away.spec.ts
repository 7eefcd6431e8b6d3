import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, type RunningServer, startNats, startPostgres, startRedis } from '@sotto/testing';
import { connectNatsBus } from '../bus/index.js';
import { openDatabase } from '../database/index.js';
import { connectLiveState } from '../live-state/index.js';
import { whyAway } from './why-away.js';

describe('why a part is away', () => {
  let nats: RunningServer;
  let redis: RunningServer;
  let postgres: RunningServer;
  let other: Server;
  const others = () => String((other.address() as AddressInfo).port);

  beforeAll(async () => {
    [nats, redis, postgres] = await Promise.all([
      startNats({ config: 'authorization { users: [{ user: alice, password: hunter2 }] }' }),
      startRedis({ password: 'hunter2' }),
      startPostgres(),
    ]);
    // Its users need passwords from now on.
    await writeFile(join(postgres.folder, 'data', 'pg_hba.conf'), 'host all sotto all trust\nhost all all all scram-sha-256\n');
    await postgres.restart();
    other = createServer((_, response) => response.end());
    await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening));
  }, 60_000);
  afterAll(async () => {
    other.close();
    for (const server of [nats, redis, postgres]) await server.stop();
  });

  const urlOf = (server: RunningServer, change: Partial<URL>): string => Object.assign(new URL(server.url), change).href;
  const reasonOf = (attempt: Promise<unknown>): Promise<unknown> => attempt.then(() => 'it is there', whyAway);

  const bus = (change: Partial<URL>, password = 'hunter2') =>
    reasonOf(connectNatsBus({ servers: urlOf(nats, change), name: 'x', user: 'alice', password, onceWithinMs: 500 }));
  const liveState = (change: Partial<URL>) => reasonOf(connectLiveState({ url: urlOf(redis, change) }));
  const database = (change: Partial<URL>) => reasonOf(openDatabase({ kind: 'postgres', url: urlOf(postgres, change) }));

  it.each([
    ['bus', bus, 'no answer'],
    ['live-state', liveState, 'what answers there is something else'],
    ['database', database, 'the connection broke'],
  ])('is told of the %s where nobody listens, the host is unknown, or another answers', async (_, connect, ofAnother) => {
    expect(await connect({ port: String(await freePort()) })).toBe('connection refused');
    expect(await connect({ hostname: 'nowhere.invalid' })).toBe('host not found');
    expect(await connect({ port: others() })).toBe(ofAnother);
  });

  it('is told of a user or password that is refused', async () => {
    const refused = 'it refuses the user or password';
    expect(await bus({}, 'another')).toBe(refused);
    expect([await liveState({ password: 'another' }), await liveState({ password: '' })]).toEqual([refused, refused]);
    expect(await database({ username: 'alice', password: 'another' })).toBe(refused);
  });

  it('is told of a database that is not there or is empty, and of TLS that it does not speak', async () => {
    expect(await database({ pathname: '/sotto' })).toBe('there is no such database');
    expect(await database({})).toBe('its tables are not there: have the migrations run?');
    expect(await database({ search: '?sslmode=verify-full' })).toBe('TLS fails');
  });

  it('is the kind of any other error, and no word of it', () => {
    expect(whyAway(Object.assign(new Error('redis://alice:hunter2@redis'), { code: 'EODD' }))).toBe('Error (EODD)');
    expect(whyAway('hunter2')).toBe('a thrown string');
  });
});
