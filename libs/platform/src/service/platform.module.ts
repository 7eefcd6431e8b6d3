import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { Registry } from 'prom-client';
import { type Bus, BUS } from '../bus/index.js';
import { type Database, DATABASE } from '../database/database.js';
import {
  AccountEvents,
  CallLimiter,
  DEVICE_ROUTE_STORE,
  LEASE_STORE,
  LIVE_STATE,
  type LiveState,
  MemoryDeviceRouteStore,
  MemoryLeaseStore,
  RedisDeviceRouteStore,
  RedisLeaseStore,
} from '../live-state/index.js';
import { createMetrics, METRICS } from '../metrics/index.js';
import { RpcClient } from '../rpc/index.js';
import { StorageErrorFilter } from '../rpc/storage-error.filter.js';

export interface PlatformParts {
  bus: Bus;
  /** Absent in a service that needs none; then nothing built on it can be injected. */
  liveState?: LiveState;
  database?: Database;
  serviceName: string;
  metrics?: Registry;
}

/** What every service module may inject. The parts belong to whoever made them: this module closes none. */
@Module({})
export class PlatformModule {
  static forRoot(parts: PlatformParts): DynamicModule {
    const { bus, liveState, database, serviceName } = parts;
    const providers: Provider[] = [
      { provide: BUS, useValue: bus },
      { provide: METRICS, useValue: parts.metrics ?? createMetrics(serviceName) },
      { provide: RpcClient, useValue: new RpcClient(bus, { service: serviceName }) },
      { provide: APP_FILTER, useClass: StorageErrorFilter },
      ...(liveState === undefined ? [] : liveStateProviders(bus, liveState)),
      ...(database === undefined ? [] : [{ provide: DATABASE, useValue: database }]),
    ];
    const exported = providers
      .map((provider) => (typeof provider === 'function' ? provider : provider.provide))
      .filter((token) => token !== APP_FILTER);
    return { module: PlatformModule, global: true, providers, exports: exported };
  }
}

function liveStateProviders(bus: Bus, liveState: LiveState): Provider[] {
  const memory = liveState.kind === 'memory';
  const routes = memory ? new MemoryDeviceRouteStore() : new RedisDeviceRouteStore(liveState.redis);
  const leases = memory ? new MemoryLeaseStore() : new RedisLeaseStore(liveState.redis);
  return [
    { provide: LIVE_STATE, useValue: liveState },
    { provide: DEVICE_ROUTE_STORE, useValue: routes },
    { provide: LEASE_STORE, useValue: leases },
    { provide: AccountEvents, useValue: new AccountEvents(bus, routes, leases) },
    { provide: CallLimiter, useValue: new CallLimiter(liveState) },
  ];
}
