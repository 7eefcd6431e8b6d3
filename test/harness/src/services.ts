import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connectNatsBus } from '@sotto/platform/bus';
import { RpcClient } from '@sotto/platform/rpc';
import { Admin } from '@sotto/protocol/internal';
import { freePort, type RunningServer, startNats, startPostgres, startRedis } from '@sotto/testing';
import { runApp } from './node-process.js';
import { writeIdentity, writeSeed } from './server-seed.js';
import { type Parts, settingsOf, stopAll, type TopologyOptions } from './topology.js';

const SERVICES = ['auth', 'contacts', 'directory', 'relay'] as const;
/** As in production: no JetStream, and slow consumers are let go (design §5). */
const NATS_CONFIG = 'max_payload: 1MB\nmax_pending: 8MB\nwrite_deadline: "2s"\n';

/** The five services over a real broker, live state and database. */
export async function startServices(folder: string, options: TopologyOptions): Promise<Parts> {
  const processes = new Map<string, RunningServer>();
  try {
    const [nats, redis, postgres, port] = await Promise.all([
      startNats({ config: NATS_CONFIG }),
      startRedis(),
      startPostgres(),
      freePort(),
    ]);
    processes.set('nats', nats).set('redis', redis).set('postgres', postgres);
    await promisify(execFile)(process.execPath, [fileURLToPath(new URL('./migrate.js', import.meta.url)), postgres.url]);
    const pin = await writeIdentity(join(folder, 'server-identity'));
    await writeSeed(join(folder, 'token-key'));
    const environment = {
      NATS_URL: nats.url,
      REDIS_URL: redis.url,
      DATABASE_URL: postgres.url,
      SERVER_IDENTITY_FILE: join(folder, 'server-identity'),
      TOKEN_KEY_FILE: join(folder, 'token-key'),
      GATEWAY_PORT: String(port),
      ...settingsOf(options),
    };
    const started = await Promise.all([
      ...SERVICES.map((name) => startService(name, environment, options)),
      startGateway(port, environment, options),
    ]);
    [...SERVICES, 'gateway'].forEach((name, i) => processes.set(name, started[i]!));
    return { port, pin, processes, createInvite: (name) => createInvite(nats.url, name) };
  } catch (error) {
    await stopAll(processes);
    throw error;
  }
}

async function startService(name: string, environment: Record<string, string>, options: TopologyOptions): Promise<RunningServer> {
  const health = await freePort();
  return runApp({
    name,
    environment: { ...environment, HEALTH_PORT: String(health) },
    nodeArguments: options.nodeArguments ?? [],
    port: health,
    ready: { port: health, path: '/readyz', status: 200 },
  });
}

/** Ready when its door is open, which comes after auth has certified it. */
async function startGateway(port: number, environment: Record<string, string>, options: TopologyOptions): Promise<RunningServer> {
  return runApp({
    name: 'gateway',
    environment: { ...environment, HEALTH_PORT: String(await freePort()) },
    nodeArguments: options.nodeArguments ?? [],
    port,
    ready: { port, path: '/', status: 426 },
  });
}

async function createInvite(natsUrl: string, name: string): Promise<string> {
  const bus = await connectNatsBus({ servers: natsUrl, name: 'harness' });
  try {
    const { code } = await new RpcClient(bus, { service: 'admin' }).call(Admin.method.createInvite, { name });
    return code;
  } finally {
    await bus.close();
  }
}
