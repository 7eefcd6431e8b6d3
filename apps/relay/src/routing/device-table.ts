import type { DeviceEntry } from '../in-flight/message.js';

/** The bounded cache of devices. An entry with open deliveries is never dropped; of the rest the least recently used goes first. */
export class DeviceTable {
  private readonly entries = new Map<string, DeviceEntry>();

  constructor(private readonly capacity = 100_000) {}

  get(device: string): DeviceEntry | undefined {
    return this.entries.get(device);
  }

  getOrAdd(device: string): DeviceEntry {
    let entry = this.entries.get(device);
    if (entry === undefined) {
      entry = {
        device,
        route: undefined,
        loading: false,
        stale: false,
        open: new Set(),
        unacknowledged: 0,
        unacknowledgedBytes: 0,
        full: false,
        goneGateway: 0,
        goneConnection: 0,
      };
      this.entries.set(device, entry);
      if (this.entries.size > this.capacity) this.shrink();
    }
    return entry;
  }

  values(): Iterable<DeviceEntry> {
    return this.entries.values();
  }

  /** Drops an eighth of the idle entries, oldest first: so that the cost of finding them is paid rarely. */
  private shrink(): void {
    let left = this.capacity >>> 3;
    for (const [device, entry] of this.entries) {
      if (left === 0) break;
      if (entry.open.size > 0 || entry.loading) continue;
      this.entries.delete(device);
      left--;
    }
  }
}
