import { describe, expect, it } from '@jest/globals';
import { ReceiptStatus } from '@sotto/protocol';
import fc from 'fast-check';
import {
  emptyOutbox,
  FIRST_TIMEOUT_MS,
  type OutboxEffect,
  type OutboxEvent,
  type OutboxState,
  queuedRecipient,
  reduceOutbox,
  restored,
} from './outbox.js';

const token = new Uint8Array(32);
const entry = (id: string, order: number, kind: 'message' | 'welcome' = 'message', devices = ['bob1']) => ({
  id,
  kind,
  account: 'bob',
  order,
  plaintext: new Uint8Array(),
  createdAt: 0,
  sealed: { sendId: `s-${id}`, group: 'g', payload: Uint8Array.of(order) },
  recipients: Object.fromEntries(devices.map((device) => [device, queuedRecipient(token)])),
});
const receipt = (id: string, status: ReceiptStatus, more: { device?: string; relay?: number; since?: number } = {}): OutboxEvent => ({
  kind: 'receipt',
  sendId: `s-${id}`,
  device: more.device ?? 'bob1',
  status,
  relay: more.relay ?? 0,
  retryAfterMs: 0,
  final: false,
  onlineSince: () => more.since,
});

class Alice {
  state: OutboxState = emptyOutbox();
  now = 1_000;
  do(event: OutboxEvent): OutboxEffect[] {
    const { state, effects } = reduceOutbox(this.state, event, this.now);
    this.state = state;
    return effects;
  }
  sent(event: OutboxEvent): string[] {
    return this.do(event).flatMap((effect) => (effect.kind === 'send' ? [effect.sendId] : []));
  }
}

const online = () => {
  const alice = new Alice();
  alice.do({ kind: 'attached', retryWindowMs: 30_000 });
  return alice;
};

describe('the outbox', () => {
  it('keeps what alice writes without a connection and sends it in order when there is one', () => {
    const alice = new Alice();
    expect(alice.sent({ kind: 'added', entry: entry('1', 1) })).toEqual([]);
    alice.do({ kind: 'added', entry: entry('2', 2) });
    expect(alice.sent({ kind: 'attached', retryWindowMs: 0 })).toEqual(['s-1', 's-2']);
  });

  it('forgets a message only when every device of bob has stored it, and tells "delivered" at the first', () => {
    const alice = online();
    alice.do({ kind: 'added', entry: entry('1', 1, 'message', ['bob1', 'bob2']) });
    expect(alice.do(receipt('1', ReceiptStatus.DELIVERED))).toContainEqual({ kind: 'status', id: '1', status: 'delivered' });
    expect(alice.state.entries.size).toBe(1);
    expect(alice.do(receipt('1', ReceiptStatus.DELIVERED, { device: 'bob2' }))).toContainEqual({ kind: 'remove', id: '1' });
    expect(alice.state.entries.size).toBe(0);
  });

  it('waits for bob after "undelivered" and sends the same bytes under the same id when he is online', () => {
    const alice = online();
    alice.do({ kind: 'added', entry: entry('1', 1) });
    const told = alice.do(receipt('1', ReceiptStatus.UNDELIVERED)).flatMap((effect) => (effect.kind === 'status' ? [effect.status] : []));
    expect(told).toEqual(['undelivered', 'waiting-for-online']);
    expect(alice.sent({ kind: 'ticked' })).toEqual([]);
    expect(alice.sent({ kind: 'contact-online', account: 'bob' })).toEqual(['s-1']);
  });

  it('sends again what a lost relay had accepted, and nothing else', () => {
    const alice = online();
    for (const [id, relay] of [
      ['1', 7],
      ['2', 8],
    ] as const) {
      alice.do({ kind: 'added', entry: entry(id, relay) });
      alice.do(receipt(id, ReceiptStatus.ACCEPTED, { relay }));
    }
    expect(alice.sent(receipt('', ReceiptStatus.RELAY_LOST, { relay: 7 }))).toEqual(['s-1']);
  });

  it('sends again after 10 s of silence, then after 20', () => {
    const alice = online();
    alice.do({ kind: 'added', entry: entry('1', 1) });
    alice.now += FIRST_TIMEOUT_MS - 1;
    expect(alice.sent({ kind: 'ticked' })).toEqual([]);
    alice.now += 1;
    expect(alice.sent({ kind: 'ticked' })).toEqual(['s-1']);
    alice.now += FIRST_TIMEOUT_MS;
    expect(alice.sent({ kind: 'ticked' })).toEqual([]);
    alice.now += FIRST_TIMEOUT_MS;
    expect(alice.sent({ kind: 'ticked' })).toEqual(['s-1']);
  });

  it('holds messages back until the device has its Welcome', () => {
    const alice = online();
    expect(alice.sent({ kind: 'added', entry: entry('w', 1, 'welcome') })).toEqual(['s-w']);
    expect(alice.sent({ kind: 'added', entry: entry('1', 2) })).toEqual([]);
    expect(alice.sent(receipt('w', ReceiptStatus.DELIVERED))).toEqual(['s-1']);
  });

  it('asks for a new group when bob says that he cannot read, and sends the new sealing under a new id', () => {
    const alice = online();
    alice.do({ kind: 'added', entry: entry('1', 1) });
    expect(alice.do(receipt('1', ReceiptStatus.CANNOT))).toContainEqual({ kind: 'renew', account: 'bob' });
    const sealed = { sendId: 'fresh', group: 'g2', payload: Uint8Array.of(9) };
    expect(alice.sent({ kind: 'sealed', id: '1', sealed, tokens: { bob9: token } })).toEqual(['fresh']);
  });

  it('never loses a message: whatever happened, it is delivered, discarded, or sent again once bob is back', () => {
    const event = fc.oneof(
      fc.constantFrom<OutboxEvent>(
        { kind: 'ticked' },
        { kind: 'detached' },
        { kind: 'attached', retryWindowMs: 1_000 },
        { kind: 'contact-online', account: 'bob' },
      ),
      fc
        .tuple(
          fc.constantFrom('1', '2', '3'),
          fc.constantFrom(
            ReceiptStatus.ACCEPTED,
            ReceiptStatus.UNDELIVERED,
            ReceiptStatus.DELIVERED,
            ReceiptStatus.RELAY_LOST,
            ReceiptStatus.REFUSED,
          ),
        )
        .map(([id, status]) => receipt(id, status)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.nat(20_000)), { maxLength: 40 }), fc.boolean(), (events, restarts) => {
        const alice = online();
        for (const id of ['1', '2', '3']) alice.do({ kind: 'added', entry: entry(id, Number(id)) });
        const delivered = new Set<string>();
        for (const [each, wait] of events) {
          alice.now += wait;
          for (const effect of alice.do(each)) if (effect.kind === 'remove') delivered.add(effect.id);
        }
        if (restarts)
          alice.state = { ...emptyOutbox(), entries: new Map([...alice.state.entries].map(([id, each]) => [id, restored(each)])) };
        const again = new Set([
          ...alice.sent({ kind: 'detached' }),
          ...alice.sent({ kind: 'attached', retryWindowMs: 0 }),
          ...alice.sent({ kind: 'contact-online', account: 'bob' }),
        ]);
        alice.now += 600_000;
        for (const id of alice.sent({ kind: 'ticked' })) again.add(id);
        for (const id of ['1', '2', '3']) expect(delivered.has(id) || again.has(`s-${id}`)).toBe(true);
      }),
    );
  });
});
