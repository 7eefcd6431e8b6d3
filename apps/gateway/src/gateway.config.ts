import { TIMES } from '@sotto/protocol';
import { z } from 'zod';

export interface GatewayConfig {
  host: string;
  port: number;
  /** Most open connections; one more is refused with a close code that says so. */
  maxConnections: number;
  /** Addresses of proxies whose X-Forwarded-For is believed. */
  trustedProxies: string[];
  /** How long a route outlives its connection, so that its tokens can be checked. Milliseconds. */
  retryWindowMs: number;
  /** Messages a second of one connection, in the long run and at once. */
  sendRate: number;
  sendBurst: number;
  /** Called when the port can't be had; a process that is nothing but a gateway ends. */
  onNotOpened?: () => void;
}

export const gatewayConfigSchema = z.object({
  GATEWAY_HOST: z.string().default('127.0.0.1'),
  GATEWAY_PORT: z.coerce.number().int().min(0).max(65_535).default(7788),
  MAX_CONNECTIONS: z.coerce.number().int().min(1).default(10_000),
  TRUSTED_PROXIES: z.string().default(''),
  RELAY_RETRY_WINDOW: z.coerce.number().int().min(0).max(TIMES.retryWindowMaxSeconds).default(TIMES.retryWindowDefaultSeconds),
  SEND_RATE: z.coerce.number().int().min(1).default(2_000),
});

export function gatewayConfig(env: z.infer<typeof gatewayConfigSchema>): GatewayConfig {
  return {
    host: env.GATEWAY_HOST,
    port: env.GATEWAY_PORT,
    maxConnections: env.MAX_CONNECTIONS,
    trustedProxies: env.TRUSTED_PROXIES.split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
    retryWindowMs: env.RELAY_RETRY_WINDOW * 1_000,
    sendRate: env.SEND_RATE,
    sendBurst: 2 * env.SEND_RATE,
  };
}

export const GATEWAY_CONFIG = Symbol('GATEWAY_CONFIG');
