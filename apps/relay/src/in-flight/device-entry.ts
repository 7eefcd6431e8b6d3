import type { DeviceRoute } from '@sotto/platform/live-state';
import type { Delivery, DeviceEntry } from './message.js';

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
  // One that has grown old would keep all that came after it.
  delivery.previous = delivery.next = undefined;
}

/** The gateway said of this very connection that it is gone. */
export function isGone(entry: DeviceEntry, route: DeviceRoute): boolean {
  return route.gateway === entry.goneGateway && route.connection === entry.goneConnection;
}
