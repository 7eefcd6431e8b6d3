import { LIMITS } from '@sotto/protocol';
import type { DeviceRouteStore, RevokedCapability } from '@sotto/platform/live-state';
import {
  type BeyondBound,
  type Claim,
  END_COUNTS_SECONDS,
  type KeyPackageStore,
  MOST_IN_LEDGER,
  MOST_SPENT,
  type StockedKeyPackage,
  type TakenCapability,
  type TakenKeyPackage,
} from './key-package.store.js';

/** Of key packages. Each device may publish 128 KiB, and whoever has accounts has devices. */
const MOST_BYTES = 512 * 1024 * 1024;
const SWEEP_EVERY_SECONDS = 60;

interface DeviceStock {
  oneTime: StockedKeyPackage[];
  lastResort: StockedKeyPackage | undefined;
  /** Capability → expiry of packages that were handed out. */
  spent: Map<string, number>;
  /** The low-water mark was told and no publication has lifted the stock above it since. */
  low: boolean;
  /** Capability of a last-resort package that is revoked. */
  dead: string | undefined;
  /** Of its packages, as they count to the total. */
  bytes: number;
}

/** What a claimer holds: capability → device and expiry. */
type Ledger = Map<string, { device: string; expires: number }>;

export interface Room {
  /** Accounts; beyond it the one used longest ago goes first, and publishes anew. */
  owners: number;
  /** Of key packages; beyond it none is taken in. */
  bytes: number;
}

interface Owner {
  devices: Map<string, DeviceStock>;
  ledgers: Map<string, Ledger>;
  /** Claimer → its rights up to then (Unix milliseconds) have ended; forgotten at `until` (Unix seconds). */
  ended: Map<string, { at: number; until: number }>;
}

/** KeyPackageStore of one process. */
export class MemoryKeyPackageStore implements KeyPackageStore {
  private readonly owners = new Map<string, Owner>();
  private bytes = 0;
  /** Unix seconds. */
  private sweptAt = 0;

  /** `routes` changes before it returns its promise: its step is part of this store's. */
  constructor(
    private readonly routes: Pick<DeviceRouteStore, 'revoke'>,
    private readonly room: Room = { owners: 20_000, bytes: MOST_BYTES },
  ) {}

  publish(
    account: string,
    device: string,
    oneTime: StockedKeyPackage[],
    lastResort: StockedKeyPackage | undefined,
    now: number,
  ): Promise<number | BeyondBound> {
    const stock = this.stockOf(account, device, now);
    const seen = new Set([...stock.oneTime.map(({ capability }) => capability), ...stock.spent.keys()]);
    const fresh = oneTime.filter(({ capability }) => !seen.has(capability) && seen.add(capability));
    const last = lastResort ?? stock.lastResort;
    if (stock.oneTime.length + fresh.length > LIMITS.oneTimeKeyPackages) return Promise.resolve('count');
    const bytes = bytesOf({ oneTime: [...stock.oneTime, ...fresh], lastResort: last });
    if (bytes > LIMITS.stockedKeyPackageBytes) return Promise.resolve('bytes');
    if (!this.hasRoomFor(bytes - stock.bytes, now)) return Promise.resolve('full');
    stock.oneTime.push(...fresh.map(onItsOwn));
    if (lastResort !== undefined) stock.lastResort = onItsOwn(lastResort);
    this.weigh(stock);
    if (stock.oneTime.length > LIMITS.keyPackagesLowWater) stock.low = false;
    return Promise.resolve(stock.oneTime.length);
  }

  take(owner: string, claim: Claim, now: number): Promise<TakenKeyPackage[]> {
    const known = this.owners.get(owner);
    if (known === undefined) return Promise.resolve([]);
    const revoke = claim.revoke || hasEnded(known, claim, now);
    const taken: TakenKeyPackage[] = [];
    for (const [device, stock] of known.devices) {
      this.expire(stock, now);
      const one = device === claim.except ? undefined : takeOne(device, stock, claim.cipherSuite, revoke);
      this.weigh(stock);
      if (one === undefined) continue;
      const { capability } = one.taken;
      note(known, claim.claimer, capability, { device, expires: one.expires }, now);
      if (revoke) this.revoke(known, device, [{ capability, expires: one.expires }]);
      taken.push(one.taken);
    }
    return Promise.resolve(taken);
  }

  revokeTaken(
    owner: string,
    claimer: string,
    { ended, keep }: { ended: number; keep: readonly string[] },
    now: number,
  ): Promise<TakenCapability[]> {
    const known = this.ownerOf(owner);
    const at = Math.max(ended, known.ended.get(claimer)?.at ?? 0);
    known.ended.set(claimer, { at, until: now + END_COUNTS_SECONDS });
    const taken = [...(known.ledgers.get(claimer) ?? [])].filter(([id, { expires }]) => expires > now && !keep.includes(id));
    for (const [capability, { device, expires }] of taken) this.revoke(known, device, [{ capability, expires }]);
    return Promise.resolve(taken.map(([capability, { device }]) => ({ device, capability })));
  }

  count(account: string, device: string, now: number): Promise<{ left: number; hasLastResort: boolean }> {
    const stock = this.owners.get(account)?.devices.get(device);
    if (stock !== undefined) this.expire(stock, now);
    return Promise.resolve({ left: stock?.oneTime.length ?? 0, hasLastResort: stock?.lastResort !== undefined });
  }

