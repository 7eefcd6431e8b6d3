import { TIMES } from '@sotto/protocol';
import * as z from 'zod';
import { isProxyList, TrustedProxies } from './connections/trusted-proxies.js';

/** What those may take who have not logged in. */
export interface DoorLimits {
  /** Connections of one address that have not logged in. */
  anonymousPerAddress: number;
  /** Handshakes that one address may begin in a second. */
  handshakesPerAddress: number;
  /** Handshakes in progress, from everywhere; and as many TCP connections that have not become a WebSocket. */
  handshakesAtOnce: number;
  /** Milliseconds from the TCP connection to the WebSocket, and from there to the open channel. */
  handshakeMs: number;
  /** Milliseconds from there until it is attached as a device. */
  logInMs: number;
}

export interface GatewayConfig {
  host: string;
  port: number;
  /** Most open connections. One more takes the place of one that has long not logged in, or is refused with a close code that says so. */
  maxConnections: number;
  trustedProxies: TrustedProxies;
  /** How long a route outlives its connection, so that its tokens can be checked. Milliseconds. */
  retryWindowMs: number;
  /** Messages a second of one connection, in the long run and at once. */
  sendRate: number;
  sendBurst: number;
  door: DoorLimits;
  /** Called when the port can't be had; a process that is nothing but a gateway ends. */
  onNotOpened?: () => void;
}

const count = (preset: number) => z.coerce.number().int().min(1).default(preset);

export const doorLimitsSchema = z.object({
  ANONYMOUS_PER_ADDRESS: count(200),
  HANDSHAKES_PER_ADDRESS: count(100),
  HANDSHAKES_AT_ONCE: count(1_000),
  HANDSHAKE_SECONDS: count(10),
  LOG_IN_SECONDS: count(60),
});

/** As they stand in the environment. */
export type DoorVariables = z.infer<typeof doorLimitsSchema>;

export const gatewayConfigSchema = doorLimitsSchema.extend({
  GATEWAY_HOST: z.string().default('127.0.0.1'),
  GATEWAY_PORT: z.coerce.number().int().min(0).max(65_535).default(7788),
  MAX_CONNECTIONS: count(10_000),
  TRUSTED_PROXIES: z.string().refine(isProxyList, 'must be addresses or networks (10.0.0.0/8), with commas between').default(''),
  RELAY_RETRY_WINDOW: z.coerce.number().int().min(0).max(TIMES.retryWindowMaxSeconds).default(TIMES.retryWindowDefaultSeconds),
  SEND_RATE: count(2_000),
});

export function gatewayConfig(env: z.infer<typeof gatewayConfigSchema>): GatewayConfig {
  return {
    host: env.GATEWAY_HOST,
    port: env.GATEWAY_PORT,
    maxConnections: env.MAX_CONNECTIONS,
    trustedProxies: new TrustedProxies(env.TRUSTED_PROXIES),
    retryWindowMs: env.RELAY_RETRY_WINDOW * 1_000,
    sendRate: env.SEND_RATE,
    sendBurst: 2 * env.SEND_RATE,
    door: doorLimits(env),
  };
}

function doorLimits(env: DoorVariables): DoorLimits {
  return {
    anonymousPerAddress: env.ANONYMOUS_PER_ADDRESS,
    handshakesPerAddress: env.HANDSHAKES_PER_ADDRESS,
    handshakesAtOnce: env.HANDSHAKES_AT_ONCE,
    handshakeMs: env.HANDSHAKE_SECONDS * 1_000,
    logInMs: env.LOG_IN_SECONDS * 1_000,
  };
}

export const GATEWAY_CONFIG = Symbol('GATEWAY_CONFIG');
