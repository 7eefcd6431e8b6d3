import type { Delivery, DeviceEntry, Endpoint } from './message.js';

export function newDeviceEntry(id: Uint8Array): DeviceEntry {
  return {
    id,
    route: undefined,
    rights: undefined,
    readAgainAt: 0,
    loading: false,
    stale: false,
    first: undefined,
    last: undefined,
    unacknowledged: 0,
    unacknowledgedBytes: 0,
    full: false,
    waiting: undefined,
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
  if (entry.waiting === delivery) entry.waiting = next;
  if (previous === undefined) entry.first = next;
  else previous.next = next;
  if (next === undefined) entry.last = previous;
  else next.previous = previous;
  // One that has grown old would keep all that came after it.
  delivery.previous = delivery.next = undefined;
}

/** The gateway said of this very connection that it is gone. */
export function isGone(entry: DeviceEntry, route: Endpoint): boolean {
  return route.gateway === entry.goneGateway && route.connection === entry.goneConnection;
}
