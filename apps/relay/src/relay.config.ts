import { LIMITS, TIMES } from '@sotto/protocol';
import * as z from 'zod';

/** Payloads count once however many recipients share them, in bytes; recipients count while they are without an outcome. */
export interface Allowance {
  messages: number;
  bytes: number;
  recipients: number;
}

export interface RelayConfig {
  /** Longest time that a message is held for an absent device. Milliseconds. */
  retryWindowMs: number;
  /** All that this relay holds: payloads, and what each recipient costs. Bytes. */
  heldBytes: number;
  /** What one account may have held. Beyond it the oldest is given up. */
  held: Allowance;
  /** What one account may have on its way to connected devices. Beyond it nothing new is taken. */
  moving: Allowance;
  /** Recipients of messages to more than one, of one account. */
  recipientsPerSecond: number;
  recipientsAtOnce: number;
  /** Unacknowledged deliveries to one device. */
  deliveryWindow: number;
  /** Claims of commit slots of one account in an hour: with their lifetime of a week they bound what it can fill live state with. */
  slotClaimsPerHour: number;
  /** How long it goes on after it gave its lease back: until every gateway has turned to another relay. Milliseconds. */
  leaveMs: number;
}

const MiB = 1024 * 1024;

export const DEFAULT_RELAY_CONFIG: RelayConfig = {
  retryWindowMs: TIMES.retryWindowDefaultSeconds * 1_000,
  heldBytes: 256 * MiB,
  held: { messages: 256, bytes: 4 * MiB, recipients: 65_536 },
  moving: { messages: 4_096, bytes: 32 * MiB, recipients: 65_536 },
  recipientsPerSecond: 10_000,
  recipientsAtOnce: 20_000,
  deliveryWindow: LIMITS.deliveryWindow,
  slotClaimsPerHour: 300,
  leaveMs: 0,
};

/** Environment of the relay. */
export const relayConfigSchema = z.object({
  RELAY_RETRY_WINDOW: z.coerce.number().int().min(0).max(TIMES.retryWindowMaxSeconds).default(TIMES.retryWindowDefaultSeconds),
  RELAY_HELD_BYTES: z.coerce.number().int().min(MiB).default(DEFAULT_RELAY_CONFIG.heldBytes),
  RELAY_RECIPIENT_RATE: z.coerce.number().int().min(LIMITS.recipientsPerSend).default(DEFAULT_RELAY_CONFIG.recipientsPerSecond),
});

export function relayConfig(env: z.infer<typeof relayConfigSchema>): RelayConfig {
  return {
    ...DEFAULT_RELAY_CONFIG,
    retryWindowMs: env.RELAY_RETRY_WINDOW * 1_000,
    heldBytes: env.RELAY_HELD_BYTES,
    recipientsPerSecond: env.RELAY_RECIPIENT_RATE,
    recipientsAtOnce: 2 * env.RELAY_RECIPIENT_RATE,
  };
}

export const RELAY_CONFIG = Symbol('RELAY_CONFIG');
