import { expect, it } from '@jest/globals';
import { LIMITS, TIMES } from '@sotto/protocol';
import type { ApprovalStore } from './approval.store.js';

const bytes = (...values: number[]) => Uint8Array.from(values);
const tablet = { device: 'tablet', name: 'the tablet', message: bytes(0, 255) };
const answer = (from: string, position: number, message = bytes(position)) => ({ device: 'tablet', from, position, message });

/** Two stores, as two replicas have them: what one does the other sees. */
export function approvalStoreContract(open: () => Promise<[ApprovalStore, ApprovalStore]>): void {
  const now = Math.floor(Date.now() / 1_000);

  it('keeps what a device asked, by its account, and gives messages back byte by byte', async () => {
    const [store, other] = await open();
    expect(await store.ask('alice', tablet, now)).toBe(true);
    expect(await other.append('alice', answer('phone', 1), now)).toBe(true);
    expect(await store.append('alice', answer('tablet', 2), now)).toBe(true);
    const asked = {
      device: 'tablet',
      name: 'the tablet',
      asked: now,
      expires: now + TIMES.approvalSeconds,
      approver: 'phone',
      refused: false,
    };
    expect(await other.list('alice', now)).toEqual([{ ...asked, messages: [bytes(0, 255), bytes(1), bytes(2)] }]);
    expect(await store.list('bob', now)).toEqual([]);
  });

  it('takes one message a position, whoever comes first', async () => {
    const [store, other] = await open();
    await store.ask('alice', tablet, now);
    expect(await store.append('alice', answer('tablet', 2), now)).toBe(false);
    const tries = [store.append('alice', answer('phone', 1), now), other.append('alice', answer('laptop', 1), now)];
    expect((await Promise.all(tries)).sort()).toEqual([false, true]);
    const { approver } = (await store.list('alice', now))[0]!;
    for (const position of [1, 3]) expect(await store.append('alice', answer(approver, position), now)).toBe(false);
  });

  it('lets no second device finish what one has begun', async () => {
    const [store] = await open();
    await store.ask('alice', tablet, now);
    await store.append('alice', answer('phone', 1), now);
    await store.append('alice', answer('tablet', 2), now);
    expect(await store.append('alice', answer('laptop', 3), now)).toBe(false);
    expect(await store.append('alice', answer('phone', 3), now)).toBe(true);
  });

  it('holds a bounded number of messages and of devices', async () => {
    const [store, other] = await open();
    await store.ask('alice', tablet, now);
    for (let position = 1; position < LIMITS.approvalMessages; position++)
      expect(await store.append('alice', answer(position % 2 ? 'phone' : 'tablet', position), now)).toBe(true);
    expect(await store.append('alice', answer('tablet', LIMITS.approvalMessages), now)).toBe(false);
    const more = Array.from({ length: LIMITS.approvalsPerAccount }, (_, i) => ({ ...tablet, device: `device ${i}` }));
    const taken = await Promise.all(more.map((each, i) => (i % 2 ? store : other).ask('alice', each, now)));
    expect(taken.filter((each) => each)).toHaveLength(LIMITS.approvalsPerAccount - 1);
    expect(await store.ask('alice', tablet, now)).toBe(true);
    expect((await store.list('alice', now)).find(({ device }) => device === 'tablet')?.messages).toHaveLength(1);
  });

  it('lets go of each when its time is over, and makes room', async () => {
    const [store, other] = await open();
    const later = now + TIMES.approvalSeconds;
    for (let i = 0; i < LIMITS.approvalsPerAccount; i++) await store.ask('alice', { ...tablet, device: `device ${i}` }, now);
    expect(await store.ask('alice', tablet, later - 1)).toBe(false);
    expect(await other.append('alice', { ...answer('phone', 1), device: 'device 0' }, later)).toBe(false);
    expect(await store.list('alice', later)).toEqual([]);
    expect(await store.ask('alice', tablet, later)).toBe(true);
    expect((await other.list('alice', later)).map(({ device }) => device)).toEqual(['tablet']);
  });

  it('shows that one was refused, and takes nothing for it until it is asked anew', async () => {
    const [store, other] = await open();
    await store.ask('alice', tablet, now);
    expect(await other.refuse('alice', 'tablet', now)).toBe(true);
    expect(await store.list('alice', now)).toMatchObject([{ device: 'tablet', refused: true }]);
    expect(await store.append('alice', answer('phone', 1), now)).toBe(false);
    expect(await store.refuse('alice', 'tablet', now)).toBe(false);
    await store.ask('alice', tablet, now);
    expect(await store.list('alice', now)).toMatchObject([{ refused: false }]);
  });

  it('forgets one, or all of an account', async () => {
    const [store, other] = await open();
    await store.ask('alice', tablet, now);
    await store.ask('alice', { ...tablet, device: 'phone' }, now);
    await other.forget('alice', 'tablet');
    expect((await store.list('alice', now)).map(({ device }) => device)).toEqual(['phone']);
    await other.forgetAll('alice');
    expect(await store.list('alice', now)).toEqual([]);
    await store.forget('bob', 'none');
  });
}
