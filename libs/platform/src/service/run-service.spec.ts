import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Module } from '@nestjs/common';
import { startNats } from '@sotto/testing';
import { Admin } from '@sotto/protocol/internal';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { connectNatsBus } from '../bus/index.js';
import { ConfigError } from '../config/index.js';
import { Rpc, RpcClient } from '../rpc/index.js';
import { startService } from './index.js';

let started = 0;
const order: string[] = [];

@Controller()
class SlowController {
  @Rpc(Admin.method.createInvite)
  async createInvite() {
    started++;
    await sleep(200);
    order.push('answered');
    return {};
  }
}

@Module({ controllers: [SlowController] })
class SlowModule {
  onApplicationShutdown(): void {
    order.push('shut down');
  }
}

describe('a service', () => {
  let nats: Awaited<ReturnType<typeof startNats>>;
  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(() => nats.stop());

  const slow = (env: Record<string, string>) =>
    startService({
      name: 'slow',
      needs: ['bus'],
      config: z.object({}),
      module: () => SlowModule,
      env: { HEALTH_PORT: '0', LOG_LEVEL: 'fatal', ...env },
    });

  it('names all variables that it lacks before it connects anywhere', async () => {
    const start = startService({
      name: 'x',
      needs: ['bus', 'live-state', 'database'],
      config: z.object({ POLICY: z.string() }),
      module: () => SlowModule,
      env: {},
    });
    const error = await start.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    for (const name of ['NATS_URL', 'REDIS_URL', 'DATABASE_URL', 'POLICY']) expect((error as ConfigError).message).toContain(name);
  });

  it('says which variable names a port that is taken', async () => {
    const taken = new URL(nats.url).port;
    await expect(slow({ NATS_URL: nats.url, HEALTH_PORT: taken })).rejects.toThrow('HEALTH_PORT: is taken by another process');
  });

  it('answers a call that runs when it is told to stop, and is ready until then', async () => {
    const service = await slow({ NATS_URL: nats.url });
    const at = `http://127.0.0.1:${service.healthPort}`;
    const bus = await connectNatsBus({ servers: nats.url, name: 'tester' });
    expect((await fetch(`${at}/readyz`)).status).toBe(200);
    expect((await fetch(`${at}/healthz`)).status).toBe(200);
    const call = new RpcClient(bus, { service: 'tester' }).call(Admin.method.createInvite, {});
    while (started === 0) await sleep(5);
    const stopped = service.stop();
    expect((await fetch(`${at}/readyz`)).status).toBe(503);
    await expect(call).resolves.toBeDefined();
    await stopped;
    expect(order).toEqual(['answered', 'shut down']);
    await expect(fetch(`${at}/healthz`)).rejects.toThrow();
    await bus.close();
  });
});