  clear(account: string, device: string): Promise<void> {
    const stock = this.owners.get(account)?.devices.get(device);
    if (stock !== undefined) this.empty(stock);
    return Promise.resolve();
  }

  clearAll(account: string): Promise<void> {
    for (const stock of this.owners.get(account)?.devices.values() ?? []) this.empty(stock);
    return Promise.resolve();
  }

  private revoke(owner: Owner, device: string, revoked: RevokedCapability[]): void {
    const stock = owner.devices.get(device);
    for (const { capability } of revoked) if (stock?.lastResort?.capability === capability) stock.dead = capability;
    void this.routes.revoke(device, revoked);
  }

  private ownerOf(account: string): Owner {
    const owner = this.owners.get(account) ?? { devices: new Map(), ledgers: new Map(), ended: new Map() };
    this.owners.delete(account);
    this.owners.set(account, owner);
    if (this.owners.size > this.room.owners) this.drop(this.owners.keys().next().value!);
    return owner;
  }

  private drop(account: string): void {
    for (const { bytes } of this.owners.get(account)?.devices.values() ?? []) this.bytes -= bytes;
    this.owners.delete(account);
  }

  private stockOf(account: string, device: string, now: number): DeviceStock {
    const owner = this.ownerOf(account);
    const stock = owner.devices.get(device) ?? {
      oneTime: [],
      lastResort: undefined,
      spent: new Map(),
      low: false,
      dead: undefined,
      bytes: 0,
    };
    owner.devices.set(device, stock);
    for (const [name, other] of owner.devices) {
      this.expire(other, now);
      if (other !== stock && other.oneTime.length === 0 && other.lastResort === undefined && other.spent.size === 0)
        owner.devices.delete(name);
    }
    return stock;
  }

  private hasRoomFor(more: number, now: number): boolean {
    if (more <= 0 || this.bytes + more <= this.room.bytes) return true;
    if (now - this.sweptAt < SWEEP_EVERY_SECONDS) return false;
    this.sweptAt = now;
    for (const { devices } of this.owners.values()) for (const stock of devices.values()) this.expire(stock, now);
    return this.bytes + more <= this.room.bytes;
  }

  private expire(stock: DeviceStock, now: number): void {
    stock.oneTime = stock.oneTime.filter((one) => one.expires > now);
    if (stock.lastResort !== undefined && stock.lastResort.expires <= now) stock.lastResort = undefined;
    for (const [capability, expires] of stock.spent) if (expires <= now) stock.spent.delete(capability);
    this.weigh(stock);
  }

  private empty(stock: DeviceStock): void {
    stock.oneTime = [];
    stock.lastResort = undefined;
    this.weigh(stock);
  }

  /** After each change of its packages. */
  private weigh(stock: DeviceStock): void {
    const bytes = bytesOf(stock);
    this.bytes += bytes - stock.bytes;
    stock.bytes = bytes;
  }
}

function hasEnded(owner: Owner, { claimer, since }: Claim, now: number): boolean {
  for (const [each, { until }] of owner.ended) if (until <= now) owner.ended.delete(each);
  return (owner.ended.get(claimer)?.at ?? -1) >= since;
}

function takeOne(
  device: string,
  stock: DeviceStock,
  cipherSuite: number,
  revoked: boolean,
): { taken: TakenKeyPackage; expires: number } | undefined {
  const index = stock.oneTime.findIndex((one) => one.cipherSuite === cipherSuite);
  const lastResort = index < 0;
  const one = lastResort ? stock.lastResort : stock.oneTime.splice(index, 1)[0];
  if (one === undefined || one.cipherSuite !== cipherSuite) return undefined;
  if (lastResort && stock.dead === one.capability && !revoked) return undefined;
  if (!lastResort) spend(stock, one);
  const left = stock.oneTime.length;
  const ranLow = !stock.low && left <= LIMITS.keyPackagesLowWater;
  stock.low ||= ranLow;
  const { keyPackage, capability, expires } = one;
  return { taken: { device, keyPackage, capability, lastResort, left, ranLow, revoked }, expires };
}

function spend({ spent }: DeviceStock, { capability, expires }: StockedKeyPackage): void {
  spent.set(capability, expires);
  if (spent.size <= MOST_SPENT) return;
  const [first] = [...spent].reduce((one, other) => (other[1] < one[1] ? other : one));
  spent.delete(first);
}

function note(owner: Owner, claimer: string, capability: string, taken: { device: string; expires: number }, now: number): void {
  const ledger = owner.ledgers.get(claimer) ?? (new Map() as Ledger);
  for (const [old, { expires }] of ledger) if (expires <= now) ledger.delete(old);
  ledger.set(capability, taken);
  if (ledger.size > MOST_IN_LEDGER) ledger.delete(ledger.keys().next().value!);
  owner.ledgers.set(claimer, ledger);
}

/** What comes with a call is a view into all that came in with it. */
function onItsOwn(one: StockedKeyPackage): StockedKeyPackage {
  return { ...one, keyPackage: new Uint8Array(one.keyPackage) };
}

function bytesOf({ oneTime, lastResort }: Pick<DeviceStock, 'oneTime' | 'lastResort'>): number {
  return oneTime.reduce((bytes, { keyPackage }) => bytes + keyPackage.length, lastResort?.keyPackage.length ?? 0);
}
