import { describe, expect, it } from '@jest/globals';
import { RateLimit } from '@sotto/platform/live-state';
import { randomBytes } from 'node:crypto';
import { CommitSlots } from './commit-slots.service.js';
import { MemoryCommitSlotStore } from './memory-commit-slot.store.js';

const COMMIT = new Uint8Array(16).fill(1);

describe('claims of commit slots', () => {
  it('are so many an account, of which none is made beyond the limit', async () => {
    const store = new MemoryCommitSlotStore();
    const slots = new CommitSlots(store, new RateLimit({ kind: 'memory' }, { keyPrefix: 'test', points: 2, seconds: 60 }));
    for (let i = 0; i < 2; i++) expect(await slots.claim('alice', randomBytes(32), COMMIT)).toEqual({ holder: COMMIT });
    const slot = randomBytes(32);
    const refused = await slots.claim('alice', slot, COMMIT);
    expect(refused).toEqual({ waitMs: expect.any(Number) });
    const bobs = new Uint8Array(16).fill(2);
    expect(await slots.claim('bob', slot, bobs)).toEqual({ holder: bobs });
  });
});
