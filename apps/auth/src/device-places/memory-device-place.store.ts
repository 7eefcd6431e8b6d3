import { type DevicePlace, type DevicePlaceStore, placeCounts, type PlaceTerms } from './device-place.store.js';

/** Accounts in memory; beyond it the one used longest ago goes first, as if live state had been wiped for it. */
const MAX_ACCOUNTS = 100_000;

/** DevicePlaceStore of one process. */
export class MemoryDevicePlaceStore implements DevicePlaceStore {
  private readonly accounts = new Map<string, Map<string, DevicePlace>>();

  async take(account: string, place: DevicePlace, terms: PlaceTerms): Promise<boolean> {
    const held = this.accounts.get(account) ?? new Map<string, DevicePlace>();
    for (const each of held.values()) if (!placeCounts(each, terms, place.seen)) held.delete(each.device);
    if (!held.has(place.device) && held.size >= terms.places) return false;
    held.set(place.device, place);
    this.accounts.delete(account);
    this.accounts.set(account, held);
    if (this.accounts.size > MAX_ACCOUNTS) this.accounts.delete(this.accounts.keys().next().value!);
    return true;
  }

  async list(account: string): Promise<DevicePlace[]> {
    return [...(this.accounts.get(account)?.values() ?? [])];
  }

  async forget(account: string): Promise<void> {
    this.accounts.delete(account);
  }
}
