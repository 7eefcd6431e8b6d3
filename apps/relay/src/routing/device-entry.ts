import type { DeviceRoute } from '@sotto/platform/live-state';
import type { Delivery } from '../in-flight/message.js';

/** What this relay knows of a device, and what it has for it. */
export interface DeviceEntry {
  /** Hex. */
  device: string;
  /** undefined: not loaded; null: there is none. */
  route: DeviceRoute | null | undefined;
  loading: boolean;
  /** Deliveries without an outcome, in order of number. */
  open: Set<Delivery>;
  /** How many of them are sent and unacknowledged. */
  unacknowledged: number;
  /** The connection that its gateway last called gone. */
  goneGateway: number;
  goneConnection: number;
}
