import { type DynamicModule, Module } from '@nestjs/common';
import { DEVICE_ROUTE_STORE, LIVE_STATE } from '@sotto/platform/live-state';
import type { DeviceRouteStore, LiveState } from '@sotto/platform/live-state';
import type { DirectoryConfig } from './config.js';
import { ClaimBudgetStore } from './key-packages/claim-budget.store.js';
import { DeviceNotices } from './key-packages/device-notices.js';
import { KeyPackageLedgerController } from './key-packages/key-package-ledger.controller.js';
import { KEY_PACKAGE_STORE } from './key-packages/key-package.store.js';
import { KeyPackagesController } from './key-packages/key-packages.controller.js';
import { KeyPackagesService } from './key-packages/key-packages.service.js';
import { MemoryKeyPackageStore } from './key-packages/memory-key-package.store.js';
import { RedisKeyPackageStore } from './key-packages/redis-key-package.store.js';

/** Key packages on the platform's bus and live state. */
@Module({})
export class DirectoryModule {
  static forRoot(config: DirectoryConfig): DynamicModule {
    return {
      module: DirectoryModule,
      controllers: [KeyPackagesController, KeyPackageLedgerController],
      providers: [
        { provide: KEY_PACKAGE_STORE, useFactory: keyPackageStoreOf, inject: [LIVE_STATE, DEVICE_ROUTE_STORE] },
        { provide: ClaimBudgetStore, useFactory: (live: LiveState) => new ClaimBudgetStore(live, config), inject: [LIVE_STATE] },
        DeviceNotices,
        KeyPackagesService,
      ],
    };
  }
}

function keyPackageStoreOf(live: LiveState, routes: DeviceRouteStore): RedisKeyPackageStore | MemoryKeyPackageStore {
  return live.kind === 'redis' ? new RedisKeyPackageStore(live.redis) : new MemoryKeyPackageStore(routes);
}
