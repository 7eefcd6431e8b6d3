import { beforeEach, describe, expect, it } from '@jest/globals';
import { Outcome, ReceiptStatus } from '@sotto/protocol';
import { Random } from '../random.js';
import { Schedule } from '../schedule.js';
import { deliveryToken } from './delivery-token.js';
import type { DeliverFrame, FrameToDevice, SendFrame } from './frames.js';
import { Relay, type RelayOptions } from './relay.js';
import { Slots } from './slots.js';

const KEY = new Uint8Array(32).fill(1);
const CAPABILITY = new Uint8Array(16).fill(2);
const TOKEN = deliveryToken(CAPABILITY, KEY);
const SLOT = new Uint8Array(32).fill(3);
const OPTIONS: RelayOptions = {
  retryWindowMs: 30_000,
  deliveryWindow: 2,
  busy: () => false,
  diesAfterClaim: () => false,
  reaches: () => true,
};

describe('the relay of the simulation', () => {
  let schedule: Schedule;
  let slots: Slots;
  let relay: Relay;
  let output: [string, FrameToDevice][];

  function start(options: Partial<RelayOptions> = {}): void {
    schedule = new Schedule(1_000_000);
    slots = new Slots();
    output = [];
    relay = new Relay(schedule, new Random(1), slots, { ...OPTIONS, ...options }, (device, frame) => output.push([device, frame]));
  }

  beforeEach(() => start());

  const attach = (device: string, revoked: string[] = []) => relay.attach(device, { deliveryKey: KEY, revoked: new Set(revoked) });
  const send = (id: string, more: Partial<SendFrame> = {}) =>
    relay.send('alice', {
      kind: 'send',
      id,
      recipients: [{ device: 'bob', token: TOKEN }],
      payload: Uint8Array.of(Number.parseInt(id, 10)),
      held: true,
      ...more,
    });
  const deliveries = (device: string) =>
    output.flatMap(([to, frame]) => (to === device && frame.kind === 'deliver' ? [frame] : [])) satisfies DeliverFrame[];
  const payloads = (device: string) => deliveries(device).map(({ payload }) => payload[0]);
  const statuses = () => output.flatMap(([to, frame]) => (to === 'alice' && frame.kind === 'receipt' ? [frame.status] : []));
  const ack = (handle: bigint, outcome: Outcome, device = 'bob') => relay.ack(device, { kind: 'ack', handle, outcome });

  it('delivers at once, says that it has the message, and reports what was stored', async () => {
    attach('bob');
    send('1');
    await schedule.runUntil(schedule.now + 200);
    ack(deliveries('bob')[0]!.handle, Outcome.STORED);
    expect(statuses()).toEqual([ReceiptStatus.ACCEPTED, ReceiptStatus.DELIVERED]);
  });

  it('keeps a message for who is away until its deadline, and reports then', async () => {
    send('1');
    await schedule.runUntil(schedule.now + 10_000);
    attach('bob');
    expect(payloads('bob')).toEqual([1]);
    relay.detach('bob');
    await schedule.runUntil(schedule.now + 25_000);
    expect(statuses()).toEqual([ReceiptStatus.ACCEPTED, ReceiptStatus.UNDELIVERED]);
    attach('bob');
    expect(payloads('bob')).toEqual([1]);
  });

  it('holds nothing that is not to be held', async () => {
    send('1', { held: false });
    await schedule.runUntil(schedule.now + 2_000);
    attach('bob');
    expect(payloads('bob')).toEqual([]);
  });

  it.each([
    ['a token under another key', deliveryToken(CAPABILITY, new Uint8Array(32)), []],
    ['a revoked token', TOKEN, ['02'.repeat(16)]],
  ])('delivers nothing under %s, and shows it to nobody', async (_, token, revoked) => {
    attach('bob', revoked);
    send('1', { recipients: [{ device: 'bob', token }] });
    await schedule.runUntil(schedule.now + 31_000);
    expect(payloads('bob')).toEqual([]);
    expect(statuses()).toEqual([ReceiptStatus.ACCEPTED, ReceiptStatus.UNDELIVERED]);
  });

  it('repeats what is not acknowledged, and has no more than the window on its way', async () => {
    attach('bob');
    for (const id of ['1', '2', '3']) send(id);
    expect(payloads('bob')).toEqual([1, 2]);
    await schedule.runUntil(schedule.now + 4_500);
    expect(payloads('bob')).toEqual([1, 2, 1, 2]);
    ack(deliveries('bob')[0]!.handle, Outcome.STORED);
    expect(payloads('bob')).toEqual([1, 2, 1, 2, 3]);
  });

  it('frees the window for what can be read later, and takes the answer when it comes', async () => {
    attach('bob');
    for (const id of ['1', '2', '3']) send(id);
    const { handle } = deliveries('bob')[0]!;
    ack(handle, Outcome.LATER);
    expect(payloads('bob')).toEqual([1, 2, 3]);
    ack(handle, Outcome.CANNOT);
    expect(statuses()).toEqual([ReceiptStatus.CANNOT]);
  });

  it('believes an acknowledgement from the device alone that the message went to', async () => {
    attach('bob');
    send('1');
    ack(deliveries('bob')[0]!.handle, Outcome.STORED, 'carol');
    expect(statuses()).toEqual([]);
  });

  it('gives a slot to the first commit, again to the same, and names it to the others', async () => {
    attach('bob');
    send('1', { slot: { slot: SLOT, commit: 'aa' } });
    send('2', { slot: { slot: SLOT, commit: 'bb' } });
    send('3', { slot: { slot: SLOT, commit: 'aa' } });
    expect(payloads('bob')).toEqual([1, 3]);
    expect(output.flatMap(([, frame]) => (frame.kind === 'receipt' ? [frame.commit] : []))).toEqual(['aa']);
    slots.wipe();
    ack(deliveries('bob')[0]!.handle, Outcome.STORED);
    send('4', { slot: { slot: SLOT, commit: 'bb' } });
    expect(payloads('bob')).toEqual([1, 3, 4]);
  });

  it('dies after a claim, if it is to, with nothing delivered', async () => {
    start({ diesAfterClaim: () => true });
    attach('alice');
    attach('bob');
    send('1', { slot: { slot: SLOT, commit: 'aa' } });
    await schedule.runUntil(schedule.now + 10_000);
    expect(payloads('bob')).toEqual([]);
    expect(statuses()).toEqual([ReceiptStatus.RELAY_LOST]);
    expect(slots.claim('03'.repeat(32), 'bb', schedule.now)).toBe('aa');
  });

  it('forgets everything in a crash, but for the deadlines that live state knows', async () => {
    attach('alice');
    send('1');
    await schedule.runUntil(schedule.now + 2_000);
    send('2');
    relay.crash();
    attach('bob');
    await schedule.runUntil(schedule.now + 40_000);
    expect(payloads('bob')).toEqual([]);
    expect(statuses()).toEqual([ReceiptStatus.ACCEPTED, ReceiptStatus.RELAY_LOST, ReceiptStatus.UNDELIVERED]);
    expect(relay.incarnation).toBe(2);
  });

  it('moves the receipts of a message that it still has, and takes a settled one as new', async () => {
    attach('bob');
    send('1');
    send('1');
    expect(statuses()).toEqual([ReceiptStatus.ACCEPTED]);
    ack(deliveries('bob')[0]!.handle, Outcome.STORED);
    send('1');
    expect(payloads('bob')).toEqual([1, 1]);
  });

  it('refuses for want of room', () => {
    start({ busy: () => true });
    attach('bob');
    send('1');
    expect(payloads('bob')).toEqual([]);
    expect(statuses()).toEqual([ReceiptStatus.REFUSED]);
  });
});
