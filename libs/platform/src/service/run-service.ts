import { type DynamicModule, type INestMicroservice, Logger, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { type Bus, connectNatsBus } from '../bus/index.js';
import { ConfigError, loadConfig } from '../config/index.js';
import type { Database } from '../database/index.js';
import { type HealthCheck, HealthServer, whyNotListening } from '../health/index.js';
import { closeLiveState, connectLiveState, type LiveState, pingLiveState } from '../live-state/index.js';
import { describeError, JsonLogger, whyAway } from '../logging/index.js';
import { createMetrics, observeCalls } from '../metrics/index.js';
import { BusRpcServer } from '../rpc/index.js';
import { type Need, type PlatformConfig, platformConfigSchema, VARIABLE_OF } from './platform-config.js';
import { PlatformModule } from './platform.module.js';

export interface ServiceOptions<S extends z.ZodObject> {
  name: string;
  needs: readonly Need[];
  /** The service's own variables. */
  config: S;
  module: (config: z.output<S>) => DynamicModule | Type<unknown>;
  /** What readiness asks beside the parts that the service needs. */
  checks?: (app: Pick<INestMicroservice, 'get'>) => readonly HealthCheck[];
  env?: Readonly<Record<string, string | undefined>>;
}

export interface RunningService {
  healthPort: number;
  /** Drains: not ready; no new calls, running ones end; Nest's shutdown hooks; the bus; live state and database. */
  stop(): Promise<void>;
}

/** While it starts, what is there already. */
interface Parts {
  bus?: Bus;
  liveState?: LiveState;
  database?: Database;
}

type ReadyParts = Parts & { bus: Bus };

const RETRY_MS = 1_000;
const BUS_WITHIN_MS = 5_000;
const SAY_AGAIN_MS = 30_000;

@Module({})
class ServiceRoot {}

/** The whole of a service's main: runs until SIGTERM or SIGINT, or exits with 1 and says why. */
export async function runService<S extends z.ZodObject>(options: ServiceOptions<S>): Promise<void> {
  try {
    const service = await startService(options);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(
        signal,
        () =>
          void service.stop().then(
            () => process.exit(0),
            () => process.exit(1),
          ),
      );
    }
  } catch (error) {
    process.stderr.write(`${options.name}: ${error instanceof ConfigError ? error.message : describeError(error)}\n`);
    process.exit(1);
  }
}

/** As runService, without its hold on the process. */
export async function startService<S extends z.ZodObject>(options: ServiceOptions<S>): Promise<RunningService> {
  const env = options.env ?? process.env;
  const { platform, own } = readConfig(options, env);
  const logger = new JsonLogger({ name: options.name, level: platform.LOG_LEVEL });
  Logger.overrideLogger(logger);
  const metrics = createMetrics(options.name);
  const starting: Parts = {};
  const checks = checksOf(needsOf(options), starting);
  const health = new HealthServer(metrics, checks);
  const healthPort = await listen(health, platform.HEALTH_PORT);
  const parts = await connectParts(options, platform, starting);
  const root: DynamicModule = {
    module: ServiceRoot,
    imports: [PlatformModule.forRoot({ ...parts, serviceName: options.name, metrics }), options.module(own)],
  };
  const strategy = new BusRpcServer(parts.bus, { observe: observeCalls(metrics) });
  const app = await NestFactory.createMicroservice(root, { strategy, logger, abortOnError: false });
  checks.push(...(options.checks?.(app) ?? []));
  await app.listen();
  health.setReady(true);
  return { healthPort, stop: () => stop(app, health, parts) };
}

function readConfig<S extends z.ZodObject>(options: ServiceOptions<S>, env: Readonly<Record<string, string | undefined>>) {
  const problems: string[] = [];
  const attempt = <T extends z.ZodObject>(schema: T): z.output<T> | undefined => {
    try {
      return loadConfig(schema, env);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const platform = attempt(platformConfigSchema);
  const own = attempt(options.config);
  const lacking = needsOf(options)
    .map((need) => VARIABLE_OF[need])
    .filter((name) => platform !== undefined && platform[name] === undefined);
  problems.push(...lacking.map((name) => `${name}: is not set`));
  if (platform === undefined || own === undefined || problems.length > 0) throw new ConfigError(problems);
  return { platform, own };
}

function needsOf({ needs }: { needs: readonly Need[] }): Need[] {
  return [...new Set<Need>(['bus', ...needs])];
}

async function listen(health: HealthServer, port: number): Promise<number> {
  try {
    return await health.listen(port);
  } catch (error) {
    throw new ConfigError([`HEALTH_PORT: ${whyNotListening(error) ?? 'cannot be listened on'}`]);
  }
}

/** All at once, into `parts`: so that what is asked of readiness meanwhile, and the log, name each that lacks. */
async function connectParts<S extends z.ZodObject>(options: ServiceOptions<S>, config: PlatformConfig, parts: Parts): Promise<ReadyParts> {
  const open: Record<Need, () => Promise<unknown>> = {
    bus: async () => (parts.bus = await openBus(options.name, config)),
    'live-state': async () => (parts.liveState = await connectLiveState({ url: config.REDIS_URL?.reveal() ?? '' })),
    database: async () => (parts.database = await openPostgres(config.DATABASE_URL?.reveal() ?? '')),
  };
  await Promise.all(needsOf(options).map((need) => untilThere(need, open[need])));
  return parts as ReadyParts;
}

function openBus(name: string, config: PlatformConfig): Promise<Bus> {
  return connectNatsBus({
    servers: config.NATS_URL ?? '',
    name,
    onceWithinMs: BUS_WITHIN_MS,
    ...(config.NATS_USER === undefined ? {} : { user: config.NATS_USER }),
    ...(config.NATS_PASSWORD === undefined ? {} : { password: config.NATS_PASSWORD.reveal() }),
    ...(config.NATS_CA === undefined ? {} : { tls: { ca: config.NATS_CA } }),
  });
}

async function openPostgres(url: string): Promise<Database> {
  // Most services have none, and start sooner without its code.
  const { openDatabase } = await import('../database/index.js');
  return openDatabase({ kind: 'postgres', url });
}

/** Tries until it works; says why it does not, at once, whenever the cause changes, and now and then. */
async function untilThere(need: Need, open: () => Promise<unknown>): Promise<void> {
  const logger = new Logger('Service');
  let said = { why: '', at: 0 };
  for (;;) {
    try {
      await open();
      if (said.why !== '') logger.log(`the ${need} is there`);
      return;
    } catch (error) {
      const why = whyAway(error);
      if (why !== said.why || performance.now() - said.at > SAY_AGAIN_MS) {
        logger.warn(`waiting for the ${need} (${VARIABLE_OF[need]}): ${why}`);
        said = { why, at: performance.now() };
      }
      await sleep(RETRY_MS);
    }
  }
}

function checksOf(needs: readonly Need[], parts: Parts): HealthCheck[] {
  const check: Record<Need, () => boolean | Promise<boolean>> = {
    bus: () => parts.bus?.connected ?? false,
    'live-state': async () => parts.liveState !== undefined && pingLiveState(parts.liveState).then(() => true),
    database: async () => parts.database !== undefined && parts.database.ping().then(() => true),
  };
  return needs.map((name) => ({ name, check: check[name] }));
}

async function stop(app: INestMicroservice, health: HealthServer, parts: ReadyParts): Promise<void> {
  health.setReady(false);
  await app.close();
  await parts.bus.drain();
  if (parts.liveState !== undefined) await closeLiveState(parts.liveState);
  await parts.database?.close();
  await health.close();
}
