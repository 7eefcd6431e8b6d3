import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Outcome, ReceiptStatus } from '@sotto/protocol';
import { startTopology, type Topology } from '../harness/dist/index.js';
import { becomeContacts, Person, until } from './people.js';
import { tokenFor, wireDevice } from './wire-client.js';

/** A needle in every form in which software writes bytes down. */
function formsOf(needle: Uint8Array): Buffer[] {
  const raw = Buffer.from(needle);
  // Base64 of the same bytes differs by where they stand in a group of three: all three ways, without their edges.
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), raw])
      .toString('base64')
      .slice(4, -4),
  );
  return [raw, ...[raw.toString('hex'), raw.toString('hex').toUpperCase(), ...base64].map((text) => Buffer.from(text))];
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Where in all that the server keeps the needle stands: data folders (that of Postgres too) and logs of all processes, and Redis. */
async function placesOf(server: Topology, needle: Uint8Array): Promise<string[]> {
  const forms = formsOf(needle);
  const places: string[] = [];
  const look = (where: string, bytes: Buffer) => {
    if (forms.some((form) => bytes.includes(form))) places.push(where);
  };
  const folders = [server.folder, ...server.pids().map(({ name }) => server.folderOf(name))];
  for (const folder of folders) {
    for (const file of await filesBelow(folder)) look(file, await readFile(file).catch(() => Buffer.alloc(0)));
  }
  if (server.kind === 'services') look('redis', await redisDump(await redisPort(server)));
  return places;
}

async function redisPort(server: Topology): Promise<number> {
  const config = await readFile(join(server.folderOf('redis'), 'redis.conf'), 'utf8');
  return Number(/^port (\d+)$/m.exec(config)![1]);
}

/** All keys and values. */
async function redisDump(port: number): Promise<Buffer> {
  const script =
    "local all = {} for _, key in ipairs(redis.call('KEYS', '*')) do all[#all+1] = key local kind = redis.call('TYPE', key).ok " +
    "if kind == 'string' then all[#all+1] = redis.call('GET', key) elseif kind == 'hash' then for _, v in ipairs(redis.call('HGETALL', key)) do all[#all+1] = v end " +
    "elseif kind == 'set' then for _, v in ipairs(redis.call('SMEMBERS', key)) do all[#all+1] = v end elseif kind == 'list' then for _, v in ipairs(redis.call('LRANGE', key, 0, -1)) do all[#all+1] = v end " +
    "elseif kind == 'zset' then for _, v in ipairs(redis.call('ZRANGE', key, 0, -1)) do all[#all+1] = v end end end return table.concat(all, '\\n')";
  return redisCall(port, ['EVAL', script, '0']);
}

function redisCall(port: number, words: (string | Uint8Array)[]): Promise<Buffer> {
  const parts = words.map((word) => Buffer.from(word));
  const request = Buffer.concat([
    Buffer.from(`*${parts.length}\r\n`),
    ...parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')]),
  ]);
  const socket = connect(port, '127.0.0.1', () => socket.write(request));
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      answer = Buffer.concat([answer, bytes]);
      const length = /^\$(\d+)\r\n/.exec(answer.subarray(0, 32).toString('latin1'));
      if (length !== null && answer.length < Number(length[1]) + length[0].length + 2) return;
      socket.destroy();
      if (answer[0] === 0x2d) reject(new Error(answer.toString()));
      else resolve(answer);
    });
    socket.on('error', reject);
  });
}

describe.each(['standalone', 'services'] as const)('after messages went through %s', (kind) => {
  const plaintext = `canary-${randomBytes(12).toString('hex')}`;
  const delivered = randomBytes(96);
  const undelivered = randomBytes(96);
  let server: Topology;
  let people: Person[] = [];

  beforeAll(async () => {
    server = await startTopology(kind, { retryWindowSeconds: 3 });
    people = await Promise.all([Person.registers(server, 'alice'), Person.registers(server, 'bob')]);
  }, 180_000);

  afterAll(async () => {
    await Promise.all(people.map((person) => person.leaves()));
    await server?.stop();
  }, 30_000);

  it('nothing of them is left anywhere, neither while they wait nor afterwards', async () => {
    const [alice, bob] = people as [Person, Person];
    await becomeContacts(alice, bob);
    const id = await alice.sdk.send('bob', plaintext);
    await until('it arrives', () => alice.statusesOf(id).includes('delivered'));
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
    await new Promise((done) => setTimeout(done, 1_300));
    const needles = [Buffer.from(plaintext), delivered, undelivered];
    for (const needle of needles) expect(await placesOf(server, needle)).toEqual([]);
    await until('carol is told', () => told(ReceiptStatus.UNDELIVERED));
    for (const needle of needles) expect(await placesOf(server, needle)).toEqual([]);
  }, 60_000);

  it('the same search finds what was planted', async () => {
    const planted = randomBytes(96);
    const file = join(server.folder, 'planted');
    for (const form of [
      planted,
      planted.toString('hex'),
      `x${planted.toString('base64')}`,
      Buffer.concat([Buffer.from('ab'), planted]).toString('base64'),
    ]) {
      await writeFile(file, form);
      expect(await placesOf(server, planted)).toEqual([file]);
    }
    await rm(file);
    if (kind !== 'services') return;
    const port = await redisPort(server);
    await redisCall(port, ['HSET', 'planted', 'field', planted]);
    expect(await placesOf(server, planted)).toEqual(['redis']);
  });
});
