import { type DynamicModule, Module } from '@nestjs/common';
import { LIVE_STATE, type LiveState } from '@sotto/platform/live-state';
import { RELAY_CONFIG, type RelayConfig } from './relay.config.js';
import { RelayService } from './relay.service.js';
import { MemoryRetryTimerStore } from './retry-timers/memory-retry-timer.store.js';
import { RedisRetryTimerStore } from './retry-timers/redis-retry-timer.store.js';
import { RETRY_TIMER_STORE } from './retry-timers/retry-timer.store.js';

@Module({})
export class RelayModule {
  static forRoot(config: RelayConfig): DynamicModule {
    return {
      module: RelayModule,
      providers: [
        RelayService,
        { provide: RELAY_CONFIG, useValue: config },
        {
          provide: RETRY_TIMER_STORE,
          inject: [LIVE_STATE],
          useFactory: (live: LiveState) => (live.kind === 'redis' ? new RedisRetryTimerStore(live.redis) : new MemoryRetryTimerStore()),
        },
      ],
    };
  }
}
