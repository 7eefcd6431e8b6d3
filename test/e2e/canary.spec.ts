import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { openDatabase } from '@sotto/platform/database';
import { Outcome, ReceiptStatus } from '@sotto/protocol';
import { startTopology, type Topology } from '../harness/dist/index.js';
import { becomeContacts, Person, until } from './people.js';
import { placesInRest, placesOf } from './server-dump.js';
import { watchSends } from './sends.js';
import { itMainlyOn } from './topologies.js';
import { tokenFor, wireDevice } from './wire-client.js';

const STREAM_MS = 3_000;
const EVERY_MS = 50;
/** Of all that was sent: at the beginning, around the kill, at the end. */
const EXAMPLES = [0.1, 0.5, 1];
const NEEDLE_BYTES = 96;

async function hasRetryTimer(server: Topology): Promise<boolean> {
  const redis = new Redis(server.urlOf('redis'));
  const timers = await redis.zcard('relay:retry-timers');
  redis.disconnect();
  return timers > 0;
}

/** Messages at a steady pace; their ids. */
async function stream(from: Person, to: string, text: string): Promise<string[]> {
  const ids: string[] = [];
  for (const end = Date.now() + STREAM_MS; Date.now() < end; await sleep(EVERY_MS))
    ids.push(await from.sdk.send(to, `${text} ${ids.length}`));
  return ids;
}

