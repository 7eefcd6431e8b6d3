import { ID_BYTES } from '@sotto/protocol';
import { newDeviceEntry } from '../in-flight/device-entry.js';
import { keyOf } from '../in-flight/id-key.js';
import type { DeviceEntry } from '../in-flight/message.js';

/** The bounded cache of devices. An entry with open deliveries is never dropped; of the rest the oldest goes first. */
export class DeviceTable {
  private readonly entries = new Map<string, DeviceEntry>();
  /** Size at which idle entries are looked for again. */
  private shrinkAt: number;

  constructor(private readonly capacity = 100_000) {
    this.shrinkAt = capacity;
  }

  get(device: Uint8Array): DeviceEntry | undefined {
    return this.entries.get(keyOf(device));
  }

  /** The entry of the device at this place of `devices`, ids one after the other. */
  getOrAdd(devices: Uint8Array, place: number): DeviceEntry {
    const key = keyOf(devices, place);
    let entry = this.entries.get(key);
    if (entry === undefined) {
      // Before it is added: nothing is open for it yet, so it would be taken for idle.
      if (this.entries.size >= this.shrinkAt) this.shrink();
      entry = newDeviceEntry(devices.slice(place * ID_BYTES, (place + 1) * ID_BYTES));
      this.entries.set(key, entry);
    }
    return entry;
  }

  values(): Iterable<DeviceEntry> {
    return this.entries.values();
  }

  /** Drops idle entries, to an eighth below the capacity if there are so many. The next look waits for another eighth: its cost is paid rarely. */
  private shrink(): void {
    const eighth = this.capacity >>> 3;
    let left = this.entries.size - this.capacity + eighth;
    for (const [key, entry] of this.entries) {
      if (left === 0) break;
      if (entry.first !== undefined || entry.loading) continue;
      this.entries.delete(key);
      left--;
    }
    this.shrinkAt = Math.max(this.capacity, this.entries.size + eighth);
  }
}
