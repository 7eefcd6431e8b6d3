import { describe, expect, it } from '@jest/globals';
import { append, remove } from '../in-flight/device-entry.js';
import type { Delivery, DeviceEntry } from '../in-flight/message.js';
import { DeviceTable } from './device-table.js';

/** Ids of 256 devices, one after the other. */
const DEVICES = Uint8Array.from({ length: 256 * 16 }, (_, i) => i >>> 4);
const idOf = (place: number) => DEVICES.slice(16 * place, 16 * place + 16);

/** Something for the device that has no outcome. */
function open(entry: DeviceEntry): Delivery {
  const delivery = { previous: undefined, next: undefined } as Delivery;
  append(entry, delivery);
  return delivery;
}

describe('the cache of devices', () => {
  it('has one entry for a device, at whatever place it stands', () => {
    const table = new DeviceTable(8);
    const entry = table.getOrAdd(DEVICES, 3);
    expect(table.getOrAdd(idOf(3), 0)).toBe(entry);
    expect(table.get(idOf(3))).toBe(entry);
    expect(entry.id).toEqual(idOf(3));
    expect(table.get(idOf(4))).toBeUndefined();
  });

  it('drops the oldest that nothing is open for, an eighth at a time', () => {
    const table = new DeviceTable(16);
    const busy = open(table.getOrAdd(DEVICES, 0));
    for (let place = 1; place <= 16; place++) table.getOrAdd(DEVICES, place);
    expect([0, 1, 2, 3, 16].map((place) => table.get(idOf(place)) !== undefined)).toEqual([true, false, false, true, true]);
    remove(table.get(idOf(0))!, busy);
    for (let place = 17; place <= 18; place++) table.getOrAdd(DEVICES, place);
    expect(table.get(idOf(0))).toBeUndefined();
  });

  it('never drops a device that something is open for, and is bounded again afterwards', () => {
    const table = new DeviceTable(16);
    const deliveries = Array.from({ length: 200 }, (_, place) => [place, open(table.getOrAdd(DEVICES, place))] as const);
    expect([...table.values()]).toHaveLength(200);
    for (const [place, delivery] of deliveries) remove(table.get(idOf(place))!, delivery);
    for (let place = 200; place < 256; place++) table.getOrAdd(DEVICES, place);
    expect([...table.values()].length).toBeLessThanOrEqual(16);
  });
});
