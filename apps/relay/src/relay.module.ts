import { type DynamicModule, Module } from '@nestjs/common';
import { LIVE_STATE, type LiveState, RateLimit } from '@sotto/platform/live-state';
import { COMMIT_SLOT_STORE, type CommitSlotStore } from './commit-slots/commit-slot.store.js';
import { CommitSlots } from './commit-slots/commit-slots.service.js';
import { MemoryCommitSlotStore } from './commit-slots/memory-commit-slot.store.js';
import { RedisCommitSlotStore } from './commit-slots/redis-commit-slot.store.js';
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
        {
          provide: COMMIT_SLOT_STORE,
          inject: [LIVE_STATE],
          useFactory: (live: LiveState) => (live.kind === 'redis' ? new RedisCommitSlotStore(live.redis) : new MemoryCommitSlotStore()),
        },
        {
          provide: CommitSlots,
          inject: [LIVE_STATE, COMMIT_SLOT_STORE],
          useFactory: (live: LiveState, store: CommitSlotStore) =>
            new CommitSlots(store, new RateLimit(live, { keyPrefix: 'slot-claims', points: config.slotClaimsPerHour, seconds: 3_600 })),
        },
      ],
    };
  }
}
