import { LIMITS, TIMES } from '@sotto/protocol';
import { z } from 'zod';

export interface RelayConfig {
  /** Longest time that a message is held for an absent device. Milliseconds. */
  retryWindowMs: number;
  /** All held payloads of this relay. Bytes. */
  heldBytes: number;
  heldMessagesPerAccount: number;
  heldBytesPerAccount: number;
  /** Messages of one account on their way to connected devices. */
  movingMessagesPerAccount: number;
  movingBytesPerAccount: number;
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
  heldMessagesPerAccount: 256,
  heldBytesPerAccount: 4 * MiB,
  movingMessagesPerAccount: 4_096,
  movingBytesPerAccount: 32 * MiB,
  deliveryWindow: LIMITS.deliveryWindow,
  slotClaimsPerHour: 300,
  leaveMs: 0,
};

/** Environment of the relay. */
export const relayConfigSchema = z.object({
  RELAY_RETRY_WINDOW: z.coerce.number().int().min(0).max(TIMES.retryWindowMaxSeconds).default(TIMES.retryWindowDefaultSeconds),
  RELAY_HELD_BYTES: z.coerce.number().int().min(MiB).default(DEFAULT_RELAY_CONFIG.heldBytes),
});

export function relayConfig(env: z.infer<typeof relayConfigSchema>): RelayConfig {
  return { ...DEFAULT_RELAY_CONFIG, retryWindowMs: env.RELAY_RETRY_WINDOW * 1_000, heldBytes: env.RELAY_HELD_BYTES };
}

export const RELAY_CONFIG = Symbol('RELAY_CONFIG');
