import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, type RunningServer, startNats, startPostgres, startRedis, temporaryFolder } from '@sotto/testing';
import { connectNatsBus } from '@sotto/platform/bus';
import { RpcClient } from '@sotto/platform/rpc';
import { ErrorCode } from '@sotto/protocol';
import { AccountLookup } from '@sotto/protocol/internal';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrated, runApp } from '../harness/dist/index.js';

describe('a service whose bus, live state and database are not there when it starts', () => {
  const running: RunningServer[] = [];
  let auth: RunningServer;
  let ports: { health: number; nats: number; redis: number; postgres: number };

  beforeAll(async () => {
    const [health, nats, redis, postgres] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    ports = { health, nats, redis, postgres };
    const identity = join(await temporaryFolder('identity'), 'server-identity');
    await writeFile(identity, randomBytes(32).toString('hex'));
    const environment = {
      HEALTH_PORT: String(health),
      NATS_URL: `nats://127.0.0.1:${nats}`,
      REDIS_URL: `redis://auth:hunter2@127.0.0.1:${redis}`,
      DATABASE_URL: `postgresql://sotto:hunter2@127.0.0.1:${postgres}/postgres`,
      SERVER_NAME: 'sotto.test',
      SERVER_IDENTITY_FILE: identity,
    };
    const ready = { port: health, path: '/healthz', status: 200 };
    auth = await runApp({ name: 'auth', environment, nodeArguments: [], port: health, ready });
    running.push(auth);
  }, 60_000);
  afterAll(async () => {
    for (const server of running) await server.stop();
  });

  const log = () => readFile(join(auth.folder, 'log'), 'utf8');
  const waitingFor = async (part: string) =>
    [...(await log()).matchAll(new RegExp(`waiting for the ${part}[^"]*`, 'g'))].map(([said]) => said);
  const lacking = async (): Promise<unknown> => {
    const { lacking: named } = (await (await fetch(`http://127.0.0.1:${ports.health}/readyz`)).json()) as { lacking?: string[] };
    return named ?? [];
  };
  const untilLacking = async (expected: string[]): Promise<void> => {
    while (JSON.stringify(await lacking()) !== JSON.stringify(expected)) await sleep(50);
  };

  it('names each with its cause, once, and is ready when the last has come', async () => {
    await untilLacking(['service', 'bus', 'live-state', 'database']);
    const refused = [
      ['bus', 'waiting for the bus (NATS_URL): connection refused'],
      ['live-state', 'waiting for the live-state (REDIS_URL): connection refused'],
      ['database', 'waiting for the database (DATABASE_URL): connection refused'],
    ] as const;
    for (const [part] of refused) while ((await waitingFor(part)).length === 0) await sleep(50);

    // Any order will do; the first to be asked for comes last.
    const postgres = await startPostgres({ port: ports.postgres, contents: await migrated() });
    running.push(postgres);
    await untilLacking(['service', 'bus', 'live-state']);
    running.push(await startRedis({ port: ports.redis, config: 'user auth on >hunter2 ~* &* +@all' }));
    await untilLacking(['service', 'bus']);
    running.push(await startNats({ port: ports.nats }));
    await untilLacking([]);

    for (const [part, said] of refused) expect((await waitingFor(part)).filter((one) => one === said)).toEqual([said]);
    expect(await log()).not.toMatch(/hunter2|\n\s+at |\\n\s+at /);
  }, 90_000);

  it('tells a caller that a part is away, not of an error, when its database goes', async () => {
    await running.find(({ port }) => port === ports.postgres)!.kill();
    const bus = await connectNatsBus({ servers: `nats://127.0.0.1:${ports.nats}`, name: 'tester' });
    const call = new RpcClient(bus, { service: 'tester' }).call(AccountLookup.method.byName, { name: 'alice' });
    await expect(call).rejects.toMatchObject({ code: ErrorCode.UNAVAILABLE, text: 'A part of the server is away. Try again later.' });
    await bus.close();
    expect(await log()).toMatch(/"a part that calls need is away: (connection refused|the connection broke)"/);
  });
});
