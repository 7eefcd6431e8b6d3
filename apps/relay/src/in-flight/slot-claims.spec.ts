import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ErrorCode, ReceiptStatus } from '@sotto/protocol';
import sodium from 'libsodium-wrappers';
import { DEFAULT_RELAY_CONFIG } from '../relay.config.js';
import { BOB, freshId, RelayWorld, token } from './relay-world.harness.js';

const SLOT = new Uint8Array(32).fill(5);
const MINE = new Uint8Array(16).fill(1);
const OTHERS = new Uint8Array(16).fill(2);

let world: RelayWorld;

beforeAll(() => sodium.ready);
beforeEach(() => {
  world = new RelayWorld();
  world.connect(BOB, 2);
});

describe('a Send with a commit slot', () => {
  it('goes out once its slot is won, and its sender is told at once', async () => {
    await world.send({ slot: SLOT, commitId: MINE });
    expect(world.sent).toEqual([]);
    expect(world.claims).toMatchObject([{ account: Buffer.alloc(16, 0xa1).toString('hex'), slot: SLOT, commitId: MINE }]);
    await world.claims[0]!.answer({ holder: MINE });
    expect(world.statuses).toEqual([ReceiptStatus.ACCEPTED]);
    expect(world.deliveries).toHaveLength(1);
    world.ack(world.deliveries[0]!);
    await world.pass(500);
    expect(world.statuses).toEqual([ReceiptStatus.ACCEPTED, ReceiptStatus.DELIVERED]);
  });

  it('is not delivered when another commit has the slot, whose id its sender gets', async () => {
    const id = await world.send({ slot: SLOT, commitId: MINE });
    await world.claims[0]!.answer({ holder: OTHERS });
    await world.pass(40_000);
    expect(world.receipts).toMatchObject([
      { id, status: ReceiptStatus.SLOT_TAKEN, commitId: OTHERS, error: { code: ErrorCode.SLOT_TAKEN } },
    ]);
    expect([world.deliveries.length, world.engine.inFlight, world.timers.size]).toEqual([0, 0, 0]);
  });

  it('is refused with nothing delivered or held while live state is away, and can be sent again', async () => {
    const id = await world.send({ slot: SLOT, commitId: MINE });
    await world.claims[0]!.fail();
    expect(world.receipts).toMatchObject([
      { id, status: ReceiptStatus.REFUSED, error: { code: ErrorCode.UNAVAILABLE, retryAfterMs: 1_000 } },
    ]);
    expect([world.deliveries.length, world.engine.inFlight]).toEqual([0, 0]);
    await world.send({ id, slot: SLOT, commitId: MINE });
    await world.claims[1]!.answer({ holder: MINE });
    expect(world.deliveries).toHaveLength(1);
  });

  it('is refused when its account claims too often, with the time to wait', async () => {
    await world.send({ slot: SLOT, commitId: MINE });
    await world.claims[0]!.answer({ waitMs: 90_000 });
    expect(world.receipts).toMatchObject([
      { status: ReceiptStatus.REFUSED, error: { code: ErrorCode.RATE_LIMITED, retryAfterMs: 90_000 } },
    ]);
    expect([world.deliveries.length, world.engine.inFlight]).toEqual([0, 0]);
  });

  it('is overtaken by what is sent after it, and holds up nothing', async () => {
    await world.send({ slot: SLOT, commitId: MINE, size: 1 });
    await world.send({ size: 2 });
    expect(world.deliveries.map(({ payload }) => payload.length)).toEqual([2]);
    await world.claims[0]!.answer({ holder: MINE });
    expect(world.deliveries.map(({ payload }) => payload.length)).toEqual([2, 1]);
  });

  it('claims once when it is repeated meanwhile, and answers where the sender is now', async () => {
    const id = await world.send({ slot: SLOT, commitId: MINE });
    await world.send({ id, slot: SLOT, commitId: MINE, connection: 9 });
    expect(world.claims).toHaveLength(1);
    expect(world.sent).toEqual([]);
    await world.claims[0]!.answer({ holder: MINE });
    expect(world.deliveries).toHaveLength(1);
    expect(world.sent.filter(({ receipt }) => receipt !== undefined)).toMatchObject([{ connection: 9 }]);
  });

  it('goes out again after it was settled, to whom it is owed, since the slot is still its own', async () => {
    const carol = new Uint8Array(16).fill(0xc0);
    const id = await world.send({ slot: SLOT, commitId: MINE });
    await world.claims[0]!.answer({ holder: MINE });
    world.ack(world.deliveries[0]!);
    world.connect(carol, 3);
    await world.send({ id, slot: SLOT, commitId: MINE, to: [carol] });
    await world.claims[1]!.answer({ holder: MINE });
    expect(world.sent.filter(({ deliver }) => deliver !== undefined).map(({ connection }) => connection)).toEqual([2, 3]);
  });

  it('has its whole time from when the slot is won, also with ttl 0 and a slow answer', async () => {
    world.leave(BOB);
    await world.send({ slot: SLOT, commitId: MINE, ttl: 0 });
    await world.pass(3_000);
    await world.claims[0]!.answer({ holder: MINE });
    expect(world.statuses).toEqual([ReceiptStatus.ACCEPTED]);
    await world.pass(2_000);
    expect(world.statuses).toEqual([ReceiptStatus.ACCEPTED, ReceiptStatus.UNDELIVERED]);
    expect(world.engine.inFlight).toBe(0);
  });

  it("counts against its account's budget while it waits, and no longer when it lost", async () => {
    world = new RelayWorld({ moving: { ...DEFAULT_RELAY_CONFIG.moving, messages: 1 } });
    await world.send({ slot: SLOT, commitId: MINE });
    await world.send({ slot: SLOT, commitId: MINE });
    expect(world.receipts).toMatchObject([{ status: ReceiptStatus.REFUSED, error: { code: ErrorCode.BUSY } }]);
    expect(world.claims).toHaveLength(1);
    await world.claims[0]!.answer({ holder: OTHERS });
    await world.send();
    expect(world.receipts.map(({ error }) => error?.code)).toEqual([ErrorCode.BUSY, ErrorCode.SLOT_TAKEN]);
  });

  it('keeps bytes of its own while it waits, not the whole batch that it came in', async () => {
    const id = freshId();
    const batch = world.batch({ id, slot: SLOT, commitId: MINE, token: token() });
    world.engine.onBatch(batch);
    batch.fill(0);
    await world.claims[0]!.answer({ holder: MINE });
    expect(world.receipts).toMatchObject([{ id, status: ReceiptStatus.ACCEPTED }]);
    await world.settled();
    expect(world.deliveries[0]!.payload).toEqual(new Uint8Array(10).fill(1));
  });
});
