import { type DynamicModule, type INestMicroservice, Logger, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { type Bus, connectNatsBus } from '../bus/index.js';
import { ConfigError, loadConfig } from '../config/index.js';
import type { Database } from '../database/index.js';
import { type HealthCheck, HealthServer } from '../health/index.js';
import { closeLiveState, connectLiveState, type LiveState, pingLiveState } from '../live-state/index.js';
import { describeError, JsonLogger } from '../logging/index.js';
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

interface Parts {
  bus: Bus;
  liveState?: LiveState;
  database?: Database;
}

const RETRY_MS = 1_000;
const SAY_AFTER_MS = 5_000;

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
  const checks: HealthCheck[] = [];
  const health = new HealthServer(metrics, checks);
  const healthPort = await health.listen(platform.HEALTH_PORT);
  const parts = await connectParts(options, platform);
  checks.push(...checksOf(parts));
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
  const needs = new Set<Need>(['bus', ...options.needs]);
  const lacking = [...needs].map((need) => VARIABLE_OF[need]).filter((name) => platform !== undefined && platform[name] === undefined);
  problems.push(...lacking.map((name) => `${name}: is not set`));
  if (platform === undefined || own === undefined || problems.length > 0) throw new ConfigError(problems);
  return { platform, own };
}

async function connectParts<S extends z.ZodObject>({ name, needs }: ServiceOptions<S>, config: PlatformConfig): Promise<Parts> {
  const bus = await untilThere('bus', () =>
    connectNatsBus({
      servers: config.NATS_URL ?? '',
      name,
      ...(config.NATS_USER === undefined ? {} : { user: config.NATS_USER }),
      ...(config.NATS_PASSWORD === undefined ? {} : { password: config.NATS_PASSWORD.reveal() }),
      ...(config.NATS_CA === undefined ? {} : { tls: { ca: config.NATS_CA } }),
    }),
  );
  const parts: Parts = { bus };
  if (needs.includes('live-state')) {
    parts.liveState = await untilThere('live-state', () => connectLiveState({ url: config.REDIS_URL?.reveal() ?? '' }));
  }
  if (needs.includes('database')) {
    // Most services have none, and start sooner without its code.
    const { openDatabase } = await import('../database/index.js');
    parts.database = await untilThere('database', () => openDatabase({ kind: 'postgres', url: config.DATABASE_URL?.reveal() ?? '' }));
  }
  return parts;
}

/** Tries until it works, and says every few seconds what the service still lacks. */
async function untilThere<T>(need: Need, open: () => Promise<T>): Promise<T> {
  const logger = new Logger('Service');
  const says = setInterval(() => logger.warn(`waiting for the ${need} (${VARIABLE_OF[need]})`), SAY_AFTER_MS);
  try {
    for (;;) {
      try {
        return await open();
      } catch (error) {
        logger.warn(`the ${need} is not there: ${describeError(error)}`);
        await sleep(RETRY_MS);
      }
    }
  } finally {
    clearInterval(says);
  }
}

function checksOf({ bus, liveState, database }: Parts): HealthCheck[] {
  const answers = (ping: () => Promise<unknown>) => () => ping().then(() => true);
  return [
    { name: 'bus', check: () => bus.connected },
    ...(liveState === undefined ? [] : [{ name: 'live-state', check: answers(() => pingLiveState(liveState)) }]),
    ...(database === undefined ? [] : [{ name: 'database', check: answers(() => database.ping()) }]),
  ];
}

async function stop(app: INestMicroservice, health: HealthServer, parts: Parts): Promise<void> {
  health.setReady(false);
  await app.close();
  await parts.bus.drain();
  if (parts.liveState !== undefined) await closeLiveState(parts.liveState);
  await parts.database?.close();
  await health.close();
}
