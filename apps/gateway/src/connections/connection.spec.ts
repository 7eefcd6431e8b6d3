import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ready, SealedChannel } from '@sotto/channel';
import { LIMITS } from '@sotto/protocol';
import { encodeDeliverStart, FrameKind, wrapFrame } from '@sotto/protocol/frames';
import { steadyNow } from '@sotto/platform/clock';
import { WebSocket, WebSocketServer } from 'ws';
import { Connection } from './connection.js';

const KEYS = { clientToServer: new Uint8Array(32).fill(1), serverToClient: new Uint8Array(32).fill(2) };
const BINDING = new Uint8Array(32);

/** A connection as the door makes it, and alice's end of its WebSocket. */
async function connected(): Promise<{ connection: Connection; stream: Duplex; alice: WebSocket; close(): Promise<void> }> {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const server = new Promise<{ connection: Connection; stream: Duplex }>((resolve) => {
    http.once('upgrade', (request, stream, head) =>
      sockets.handleUpgrade(request, stream, head, (socket) =>
        resolve({ connection: new Connection(1, socket, stream, '127.0.0.1', steadyNow()), stream }),
      ),
    );
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const alice = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`, { perMessageDeflate: false });
  await once(alice, 'open');
  const close = async () => {
    alice.terminate();
    http.close();
    await once(http, 'close');
  };
  return { ...(await server), alice, close };
}

function frameOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 251);
}

beforeAll(ready);

describe('a connection', () => {
  let party: Awaited<ReturnType<typeof connected>>;
  let opened: Uint8Array[];

  beforeAll(async () => {
    party = await connected();
    party.connection.channel = new SealedChannel(BINDING, KEYS, 'server');
    const channel = new SealedChannel(BINDING, KEYS, 'client');
    party.alice.on('message', (box: Buffer, isBinary) => opened.push(isBinary ? channel.open(box) : new Uint8Array(0)));
  });

  afterAll(() => party.close());

  async function sent(frames: Uint8Array[], boxes: number): Promise<Buffer> {
    opened = [];
    for (const frame of frames) party.connection.queue(frame);
    expect(party.connection.flush()).toBe(true);
    while (opened.length < boxes) await once(party.alice, 'message');
    return Buffer.concat(opened);
  }

  it.each([[0], [1], [4_000], [61_436], [61_437], [70_000], [255_000]])(
    'sends frames of %i bytes as one message that ws takes',
    async (length) => {
      expect((await sent([frameOf(length)], 1)).equals(frameOf(length))).toBe(true);
    },
  );

  it('sends what gathered in one box, in order', async () => {
    expect(await sent([frameOf(3), frameOf(300), frameOf(2)], 1)).toEqual(Buffer.concat([frameOf(3), frameOf(300), frameOf(2)]));
  });

  it('cuts much into boxes within the limit, between frames', async () => {
    const [first, second, third] = [200_000, 200_000, 10].map((length) => wrapFrame(FrameKind.EVENT, frameOf(length)));
    // The second comes in two parts.
    const parts = [first!, second!.subarray(0, 20), second!.subarray(20), third!];
    expect((await sent(parts, 2)).equals(Buffer.concat(parts))).toBe(true);
    expect(opened.map(({ length }) => length)).toEqual([first!.length, second!.length + third!.length]);
  });

  it('mixes with what ws itself sends', async () => {
    const pong = once(party.alice, 'pong');
    party.alice.ping();
    const whole = await sent([frameOf(5)], 1);
    await pong;
    expect(whole).toHaveLength(5);
  });
});

describe('a connection whose client reads slowly', () => {
  const PAYLOAD = frameOf(200_000);
  const STEP_MS = 15_000;
  let passed: number;
  let party: Awaited<ReturnType<typeof connected>>;
  let last: number;

  beforeEach(async () => {
    [passed, last] = [0, 0];
    const realNow = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => realNow() + passed);
    party = await connected();
    party.connection.channel = new SealedChannel(BINDING, KEYS, 'server');
    party.alice.pause();
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await party.close();
  });

  const startOf = (delivery: number) => encodeDeliverStart(1, delivery, PAYLOAD.length);
  const held = (deliveries: number[]) => deliveries.filter((delivery) => party.connection.holds(startOf(delivery)));

  function deliver(): boolean {
    party.connection.queue(startOf(++last));
    party.connection.queue(PAYLOAD);
    return party.connection.flush();
  }

  /** Until the system takes no more, and more than so much waits besides. */
  async function deliverUntilUnsent(bytes: number): Promise<void> {
    for (let before = -1; party.stream.writableLength !== before; await sleep(20)) {
      while (party.stream.writableLength <= bytes) expect(deliver()).toBe(true);
      before = party.stream.writableLength;
    }
  }

  async function readUntil(check: () => boolean): Promise<void> {
    party.alice.resume();
    while (!check()) await sleep(1);
    party.alice.pause();
  }

  it('holds however long it takes, as long as some of what waits is taken', async () => {
    for (let step = 0; step < 3; step++) {
      await deliverUntilUnsent(LIMITS.unsentBytes);
      const before = party.stream.writableLength;
      await readUntil(() => party.stream.writableLength < before);
      passed += STEP_MS;
    }
    expect(deliver()).toBe(true);
  });

  it('is given up when 1 MiB waits and none of it is taken for 20 s', async () => {
    await deliverUntilUnsent(LIMITS.unsentBytes);
    passed += STEP_MS;
    expect(deliver()).toBe(true);
    passed += STEP_MS;
    expect(deliver()).toBe(false);
  });

  it('stays, though nothing is taken, while less than that waits', async () => {
    await deliverUntilUnsent(LIMITS.unsentBytes / 4);
    passed += 10 * STEP_MS;
    expect(deliver()).toBe(true);
  });

  it('is given up at once when 8 MiB wait', async () => {
    await deliverUntilUnsent(LIMITS.mostUnsentBytes - PAYLOAD.length);
    while (party.stream.writableLength <= LIMITS.mostUnsentBytes - 2 * PAYLOAD.length) deliver();
    expect([deliver(), deliver()].at(-1)).toBe(false);
  });

  it('knows what it is still sending until that has left', async () => {
    await deliverUntilUnsent(LIMITS.unsentBytes / 2);
    expect(held([last - 1, last, last + 1])).toEqual([last - 1, last]);
    await readUntil(() => party.stream.writableLength === 0);
    expect(held([last - 1, last])).toEqual([]);
  });
});

describe('the allowance of messages', () => {
  const RATE = 10;
  const BURST = 20;
  const start = 1_700_000_000_000;

  function taken(connection: Connection, now: number, tries: number): number {
    return Array.from({ length: tries }, () => connection.takeSend(now, RATE, BURST)).filter(Boolean).length;
  }

  it('is a burst at once, then the rate, and never more than a burst after a pause', () => {
    const connection = new Connection(1, undefined as never, undefined as never, '', start);
    expect(taken(connection, start, 100)).toBe(BURST);
    expect(taken(connection, start + 50, 100)).toBe(0);
    expect(taken(connection, start + 1_000, 100)).toBe(RATE);
    expect(taken(connection, start + 3_600_000, 100)).toBe(BURST);
  });
});
