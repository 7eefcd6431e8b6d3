import type { Redis } from 'ioredis';

/** What a store is built on: one per process. Injected as LIVE_STATE; feature modules pick the store's implementation by `kind`. */
export type LiveState = { kind: 'memory' } | { kind: 'redis'; redis: Redis };

export const LIVE_STATE = Symbol('LIVE_STATE');
