import { LIMITS } from '@sotto/protocol';
import type { KeyPackageStore, StockedKeyPackage, TakenKeyPackage } from './key-package.store.js';

interface DeviceStock {
  oneTime: StockedKeyPackage[];
  lastResort: StockedKeyPackage | undefined;
  /** Capability → expiry of packages that were handed out. */
  spent: Map<string, number>;
  /** The low-water mark was told and no publication has lifted the stock above it since. */
  low: boolean;
}

interface Owner {
  devices: Map<string, DeviceStock>;
  /** Claimer → capability → expiry. */
  ledger: Map<string, Map<string, number>>;
}

/** KeyPackageStore of one process. Holds at most `maxOwners` accounts; the one used longest ago goes first and publishes anew. */
export class MemoryKeyPackageStore implements KeyPackageStore {
  private readonly owners = new Map<string, Owner>();

  constructor(private readonly maxOwners = 20_000) {}

  publish(
    account: string,
    device: string,
    oneTime: StockedKeyPackage[],
    lastResort: StockedKeyPackage | undefined,
    now: number,
  ): Promise<number | undefined> {
    const stock = this.stockOf(account, device, now);
    const seen = new Set([...stock.oneTime.map(({ capability }) => capability), ...stock.spent.keys()]);
    const fresh = oneTime.filter(({ capability }) => !seen.has(capability) && seen.add(capability));
    if (stock.oneTime.length + fresh.length > LIMITS.oneTimeKeyPackages) return Promise.resolve(undefined);
    stock.oneTime.push(...fresh);
    stock.lastResort = lastResort ?? stock.lastResort;
    if (stock.oneTime.length > LIMITS.keyPackagesLowWater) stock.low = false;
    return Promise.resolve(stock.oneTime.length);
  }

  take(owner: string, claimer: string, cipherSuite: number, except: string, now: number): Promise<TakenKeyPackage[]> {
    const known = this.owners.get(owner);
    if (known === undefined) return Promise.resolve([]);
    const taken: TakenKeyPackage[] = [];
    for (const [device, stock] of known.devices) {
      expire(stock, now);
      const one = device === except ? undefined : takeOne(device, stock, cipherSuite);
      if (one === undefined) continue;
      taken.push(one.taken);
      note(known, claimer, one.taken.capability, one.expires, now);
    }
    return Promise.resolve(taken);
  }

  count(account: string, device: string, now: number): Promise<{ left: number; hasLastResort: boolean }> {
    const stock = this.owners.get(account)?.devices.get(device);
    if (stock !== undefined) expire(stock, now);
    return Promise.resolve({ left: stock?.oneTime.length ?? 0, hasLastResort: stock?.lastResort !== undefined });
  }

  clear(account: string, device: string): Promise<void> {
    const stock = this.owners.get(account)?.devices.get(device);
    if (stock !== undefined) empty(stock);
    return Promise.resolve();
  }

  clearAll(account: string): Promise<void> {
    for (const stock of this.owners.get(account)?.devices.values() ?? []) empty(stock);
    return Promise.resolve();
  }

  takenBy(owner: string, claimer: string, now: number): Promise<string[]> {
    const ledger = this.owners.get(owner)?.ledger.get(claimer);
    return Promise.resolve([...(ledger ?? [])].filter(([, expires]) => expires > now).map(([capability]) => capability));
  }

  private stockOf(account: string, device: string, now: number): DeviceStock {
    const owner = this.owners.get(account) ?? { devices: new Map<string, DeviceStock>(), ledger: new Map<string, Map<string, number>>() };
    this.owners.delete(account);
    this.owners.set(account, owner);
    if (this.owners.size > this.maxOwners) this.owners.delete(this.owners.keys().next().value!);
    const stock = owner.devices.get(device) ?? { oneTime: [], lastResort: undefined, spent: new Map<string, number>(), low: false };
    owner.devices.set(device, stock);
    for (const [name, other] of owner.devices) {
      expire(other, now);
      if (other !== stock && other.oneTime.length === 0 && other.lastResort === undefined && other.spent.size === 0)
        owner.devices.delete(name);
    }
    return stock;
  }
}

function takeOne(device: string, stock: DeviceStock, cipherSuite: number): { taken: TakenKeyPackage; expires: number } | undefined {
  const index = stock.oneTime.findIndex((one) => one.cipherSuite === cipherSuite);
  const lastResort = index < 0;
  const one = lastResort ? stock.lastResort : stock.oneTime.splice(index, 1)[0];
  if (one === undefined || one.cipherSuite !== cipherSuite) return undefined;
  if (!lastResort) stock.spent.set(one.capability, one.expires);
  const left = stock.oneTime.length;
  const ranLow = !stock.low && left <= LIMITS.keyPackagesLowWater;
  stock.low ||= ranLow;
  return { taken: { device, keyPackage: one.keyPackage, capability: one.capability, lastResort, left, ranLow }, expires: one.expires };
}

function note(owner: Owner, claimer: string, capability: string, expires: number, now: number): void {
  const ledger = owner.ledger.get(claimer) ?? new Map<string, number>();
  for (const [old, end] of ledger) if (end <= now) ledger.delete(old);
  ledger.set(capability, expires);
  owner.ledger.set(claimer, ledger);
}

function expire(stock: DeviceStock, now: number): void {
  stock.oneTime = stock.oneTime.filter((one) => one.expires > now);
  if (stock.lastResort !== undefined && stock.lastResort.expires <= now) stock.lastResort = undefined;
  for (const [capability, expires] of stock.spent) if (expires <= now) stock.spent.delete(capability);
}

function empty(stock: DeviceStock): void {
  stock.oneTime = [];
  stock.lastResort = undefined;
}
