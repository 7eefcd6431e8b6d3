import type { DeviceRoute } from '@sotto/platform/live-state';
import type { SlotAnswer } from '../commit-slots/commit-slots.service.js';
import type { RetryTimer } from '../retry-timers/retry-timer.store.js';

/** What the engine does to the world. */
export interface RelayPorts {
  /** A frame for a connection; may be lost when the gateway is gone. */
  output(gateway: number, connection: number, frame: Uint8Array): void;
  /** A payload for connections of one gateway: `recipients` holds connection and number of each delivery, in turn. May be lost likewise. */
  deliver(gateway: number, payload: Uint8Array, recipients: readonly number[]): void;
  /** Reads a device's route from live state; rejects while it is away. */
  loadRoute(device: Uint8Array): Promise<DeviceRoute | undefined>;
  /** Claims a commit slot for an account (hex); rejects while live state is away. */
  claimSlot(account: string, slot: Uint8Array, commitId: Uint8Array): Promise<SlotAnswer>;
  gatewayAlive(gateway: number): boolean;
  addTimers(timers: RetryTimer[]): void;
  removeTimers(timers: RetryTimer[]): void;
  now(): number;
}
