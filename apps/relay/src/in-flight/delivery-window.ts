import { LIMITS } from '@sotto/protocol';
import type { Delivery, DeviceEntry } from './message.js';

/**
 * A window of messages and of bytes: what one relay has on its way to one device. Each relay has a window of its own, so its gateway bounds
 * by progress what a slow client leaves unread. False: no room, and nothing goes out to the device before there is, so that order stays.
 */
export function enterWindow(delivery: Delivery, mostMessages: number): boolean {
  if (delivery.inWindow) return true;
  const { to } = delivery;
  const bytes = delivery.message.payload.length;
  if (!hasRoom(to, bytes, mostMessages)) {
    to.waiting ??= delivery;
    return false;
  }
  delivery.inWindow = true;
  to.unacknowledged++;
  to.unacknowledgedBytes += bytes;
  return true;
}

export function leaveWindow(delivery: Delivery): void {
  if (!delivery.inWindow) return;
  delivery.inWindow = false;
  delivery.to.unacknowledged--;
  delivery.to.unacknowledgedBytes -= delivery.message.payload.length;
}

function hasRoom(to: DeviceEntry, bytes: number, mostMessages: number): boolean {
  const fits = to.unacknowledged === 0 || to.unacknowledgedBytes + bytes <= LIMITS.deliveryWindowBytes;
  to.full ||= to.unacknowledged >= mostMessages || !fits;
  return !to.full;
}
