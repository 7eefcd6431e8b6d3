import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '@sotto/protocol';
import { Connection } from './connection.js';
import { DoorWorld, type Visitor } from './door.contract.js';
import { TrustedProxies } from './trusted-proxies.js';

const SUBPROTOCOL = 'Sec-WebSocket-Protocol: sotto.v1';
const CHECKS_MS = 5_000;

let passed = 0;
let world: DoorWorld;

beforeEach(() => {
  passed = 0;
  const realNow = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => realNow() + passed);
});

afterEach(async () => {
  jest.restoreAllMocks();
  await world.close();
});

async function visitors(addresses: string[]): Promise<Visitor[]> {
  const all: Visitor[] = [];
  for (const address of addresses) all.push(await world.visit(address));
  return all;
}

const many = (count: number, addressOf: (i: number) => string) => visitors(Array.from({ length: count }, (_, i) => addressOf(i)));

describe('somebody who wants in', () => {
  it('gets the place of the oldest who was greeted and says nothing', async () => {
    world = await DoorWorld.open({ door: { handshakesAtOnce: 3 } });
    const silent = await many(3, (i) => `10.0.${i}.1`);
    expect(await (await world.visit('10.1.0.1')).closed).toMatchObject({ code: 1013, reason: 'the server is busy with handshakes' });
    passed = 3_000;
    expect((await world.visit('10.1.0.2')).isIn).toBe(true);
    expect(await silent[0]!.closed).toMatchObject({ code: 1013 });
    expect(silent.slice(1).every(({ isIn }) => isIn)).toBe(true);
    expect(world.table.handshakes.size).toBe(3);
  });

  it('gets it at once from a crowd of one block of addresses, which new ones again and again do not help', async () => {
    world = await DoorWorld.open({ door: { handshakesAtOnce: 30 } });
    const honest = await many(10, (i) => `10.0.${i}.1`);
    const crowd = await many(20, (i) => `2001:db8:0:${i}::1`);
    expect((await world.visit('10.1.0.1')).isIn).toBe(true);
    await crowd[0]!.closed;
    expect((await world.visit('2001:db8:0:ff::1')).isIn).toBe(true);
    await crowd[1]!.closed;
    expect(honest.every(({ isIn }) => isIn)).toBe(true);
  });

  it('gets a place of their own address when that has no more', async () => {
    world = await DoorWorld.open({ door: { anonymousPerAddress: 2 } });
    const [first, second] = await many(2, () => '10.0.0.1');
    expect(await (await world.visit('10.0.0.1')).closed).toMatchObject({ code: 1013 });
    passed = 3_000;
    expect((await world.visit('10.0.0.1')).isIn).toBe(true);
    await first!.closed;
    expect(second!.isIn).toBe(true);
  });

  it('gets a place of a full server from those who do not log in, and is told when all have', async () => {
    world = await DoorWorld.open({ maxConnections: 2 });
    const silent = await many(2, (i) => `10.0.${i}.1`);
    passed = 3_000;
    expect((await world.visit('10.1.0.1')).isIn).toBe(true);
    await silent[0]!.closed;
    world.admitAll();
    passed = 6_000;
    expect(await (await world.visit('10.1.0.2')).closed).toEqual({ code: 1013, reason: 'the server is full' });
    expect(silent[1]!.isIn).toBe(true);
  });
});

describe('who is refused or given up', () => {
  it.each([
    ['offers no subprotocol', []],
    ['comes too often', [SUBPROTOCOL, 'X-Forwarded-For: 10.0.0.1']],
  ])('is gone without a word of its own when it %s', async (_what, headers) => {
    world = await DoorWorld.open({ door: { handshakesPerAddress: 1 } });
    await world.visit('10.0.0.1');
    await once(await world.upgrade(...headers), 'end');
  });

  it(
    'is gone without a word of its own when it does not answer',
    async () => {
      world = await DoorWorld.open({ door: { handshakeMs: 200 } });
      const socket = await world.upgrade(SUBPROTOCOL);
      await once(socket, 'end');
      expect([world.table.size, world.table.handshakes.size]).toEqual([0, 0]);
    },
    // At the first look: at the next its place would have been held for twice as long.
    1.6 * CHECKS_MS,
  );

  it(
    'is gone when it sends its request letter by letter',
    async () => {
      world = await DoorWorld.open({ door: { handshakeMs: 200 } });
      const socket = await world.touch();
      socket.write('GET /');
      const letters = setInterval(() => socket.write('a'), 50);
      await once(socket, 'end');
      clearInterval(letters);
    },
    3 * CHECKS_MS,
  );

  it('is gone after any other request, however many it would make', async () => {
    world = await DoorWorld.open({});
    const socket = await world.touch();
    const requests = setInterval(() => socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), 50);
    await once(socket, 'close');
    clearInterval(requests);
  });

  it('is gone when it sends pings and reads no answer', async () => {
    world = await DoorWorld.open({});
    const socket = await world.upgrade(SUBPROTOCOL);
    socket.pause();
    // Masked with zeros (RFC 6455 § 5.3).
    const ping = Buffer.concat([Buffer.of(0x89, 0x80 | 125, 0, 0, 0, 0), Buffer.alloc(125)]);
    socket.write(Buffer.concat(Array.from({ length: 10_000 }, () => ping)));
    // Paused, it does not hear that it is over.
    for (let looks = 0; looks < 250 && world.table.size > 0; looks++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(world.table.size).toBe(0);
  });
});

