import type { DeviceRoute } from '@sotto/platform/live-state';
import type { Delivery } from './message.js';

/** What this relay knows of a device, and what it has for it. */
export interface DeviceEntry {
  /** 16 bytes. */
  id: Uint8Array;
  /** undefined: not loaded; null: there is none. */
  route: DeviceRoute | null | undefined;
  loading: boolean;
  /** Its route changed while it was being loaded: what comes may be older than the change. */
  stale: boolean;
  /** Deliveries without an outcome, in order of number: a list through `next` and `previous`, so that an absent device costs no collection. */
  first: Delivery | undefined;
  last: Delivery | undefined;
  /** How many of them are sent and unacknowledged. */
  unacknowledged: number;
  unacknowledgedBytes: number;
  /** One had to wait for room: those behind it wait too, so that order stays. */
  full: boolean;
  /** The connection that its gateway last called gone. */
  goneGateway: number;
  goneConnection: number;
}

export function newDeviceEntry(id: Uint8Array): DeviceEntry {
  return {
    id,
    route: undefined,
    loading: false,
    stale: false,
    first: undefined,
    last: undefined,
    unacknowledged: 0,
    unacknowledgedBytes: 0,
    full: false,
    goneGateway: 0,
    goneConnection: 0,
  };
}

/** Puts the delivery behind the others. */
export function append(entry: DeviceEntry, delivery: Delivery): void {
  delivery.previous = entry.last;
  if (entry.last === undefined) entry.first = delivery;
  else entry.last.next = delivery;
  entry.last = delivery;
}

export function remove(entry: DeviceEntry, delivery: Delivery): void {
  const { previous, next } = delivery;
  if (previous === undefined) entry.first = next;
  else previous.next = next;
  if (next === undefined) entry.last = previous;
  else next.previous = previous;
}

/** The gateway said of this very connection that it is gone. */
export function isGone(entry: DeviceEntry, route: DeviceRoute): boolean {
  return route.gateway === entry.goneGateway && route.connection === entry.goneConnection;
}
