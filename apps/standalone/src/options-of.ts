import { loadConfig } from '@sotto/platform/config';
import { doorLimitsSchema } from '@sotto/gateway';
import * as z from 'zod';
import type { StandaloneOptions } from './standalone.js';

const schema = doorLimitsSchema.extend({
  SOTTO_FOLDER: z.string().min(1),
  GATEWAY_HOST: z.string().default('127.0.0.1'),
  GATEWAY_PORT: z.coerce.number().int().min(0).max(65_535).default(7_788),
  MAX_CONNECTIONS: z.coerce.number().int().min(1).default(10_000),
  REGISTRATION: z.enum(['open', 'invite', 'closed']).default('invite'),
  SERVER_NAME: z.string().min(1).default('localhost'),
  RELAY_RETRY_WINDOW: z.coerce.number().int().min(0).default(30),
  TRUSTED_PROXIES: z.string().default(''),
  RELAY_RECIPIENT_RATE: z.coerce.number().int().min(1_000).default(10_000),
  SEND_RATE: z.coerce.number().int().min(1).default(2_000),
});

/** What the variables of an environment say. Throws a ConfigError. */
export function optionsOf(environment: Readonly<Record<string, string | undefined>>): StandaloneOptions {
  const env = loadConfig(schema, environment);
  return {
    folder: env.SOTTO_FOLDER,
    host: env.GATEWAY_HOST,
    port: env.GATEWAY_PORT,
    maxConnections: env.MAX_CONNECTIONS,
    registration: env.REGISTRATION,
    serverName: env.SERVER_NAME,
    retryWindowSeconds: env.RELAY_RETRY_WINDOW,
    trustedProxies: env.TRUSTED_PROXIES,
    sendRate: env.SEND_RATE,
    recipientRate: env.RELAY_RECIPIENT_RATE,
    doorLimits: doorLimitsSchema.parse(env),
  };
}
