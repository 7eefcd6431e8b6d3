import { beforeEach, describe, expect, it } from '@jest/globals';
import { Counters } from '../counters.js';
import { Random } from '../random.js';
import { Schedule } from '../schedule.js';
import { deliveryToken } from './delivery-token.js';
import type { ClaimedBytes } from './directory.js';
import type { FrameToDevice } from './frames.js';
import { CALM_SERVER, type Connection, Server } from './server.js';

const KEY = new Uint8Array(32).fill(1);
const TOKEN = deliveryToken(new Uint8Array(16), KEY);

describe('the server of the simulation', () => {
  let schedule: Schedule;
  let counters: Counters;
  let server: Server;
  let frames: Map<string, FrameToDevice[]>;

  beforeEach(() => {
    schedule = new Schedule(1_000_000);
    counters = new Counters();
    frames = new Map();
    const contacts = new Map([
      ['alice', new Set(['bob'])],
      ['bob', new Set(['alice', 'dave'])],
      ['dave', new Set(['bob'])],
    ]);
    const settings = { retryWindowMs: 30_000, deliveryWindow: 100, invisible: new Set(['dave']) };
    server = new Server(schedule, new Random(1), counters, settings, (account) => contacts.get(account) ?? new Set());
  });

  const endpoint = (name: string) => ({
    account: name,
    device: `device of ${name}`,
    registration: { deliveryKey: KEY, revoked: new Set<string>() },
    receive: (frame: FrameToDevice) => void frames.set(name, [...(frames.get(name) ?? []), frame]),
  });
  const connect = (name: string): Connection => server.connect(endpoint(name));
  const pass = (ms: number) => schedule.runUntil(schedule.now + ms);
  const send = (from: Connection, to: string, number: number) =>
    from.send({
      kind: 'send',
      id: `${number}`,
      recipients: [{ device: `device of ${to}`, token: TOKEN }],
      payload: Uint8Array.of(number),
      held: true,
    });
  const delivered = (name: string) => (frames.get(name) ?? []).flatMap((frame) => (frame.kind === 'deliver' ? [frame.payload[0]] : []));
  const online = (name: string) => (frames.get(name) ?? []).flatMap((frame) => (frame.kind === 'presence' ? [frame.online] : []));

  it('carries frames in order', async () => {
    connect('bob');
    const alice = connect('alice');
    for (let i = 1; i <= 20; i++) send(alice, 'bob', i);
    await pass(2_000);
    expect(delivered('bob')).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it('loses, repeats and delays them in bad weather', async () => {
    connect('bob');
    const alice = connect('alice');
    server.weather = { ...CALM_SERVER, lost: 0.3, twice: 0.3, late: 0.3 };
    for (let i = 1; i <= 60; i++) send(alice, 'bob', i);
    await pass(3_000);
    expect(new Set(delivered('bob')).size).toBeLessThan(60);
    expect(delivered('bob')).not.toEqual([...delivered('bob')].sort((a, b) => a! - b!));
    for (const fault of ['frame-lost', 'frame-twice', 'frame-late']) expect(counters.of(fault)).toBeGreaterThan(0);
  });

  it('loses with a connection what was on its way', async () => {
    const bob = connect('bob');
    send(connect('alice'), 'bob', 1);
    bob.close();
    await pass(2_000);
    expect(delivered('bob')).toEqual([]);
    connect('bob');
    await pass(2_000);
    expect(delivered('bob')).toEqual([1]);
  });

  it('lets nothing pass between those that it keeps apart, until it does again', async () => {
    const [alice, bob] = [connect('alice'), connect('bob')];
    connect('carol');
    server.keepApart(['device of alice', 'device of carol']);
    send(alice, 'bob', 1);
    send(alice, 'carol', 2);
    send(bob, 'carol', 3);
    await pass(3_000);
    expect([delivered('bob'), delivered('carol')]).toEqual([[], [2]]);
    server.keepApart();
    await pass(20_000);
    expect([new Set(delivered('bob')), new Set(delivered('carol'))]).toEqual([new Set([1]), new Set([2, 3])]);
  });

  it('tells contacts who is online, and who is no more a little later', async () => {
    connect('alice');
    const bob = connect('bob');
    connect('carol');
    await pass(1_000);
    expect(online('alice').at(-1)).toBe(true);
    expect(online('carol')).toEqual([]);
    bob.close();
    await pass(2_000);
    expect(online('alice').at(-1)).toBe(true);
    await pass(2_000);
    expect(online('alice').at(-1)).toBe(false);
  });

  it('tells nobody that somebody invisible is online', async () => {
    connect('dave');
    connect('bob');
    await pass(1_000);
    expect([online('dave').at(-1), online('bob').includes(true)]).toEqual([true, false]);
  });

  it('hands each key package out once, to contacts alone, and the last resort when no other is left', async () => {
    const one = { bytes: Uint8Array.of(1), lastResort: false };
    const last = { bytes: Uint8Array.of(9), lastResort: true };
    server.directory.publish('bob', 'device of bob', [one, last]);
    const claimed: (readonly ClaimedBytes[] | undefined)[] = [];
    for (const name of ['alice', 'alice', 'carol']) {
      connect(name);
      server.claim(endpoint(name), 'bob', (packages) => void claimed.push(packages));
      await pass(1_000);
    }
    expect(claimed).toEqual([[{ device: 'device of bob', ...one }], [{ device: 'device of bob', ...last }], []]);
  });

  it('answers a claim with nothing when it was lost, or there is no connection', async () => {
    const claimed: (readonly ClaimedBytes[] | undefined)[] = [];
    server.claim(endpoint('alice'), 'bob', (packages) => void claimed.push(packages));
    await pass(20_000);
    expect(claimed).toEqual([undefined]);
    connect('alice');
    server.weather = { ...CALM_SERVER, claimLost: 1 };
    server.claim(endpoint('alice'), 'bob', (packages) => void claimed.push(packages));
    await pass(20_000);
    expect(claimed).toEqual([undefined, undefined]);
  });
});
