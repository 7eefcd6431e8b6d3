import { fromHex, ID_BYTES, LIMITS, toHex } from '@sotto/protocol';
import type { ConnectedDevice, DeviceRoute, DeviceRouteStore, RevokedCapability } from './device-route.store.js';

/** Routes of devices that are away; beyond it the oldest go first, as if their time were over. */
const MAX_AWAY = 200_000;
const SWEEP_EVERY_MS = 10_000;
/** Devices with capabilities revoked here; beyond it those revoked longest ago go first. */
const MAX_REVOKING = 20_000;

export class MemoryDeviceRouteStore implements DeviceRouteStore {
  private readonly routes = new Map<string, DeviceRoute>();
  private readonly devicesOfAccount = new Map<string, Set<string>>();
  private readonly devicesOfGateway = new Map<number, Set<string>>();
  /** Device → when its route ends. In the order in which they left. */
  private readonly away = new Map<string, number>();
  /** Device → capability → Unix seconds. */
  private readonly revoked = new Map<string, Map<string, number>>();
  private sweeper: NodeJS.Timeout | undefined;

  constructor(private readonly now: () => number = Date.now) {}

  async attach(route: DeviceRoute): Promise<{ replaced: { gateway: number; connection: number } | undefined; revoked: string[] }> {
    const old = this.routes.get(route.device);
    const replaced = old !== undefined && old.gateway !== 0 ? { gateway: old.gateway, connection: old.connection } : undefined;
    if (old !== undefined) this.unlink(old);
    this.away.delete(route.device);
    const revoked = this.notNamedIn(route);
    this.routes.set(route.device, { ...route, revokedCapabilities: withIds(route.revokedCapabilities, revoked) });
    into(this.devicesOfAccount, route.account, route.device);
    into(this.devicesOfGateway, route.gateway, route.device);
    return { replaced, revoked };
  }

  async putBack(route: DeviceRoute): Promise<'was-there' | 'put-back' | 'elsewhere'> {
    const old = this.routes.get(route.device);
    const isThere = old !== undefined && old.gateway !== 0;
    if (isThere && (old.gateway !== route.gateway || old.connection !== route.connection)) return 'elsewhere';
    await this.attach(route);
    return isThere ? 'was-there' : 'put-back';
  }

  /** All is done when the promise is returned: other stores make it part of their own step. */
  async revoke(device: string, revoked: readonly RevokedCapability[]): Promise<void> {
    const known = this.revoked.get(device) ?? new Map<string, number>();
    this.revoked.delete(device);
    this.revoked.set(device, known);
    if (this.revoked.size > MAX_REVOKING) this.revoked.delete(this.revoked.keys().next().value!);
    for (const { capability, expires } of revoked) known.set(capability, expires);
    const endingFirst = [...known].sort(([, one], [, other]) => one - other);
    for (const [capability] of endingFirst.slice(0, -LIMITS.revokedCapabilities)) known.delete(capability);
    const route = this.routes.get(device);
    if (route === undefined) return;
    const named = idsIn(route.revokedCapabilities);
    const fresh = revoked.map(({ capability }) => capability).filter((capability) => !named.has(capability));
    route.revokedCapabilities = withIds(route.revokedCapabilities, fresh);
  }

  async detach(device: string, gateway: number, connection: number, retentionMs: number): Promise<boolean> {
    const route = this.routes.get(device);
    if (route === undefined || route.gateway === 0 || route.gateway !== gateway || route.connection !== connection) return false;
    this.leave(route, retentionMs);
    return true;
  }

  async find(device: string): Promise<DeviceRoute | undefined> {
    const end = this.away.get(device);
    if (end !== undefined && end <= this.now()) this.drop(device);
    const route = this.routes.get(device);
    return route === undefined ? undefined : { ...route };
  }

  async connectedDevices(account: string): Promise<ConnectedDevice[]> {
    const found: ConnectedDevice[] = [];
    for (const device of this.devicesOfAccount.get(account) ?? []) {
      const route = this.routes.get(device);
      if (route !== undefined) found.push({ device, gateway: route.gateway, connection: route.connection, invisible: route.invisible });
    }
    return found;
  }

  async connectedDevicesOf(accounts: string[]): Promise<Map<string, ConnectedDevice[]>> {
    const found = new Map<string, ConnectedDevice[]>();
    for (const account of accounts) {
      const devices = await this.connectedDevices(account);
      if (devices.length > 0) found.set(account, devices);
    }
    return found;
  }

  async takeDevicesOf(gateway: number, retentionMs: number): Promise<{ device: string; account: string }[]> {
    const taken: { device: string; account: string }[] = [];
    for (const device of [...(this.devicesOfGateway.get(gateway) ?? [])]) {
      const route = this.routes.get(device);
      if (route === undefined) continue;
      taken.push({ device, account: route.account });
      this.leave(route, retentionMs);
    }
    return taken;
  }

  async forget(device: string): Promise<void> {
    this.drop(device);
    this.revoked.delete(device);
  }

  /** What was revoked here and the device does not name: what it names, it keeps itself from now on. */
  private notNamedIn(route: DeviceRoute): string[] {
    const revoked = this.revoked.get(route.device);
    if (revoked === undefined) return [];
    const named = idsIn(route.revokedCapabilities);
    for (const [capability, expires] of revoked) {
      if (named.has(capability) || expires * 1_000 <= this.now()) revoked.delete(capability);
    }
    if (revoked.size === 0) this.revoked.delete(route.device);
    return [...revoked.keys()];
  }

  private leave(route: DeviceRoute, retentionMs: number): void {
    this.unlink(route);
    this.routes.set(route.device, { ...route, gateway: 0, connection: 0 });
    this.away.set(route.device, this.now() + retentionMs);
    for (const device of this.away.keys()) {
      if (this.away.size <= MAX_AWAY) break;
      this.drop(device);
    }
    this.sweeper ??= setInterval(() => this.sweep(), SWEEP_EVERY_MS).unref();
  }

  private sweep(): void {
    const now = this.now();
    for (const [device, end] of this.away) if (end <= now) this.drop(device);
    if (this.away.size > 0) return;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
  }

  private drop(device: string): void {
    const route = this.routes.get(device);
    if (route !== undefined) this.unlink(route);
    this.routes.delete(device);
    this.away.delete(device);
  }

  private unlink(route: DeviceRoute): void {
    outOf(this.devicesOfAccount, route.account, route.device);
    outOf(this.devicesOfGateway, route.gateway, route.device);
  }
}

function idsIn(revokedCapabilities: Uint8Array): Set<string> {
  const ids = new Set<string>();
  for (let at = 0; at < revokedCapabilities.length; at += ID_BYTES) ids.add(toHex(revokedCapabilities.subarray(at, at + ID_BYTES)));
  return ids;
}

/** At most twice what a device may name: the oldest stand in front, and make room. */
function withIds(revokedCapabilities: Uint8Array, more: readonly string[]): Uint8Array {
  if (more.length === 0) return revokedCapabilities;
  return new Uint8Array(Buffer.concat([revokedCapabilities, ...more.map(fromHex)])).slice(-2 * LIMITS.revokedCapabilities * ID_BYTES);
}

function into<Key>(index: Map<Key, Set<string>>, key: Key, device: string): void {
  const devices = index.get(key);
  if (devices === undefined) index.set(key, new Set([device]));
  else devices.add(device);
}

function outOf<Key>(index: Map<Key, Set<string>>, key: Key, device: string): void {
  const devices = index.get(key);
  if (devices?.delete(device) === true && devices.size === 0) index.delete(key);
}