/** The head of a frame (RFC 6455 § 5.2) of this length, masked with zeros. */
function frameHead(length: number, firstByte = 0x82): Buffer {
  const head = Buffer.from([firstByte, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(length, 6);
  return head;
}

describe('who is told to go', () => {
  it('has a moment to answer, and is gone', async () => {
    world = await DoorWorld.open({});
    const socket = await world.upgrade(SUBPROTOCOL);
    world.admitAll();
    const end = once(socket, 'end').then(() => 'gone');
    for (const connection of world.table.values()) connection.socket.close(4001, 'replaced');
    expect(await Promise.race([end, sleep(500, 'may answer')])).toBe('may answer');
    await end;
    await sleep(50);
    expect(world.table.size).toBe(0);
  });
});

describe('a clock that is set', () => {
  const HOUR_MS = 3_600_000;

  it.each([
    ['forward', HOUR_MS],
    ['back', -HOUR_MS],
  ])(
    '%s makes nobody seem silent, or too loud',
    async (_where, by) => {
      world = await DoorWorld.open({});
      const { socket, isIn } = await world.visit('10.0.0.1');
      world.admitAll();
      const isHeard = () => Promise.race([once(socket, 'pong').then(() => 'heard'), once(socket, 'close').then(() => 'gone')]);
      for (let i = 0; i < 2; i++) {
        socket.ping();
        expect(await isHeard()).toBe('heard');
        const now = Date.now.bind(Date);
        jest.spyOn(Date, 'now').mockImplementation(() => now() + by);
        await sleep(1.2 * CHECKS_MS);
      }
      socket.ping();
      expect([isIn, await isHeard()]).toEqual([true, 'heard']);
    },
    20_000,
  );
});

describe("WebSocket's own pings and pongs", () => {
  /** Few enough at a time that none are too many unread. */
  const AT_ONCE = 40;

  it.each([
    ['pings', 0x89],
    ['pongs', 0x8a],
  ])('are no more welcome than other frames that cost nothing: of %s a stranger has some dozens', async (_what, firstByte) => {
    world = await DoorWorld.open({ door: { handshakeMs: 60_000 } });
    const socket = await world.upgrade(SUBPROTOCOL);
    const end = once(socket, 'end');
    const some = Buffer.concat(Array.from({ length: AT_ONCE }, () => Buffer.from([firstByte, 0x80, 0, 0, 0, 0])));
    for (let i = 0; i < 5; i++) {
      socket.write(some);
      await sleep(20);
    }
    await end;
    await sleep(50);
    expect(world.table.size).toBe(0);
  });

  it('cost nothing once there were too many, however many more the same read holds', async () => {
    world = await DoorWorld.open({ door: { handshakeMs: 60_000 } });
    const count = jest.spyOn(Connection.prototype, 'countFree');
    const socket = await world.upgrade(SUBPROTOCOL);
    const end = once(socket, 'close');
    socket.write(Buffer.concat(Array.from({ length: 10_000 }, () => Buffer.from([0x8a, 0x80, 0, 0, 0, 0]))));
    await end;
    await sleep(50);
    expect(count.mock.calls.length).toBeLessThan(500);
  });
});

describe('a message', () => {
  const LIMIT = LIMITS.strangerMessageBytes;

  it('that is not finished may be as long as a log-in, and longer only of who has logged in', async () => {
    world = await DoorWorld.open({ door: { handshakeMs: 60_000 } });
    const device = await world.upgrade(SUBPROTOCOL);
    world.admitAll();
    const stranger = await world.upgrade(SUBPROTOCOL);
    for (const socket of [device, stranger]) socket.write(Buffer.concat([frameHead(LIMITS.boxBytes), Buffer.alloc(LIMIT + 1)]));
    await once(stranger, 'close');
    device.write(Buffer.alloc(LIMITS.boxBytes - LIMIT - 2));
    await world.visit('10.0.0.1');
    expect(device.readyState).toBe('open');
  });

  it.each([
    [LIMIT, 'is heard, and so is the next'],
    [LIMIT + 1, 'is too long'],
  ])('of %i bytes of a stranger %s', async (length) => {
    world = await DoorWorld.open({});
    const { socket, closed } = await world.visit('10.0.0.1');
    world.greetAll();
    for (let i = 0; i < 5; i++) socket.send(new Uint8Array(length));
    const heard = once(socket, 'pong').then(() => 'heard');
    socket.ping();
    expect(await Promise.race([heard, closed])).toEqual(length <= LIMIT ? 'heard' : expect.objectContaining({ code: 1009 }));
  });

  it('in thousands of fragments is none', async () => {
    world = await DoorWorld.open({});
    const socket = await world.upgrade(SUBPROTOCOL);
    world.admitAll();
    const fragment = Buffer.concat([frameHead(1, 0x00), Buffer.alloc(1)]);
    socket.write(Buffer.concat([frameHead(1, 0x02), Buffer.alloc(1), ...Array.from({ length: 2_000 }, () => fragment)]));
    await once(socket, 'end');
  });
});

describe('TCP connections that say nothing', () => {
  it('give their places to others, the oldest first', async () => {
    world = await DoorWorld.open({ trustedProxies: new TrustedProxies(), door: { anonymousPerAddress: 3 } });
    const silent = [await world.touch(), await world.touch(), await world.touch()];
    await once(await world.touch(), 'close');
    passed = 3_000;
    const ended = once(silent[0]!, 'close');
    const late = await world.touch();
    await ended;
    expect([...silent.slice(1), late].every(({ readyState }) => readyState === 'open')).toBe(true);
  });
});
