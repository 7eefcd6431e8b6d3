import { loadConfig } from '@sotto/platform/config';
import { authConfigSchema } from '@sotto/auth';
import { doorLimitsSchema, gatewayConfigSchema } from '@sotto/gateway';
import { relayConfigSchema } from '@sotto/relay';
import * as z from 'zod';
import type { StandaloneOptions } from './standalone.js';

const { SERVER_NAME, REGISTRATION } = authConfigSchema.shape;
/** Each variable with the limits of the part that it is of. */
const schema = gatewayConfigSchema.extend({
  SOTTO_FOLDER: z.string(),
  REGISTRATION,
  SERVER_NAME: SERVER_NAME.default('localhost'),
  RELAY_RECIPIENT_RATE: relayConfigSchema.shape.RELAY_RECIPIENT_RATE,
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
