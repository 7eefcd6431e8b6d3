import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Outcome, ReceiptStatus, TOKEN_BYTES, toHex } from '@sotto/protocol';
import sodium from 'libsodium-wrappers';
import { BOB, CAPABILITY, RelayWorld } from './relay-world.harness.js';

const MINUTE = 60_000;
const WRONG = new Uint8Array(TOKEN_BYTES);

let world: RelayWorld;

beforeAll(() => sodium.ready);

/** bob is connected, and the relay knows where. */
beforeEach(async () => {
  world = new RelayWorld();
  world.connect(BOB, 2);
  await sendAndAcknowledge();
});

async function sendAndAcknowledge(): Promise<void> {
  const before = world.deliveries.length;
  await world.send();
  for (const delivery of world.deliveries.slice(before)) world.ack(delivery);
}

/** Live state knows of it, and what tells the relay is lost. */
function revokeUnheard(): void {
  world.routes.get(toHex(BOB))!.revokedCapabilities = CAPABILITY;
}

describe('a relay that knows where a device is', () => {
  it('goes on delivering there while live state is away, whatever a stranger without a token sends', async () => {
    world.liveStateAway = true;
    await world.send({ token: WRONG, ttl: 0 });
    await world.send({ token: WRONG, ttl: 30 });
    for (const wait of [3_000, 10_000, 20_000]) {
      await world.pass(wait);
      await sendAndAcknowledge();
    }
    expect(world.deliveries).toHaveLength(4);
    expect(world.loads).toBe(1);
  });

  it('goes on delivering there while live state is away and what bob kept for later goes out again', async () => {
    world.liveStateAway = true;
    await world.send();
    world.ack(world.deliveries[1]!, Outcome.LATER);
    await world.pass(5_000);
    expect(world.deliveries).toHaveLength(3);
    await sendAndAcknowledge();
    expect(world.deliveries).toHaveLength(4);
  });

  it('honours a revoked token for a minute at most when nothing told of it, and the message with which it looks again', async () => {
    revokeUnheard();
    await world.pass(MINUTE - 1_000);
    await sendAndAcknowledge();
    expect([world.deliveries.length, world.loads]).toEqual([2, 1]);
    await world.pass(1_000);
    await sendAndAcknowledge();
    expect([world.deliveries.length, world.loads]).toEqual([3, 2]);
    await world.send({ ttl: 3 });
    await world.pass(5_000);
    expect(world.deliveries).toHaveLength(3);
    expect(world.statuses.at(-1)).toBe(ReceiptStatus.UNDELIVERED);
  });

  it('sends nothing again by a token of which it hears then that it is revoked', async () => {
    await world.pass(MINUTE);
    revokeUnheard();
    await world.send({ ttl: 20 });
    expect(world.deliveries).toHaveLength(2);
    await world.pass(25_000);
    expect(world.deliveries).toHaveLength(2);
  });

  it('looks once for many messages, and not at all for a device to which nothing goes', async () => {
    await world.pass(10 * MINUTE);
    expect(world.loads).toBe(1);
    for (let i = 0; i < 10; i++) world.engine.onBatch(world.batch({ id: new Uint8Array(16).fill(i + 1) }));
    expect(world.deliveries).toHaveLength(11);
    await world.settled();
    expect([world.deliveries.length, world.loads]).toEqual([11, 2]);
  });

  it('goes by what it knows while live state is away, however old that is, and asks for it every few seconds, not for each message', async () => {
    world.liveStateAway = true;
    await world.pass(10 * MINUTE);
    for (let i = 0; i < 40; i++) {
      await sendAndAcknowledge();
      await world.pass(200);
    }
    expect(world.deliveries).toHaveLength(41);
    expect(world.loads).toBeLessThanOrEqual(1 + 3);
    world.liveStateAway = false;
    revokeUnheard();
    await world.pass(4_000);
    await sendAndAcknowledge();
    await sendAndAcknowledge();
    expect(world.deliveries).toHaveLength(42);
  });

  it('sends what went to where bob was to where he is, when it finds that he has moved', async () => {
    await world.pass(MINUTE);
    world.route(BOB, 9);
    await world.send();
    expect(world.sent.filter(({ deliver }) => deliver).map(({ connection }) => connection)).toEqual([2, 2, 9]);
    expect(world.deliveries[2]!.handle).toBe(world.deliveries[1]!.handle);
  });
});
