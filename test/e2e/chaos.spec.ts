import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeThoroughly, itThoroughly } from '@sotto/testing/thoroughly';
import { startTopology, type Topology } from '../harness/dist/index.js';
import { becomeContacts, contactOf, Person, until } from './people.js';

const EVERY_MS = 50;
const STREAM_MS = 4_000;

const VICTIMS = { standalone: ['standalone'], services: ['relay', 'gateway', 'redis', 'nats', 'postgres'] } as const;
/** Those that leave in an order of their own. */
const LEAVERS = { standalone: ['standalone'], services: ['relay', 'gateway'] } as const;

/** Numbered messages at a steady pace until told to stop; all that were taken into the outbox. */
async function stream(from: Person, to: string, about: string, until: number): Promise<string[]> {
  const sent: string[] = [];
  for (let number = 0; Date.now() < until; number++) {
    const text = `${about} ${number}`;
    await from.sdk.send(to, text);
    sent.push(text);
    await sleep(EVERY_MS);
  }
  return sent;
}

describe.each(['standalone', 'services'] as const)('under a steady stream of messages both ways, %s', (kind) => {
  let server: Topology;
  let alice: Person;
  let bob: Person;

  beforeAll(async () => {
    server = await startTopology(kind, { retryWindowSeconds: 5 });
    [alice, bob] = await Promise.all([Person.registers(server, 'alice'), Person.registers(server, 'bob')]);
    await becomeContacts(alice, bob);
    await alice.sdk.send('bob', 'first');
    await until('the first message arrives', () => bob.textsFrom('alice').includes('first'));
  }, 180_000);

  afterAll(async () => {
    await Promise.all([alice?.leaves(), bob?.leaves()]);
    await server?.stop();
  }, 30_000);

  async function survives(victim: string, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const end = Date.now() + STREAM_MS;
    const about = `${victim} ${signal}`;
    const streams = Promise.all([stream(alice, 'bob', about, end), stream(bob, 'alice', about, end)]);
    await sleep(STREAM_MS / 4);
    await server.kill(victim, signal);
    await server.restart(victim);
    const [toBob, toAlice] = await streams;
    const arrived = () => ({
      bob: bob.textsFrom('alice').filter((text) => text.startsWith(about)),
      alice: alice.textsFrom('bob').filter((text) => text.startsWith(about)),
    });
    const missing = () => [...missingOf(toBob, arrived().bob), ...missingOf(toAlice, arrived().alice)];
    const detail = () => JSON.stringify({ missing: missing().length, states: alice.states.slice(-3), problems: alice.problems.slice(-3) });
    await until('all messages have arrived', () => missing().length === 0, 60_000, detail);
    await until('all receipts have arrived', () => alice.sdk.queue().length + bob.sdk.queue().length === 0, 60_000);
    expect([...arrived().bob].sort()).toEqual([...toBob].sort());
    expect([...arrived().alice].sort()).toEqual([...toAlice].sort());
  }

  it.each(VICTIMS[kind])(
    'loses nothing and shows nothing twice when the process of %s is killed and starts again',
    (victim) => survives(victim, 'SIGKILL'),
    120_000,
  );

  itThoroughly.each(LEAVERS[kind])(
    'loses nothing and shows nothing twice when the process of %s is told to end and starts again',
    (victim) => survives(victim, 'SIGTERM'),
    120_000,
  );
});

describeThoroughly('who comes and goes while events are lost, services', () => {
  let server: Topology;
  let alice: Person;
  let bob: Person;
  const isThere = () => contactOf(alice, 'bob')?.online;

  beforeAll(async () => {
    server = await startTopology('services', { retryWindowSeconds: 5 });
    [alice, bob] = await Promise.all([Person.registers(server, 'alice'), Person.registers(server, 'bob')]);
    await becomeContacts(alice, bob);
    await until('alice sees bob', () => isThere() === true);
  }, 180_000);

  afterAll(async () => {
    await Promise.all([alice?.leaves(), bob?.leaves()]);
    await server?.stop();
  }, 30_000);

  it('is shown to those who stayed once contacts is back', async () => {
    await server.kill('contacts');
    await bob.leaves();
    await server.restart('contacts');
    await until('alice sees that bob is gone', () => isThere() === false, 60_000);
    await bob.returns();
    await until('alice sees bob again', () => isThere() === true, 60_000);
  }, 150_000);

  it.each([
    ['live state', 'redis'],
    ['the database', 'postgres'],
  ])(
    'is shown to those who stayed once %s is back, without which nobody could be told',
    async (_name, part) => {
      const untold = async () => (await server.logs('contacts')).split('presence not told').length;
      const before = await untold();
      await server.kill(part);
      await bob.leaves();
      await until('contacts finds that it cannot tell of it', async () => (await untold()) > before, 30_000);
      await server.restart(part);
      await until('alice sees that bob is gone', () => isThere() === false, 60_000);
      await bob.returns();
      await until('alice sees bob again', () => isThere() === true, 60_000);
    },
    150_000,
  );

  it('is shown to those who stayed though live state was wiped before it could be told', async () => {
    await server.kill('redis');
    await bob.leaves();
    await server.restart('redis');
    await until('alice sees that bob is gone', () => isThere() === false, 60_000);
    await bob.returns();
    await until('alice sees bob again', () => isThere() === true, 60_000);
  }, 150_000);

  it('is a contact to both ends once live state is back that was away when it was accepted', async () => {
    const carol = await Person.registers(server, 'carol');
    await carol.sdk.requestContact('alice');
    await until('alice sees the request', () => contactOf(alice, 'carol')?.status === 'requested');
    await server.kill('redis');
    await alice.sdk.accept('carol').catch(() => undefined);
    await server.restart('redis');
    await until('carol sees the acceptance', () => contactOf(carol, 'alice')?.status === 'accepted', 60_000);
    await carol.leaves();
  }, 150_000);

  it('is shown to those who stayed once the broker is back', async () => {
    const contacts = server.pids().find(({ name }) => name === 'contacts')!.pid;
    process.kill(contacts, 'SIGSTOP');
    await bob.leaves();
    await server.kill('nats');
    await server.restart('nats');
    process.kill(contacts, 'SIGCONT');
    await until('alice sees that bob is gone', () => isThere() === false, 60_000);
  }, 150_000);
});

function missingOf(sent: string[], arrived: string[]): string[] {
  const there = new Set(arrived);
  return sent.filter((text) => !there.has(text));
}
