import { Inject, Injectable } from '@nestjs/common';
import { DEVICE_ROUTE_STORE, LEASE_STORE } from '@sotto/platform/live-state';
import type { DeviceRouteStore, LeaseStore } from '@sotto/platform/live-state';

/** Who is online, read from the routes and leases as they are now. */
@Injectable()
export class OnlineAccounts {
  constructor(
    @Inject(DEVICE_ROUTE_STORE) private readonly routes: DeviceRouteStore,
    @Inject(LEASE_STORE) private readonly leases: LeaseStore,
  ) {}

  /** Of these accounts, those with a device that is connected and not invisible. */
  async among(accounts: string[]): Promise<Set<string>> {
    const [routes, alive] = await Promise.all([this.routes.connectedDevicesOf(accounts), this.leases.alive('gateway')]);
    const gateways = new Set(alive);
    const online = new Set<string>();
    for (const [account, devices] of routes) {
      if (devices.some((device) => !device.invisible && gateways.has(device.gateway))) online.add(account);
    }
    return online;
  }
}
