import * as z from 'zod';
import { secret } from '../config/index.js';
import { isDatabaseUrl, isNatsUrls, isRedisUrl } from './part-urls.js';

const NATS_URL_RULE =
  'must be nats://HOST:PORT, or several with commas between; user and password are variables of their own, and NATS_CA demands TLS';
const REDIS_URL_RULE = 'must be redis://USER:PASSWORD@HOST:PORT, or rediss:// for TLS; what is special in a password as %XX';
const DATABASE_URL_RULE = 'must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE; what is special in a password as %XX';

/** What any service reads from its environment, next to what its own schema names. */
export const platformConfigSchema = z.object({
  NATS_URL: z.string().refine(isNatsUrls, NATS_URL_RULE).optional(),
  NATS_USER: z.string().optional(),
  NATS_PASSWORD: secret().optional(),
  /** PEM of the authority that signed the broker's certificate; its presence demands TLS. */
  NATS_CA: z.string().optional(),
  REDIS_URL: secret(z.string().refine(isRedisUrl, REDIS_URL_RULE)).optional(),
  DATABASE_URL: secret(z.string().refine(isDatabaseUrl, DATABASE_URL_RULE)).optional(),
  HEALTH_PORT: z.coerce.number().int().min(0).max(65_535).default(9_090),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
});

export type PlatformConfig = z.output<typeof platformConfigSchema>;

export type Need = 'bus' | 'live-state' | 'database';

/** The variable without which a need cannot be met. */
export const VARIABLE_OF = { bus: 'NATS_URL', 'live-state': 'REDIS_URL', database: 'DATABASE_URL' } as const satisfies Record<
  Need,
  keyof PlatformConfig
>;