describe.each([
  ['standalone', 'standalone'],
  ['services', 'relay'],
] as const)('after messages went through %s, of which %s was killed', (kind, victim) => {
  const plaintext = `canary-${randomBytes(12).toString('hex')}`;
  const delivered = randomBytes(96);
  const undelivered = randomBytes(96);
  let server: Topology;
  let people: Person[] = [];

  beforeAll(async () => {
    server = await startTopology(kind, { retryWindowSeconds: 3 });
    people = await Promise.all(['alice', 'bob', 'erin'].map((name) => Person.registers(server, name)));
  }, 180_000);

  afterAll(async () => {
    jest.restoreAllMocks();
    await Promise.all(people.map((person) => person.leaves()));
    await server?.stop();
  }, 30_000);

  it('nothing of them is left anywhere, neither while they wait nor afterwards', async () => {
    const [alice, bob, erin] = people as [Person, Person, Person];
    await becomeContacts(alice, bob);
    await becomeContacts(alice, erin);
    const sent = watchSends();
    const streams = [
      stream(alice, 'bob', plaintext),
      stream(bob, 'alice', plaintext),
      stream(alice, 'erin', plaintext),
      stream(erin, 'alice', plaintext),
    ];
    await sleep(STREAM_MS / 2);
    await server.kill(victim);
    await server.restart(victim);
    const ids = (await Promise.all(streams)).flat();
    const isDelivered = (id: string) => [alice, bob, erin].some((person) => person.statusesOf(id).includes('delivered'));
    await until('all arrive', () => ids.every(isDelivered), 60_000);
    await bob.leaves();
    await alice.sdk.send('bob', plaintext);
    const [carol, dave] = [await wireDevice(server, 'carol'), await wireDevice(server, 'dave')];
    const send = (payload: Uint8Array, device: Uint8Array, token: Uint8Array) =>
      carol.client.send({ case: 'send', value: { id: randomBytes(16), recipients: [{ device, token }], payload, ttl: 3 } });
    send(delivered, dave.session.device, tokenFor(dave));
    send(undelivered, randomBytes(16), randomBytes(32));
    await until('dave has it', () => dave.client.frames.some(({ kind: frame }) => frame.case === 'deliver'));
    for (const { kind: frame } of dave.client.frames) {
      if (frame.case === 'deliver') dave.client.send({ case: 'ack', value: { handle: frame.value.handle, outcome: Outcome.STORED } });
    }
    const told = (status: ReceiptStatus) =>
      carol.client.frames.some(({ kind: frame }) => frame.case === 'receipt' && frame.value.status === status);
    await until('carol has the receipt', () => told(ReceiptStatus.DELIVERED));
    // Held by the relay for more than a second: now a retry timer is written.
    await sleep(1_100);
    if (kind === 'services') await until('there is a retry timer', () => hasRetryTimer(server));
    const ciphertexts = EXAMPLES.map((part) => sent.at(Math.floor(part * (sent.length - 1)))!.payload.subarray(-NEEDLE_BYTES));
    const needles = [Buffer.from(plaintext), delivered, undelivered, ...ciphertexts];
    expect(await placesOf(server, needles)).toEqual([]);
    await until('carol is told', () => told(ReceiptStatus.UNDELIVERED));
    expect(await placesOf(server, needles)).toEqual([]);
    if (kind !== 'standalone') return;
    await server.kill('standalone', 'SIGTERM');
    expect(await placesInRest(server, needles)).toEqual([]);
  }, 90_000);

  itMainlyOn('standalone', kind)(
    'the same search finds what was planted, encoded, compressed or both',
    async () => {
      const planted = randomBytes(96);
      const written: Record<string, string | Buffer> = {
        raw: planted,
        hex: planted.toString('hex'),
        'in base64': `x${planted.toString('base64')}`,
        'in base64 of something longer': Buffer.concat([Buffer.from('ab'), planted]).toString('base64'),
        compressed: Buffer.concat([randomBytes(50), gzipSync(planted), randomBytes(50)]),
        'compressed as base64': Buffer.concat([randomBytes(50), deflateSync(planted.toString('base64')), randomBytes(50)]),
      };
      const files = Object.keys(written).map((how) => join(server.folder, `planted ${how}`));
      await Promise.all(Object.values(written).map((bytes, i) => writeFile(files[i]!, bytes)));
      expect((await placesOf(server, [planted])).sort()).toEqual(files.sort());
      await Promise.all(files.map((file) => rm(file)));
    },
    60_000,
  );

  itMainlyOn('services', kind)(
    'the same search finds what was planted in the database, as a dump shows it',
    async () => {
      const planted = randomBytes(96);
      const open = () =>
        kind === 'standalone'
          ? openDatabase({ kind: 'pglite', folder: join(server.folder, 'data') })
          : openDatabase({ kind: 'postgres', url: server.urlOf('postgres') });
      const values: Record<string, string | Buffer> = {
        'base64, compressed': gzipSync(planted.toString('base64')),
        'compressed, base64': gzipSync(planted).toString('base64'),
        'compressed, hex, compressed': deflateSync(brotliCompressSync(planted).toString('hex')),
        'in a long text that Postgres compresses': `${'a'.repeat(100_000)}${planted.toString('hex')}${'b'.repeat(100_000)}`,
      };
      const database = await open();
      for (const [how, value] of Object.entries(values)) {
        await database.client.$executeRawUnsafe(`CREATE TABLE "${how}" (bytes bytea, text text)`);
        const [bytes, text] = typeof value === 'string' ? [null, value] : [Uint8Array.from(value), null];
        await database.client.$executeRawUnsafe(`INSERT INTO "${how}" VALUES ($1, $2)`, bytes, text);
      }
      await database.close();
      const places = await (kind === 'standalone' ? placesInRest(server, [planted]) : placesOf(server, [planted]));
      const expected = Object.keys(values).map((how) => `postgres public."${how}"`);
      expect(places.filter((place) => place.startsWith('postgres')).sort()).toEqual(expected.sort());
    },
    90_000,
  );

  if (kind === 'services') {
    it('the same search finds what was planted in Redis', async () => {
      const planted = randomBytes(96);
      const redis = new Redis(server.urlOf('redis'));
      await redis.hset('planted hash', 'field', planted);
      await redis.rpush('planted list', gzipSync(planted));
      await redis.zadd('planted members', 1, `alice:${gzipSync(planted).toString('base64url')}:phone`);
      await redis.set(`planted key:${planted.toString('base64')}`, '1');
      redis.disconnect();
      const places = (await placesOf(server, [planted])).map((place) => place.replace(/key:.*/, 'key'));
      const expected = ['hash', 'key', 'list', 'members'].map((kind) => `redis planted ${kind}`);
      expect([...new Set(places)].sort()).toEqual(expected);
    }, 60_000);
  }
});
