import { join } from 'node:path';
import { loadServerIdentity } from '@sotto/auth/invites';
import { freePort, type RunningServer, startNats, startPostgres, startRedis } from '@sotto/testing';
import { natsConfig } from '../../../deploy/nats-users.mjs';
import { redisUsers } from '../../../deploy/redis-users.mjs';
import { migrated } from './migrated.js';
import type { NodeCommand } from './node-process.js';
import { inviteOf, writeIdentity, writeSeed } from './server-seed.js';
import { type Parts, type Run, settingsOf, stopAll, type TopologyOptions, UNOPTIMISED_WASM } from './topology.js';

const SERVICES = ['auth', 'contacts', 'directory', 'relay'] as const;
const WITH_DATABASE: readonly string[] = ['auth', 'contacts'];
/** As in production: each service is a user of its own, of NATS and of Redis. */
const PASSWORDS = Object.fromEntries([...SERVICES, 'gateway', 'admin'].map((name) => [name, `password-of-${name}`]));
/** Of Redis's user who may do everything: for tests that look. */
const REDIS_PASSWORD = 'password-of-tests';

/** The five services over a real broker, live state and database. */
export async function startServices(folder: string, options: TopologyOptions, run: Run): Promise<Parts> {
  const processes = new Map<string, RunningServer>();
  try {
    const [nats, redis, postgres, port] = await Promise.all([
      startNats({ config: natsConfig(PASSWORDS, { monitoring: `127.0.0.1:${await freePort()}` }) }),
      startRedis({ password: REDIS_PASSWORD, config: redisUsers(PASSWORDS) }),
      startPostgres({ contents: await migrated() }),
      freePort(),
    ]);
    processes.set('nats', nats).set('redis', redis).set('postgres', postgres);
    const pin = await writeIdentity(join(folder, 'server-identity'));
    await writeSeed(join(folder, 'token-key'));
    const identity = loadServerIdentity(join(folder, 'server-identity'));
    const environment = {
      NATS_URL: nats.url,
      DATABASE_URL: postgres.url,
      SERVER_IDENTITY_FILE: join(folder, 'server-identity'),
      TOKEN_KEY_FILE: join(folder, 'token-key'),
      GATEWAY_PORT: String(port),
      ...settingsOf(options),
    };
    const started = await Promise.all([
      ...SERVICES.map(async (name) => run(await serviceCommand(name, { ...environment, ...userOf(name, redis.port) }, options))),
      gatewayCommand(port, { ...environment, ...userOf('gateway', redis.port) }, options).then(run),
    ]);
    [...SERVICES, 'gateway'].forEach((name, i) => processes.set(name, started[i]!));
    return { port, pin, processes, createInvite: (name) => Promise.resolve(inviteOf(identity, name)) };
  } catch (error) {
    await stopAll(processes);
    throw error;
  }
}

function userOf(name: string, redisPort: number): Record<string, string> {
  const password = PASSWORDS[name]!;
  return { NATS_USER: name, NATS_PASSWORD: password, REDIS_URL: `redis://${name}:${password}@127.0.0.1:${redisPort}` };
}

async function serviceCommand(name: string, environment: Record<string, string>, options: TopologyOptions): Promise<NodeCommand> {
  const health = await freePort();
  return {
    name,
    environment: { ...environment, HEALTH_PORT: String(health) },
    nodeArguments: options.nodeArguments ?? (WITH_DATABASE.includes(name) ? UNOPTIMISED_WASM : []),
    port: health,
    ready: { port: health, path: '/readyz', status: 200 },
  };
}

/** Ready when its door is open, which comes after auth has certified it. */
async function gatewayCommand(port: number, environment: Record<string, string>, options: TopologyOptions): Promise<NodeCommand> {
  return {
    name: 'gateway',
    environment: { ...environment, HEALTH_PORT: String(await freePort()) },
    nodeArguments: options.nodeArguments ?? [],
    port,
    ready: { port, path: '/', status: 426 },
  };
}
