import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { startNats, WeakLink } from '@sotto/testing';
import { busContract } from './bus.contract.js';
import { connectNatsBus, InProcessBus } from './index.js';

busContract('InProcessBus', async () => {
  const bus = new InProcessBus();
  return { publisher: bus, subscriber: bus, settle: async () => undefined };
});

describe('over a real broker', () => {
  let nats: Awaited<ReturnType<typeof startNats>>;
  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(() => nats.stop());

  busContract('NatsBus', async () => {
    const publisher = await connectNatsBus({ servers: nats.url, name: 'publisher' });
    const subscriber = await connectNatsBus({ servers: nats.url, name: 'subscriber' });
    // The broker handles a connection's commands in order: an answered request means that the subscriptions before it stand.
    const settle = async (): Promise<void> => {
      await expect(subscriber.request('settle', new Uint8Array(), { timeoutMs: 2_000 })).rejects.toMatchObject({ reason: 'no-responder' });
    };
    return { publisher, subscriber, settle };
  });
});

describe('NatsBus without its broker', () => {
  it('notices a broker that says nothing any more', async () => {
    const nats = await startNats();
    const bus = await connectNatsBus({ servers: nats.url, name: 'patient' });
    process.kill(nats.pid, 'SIGSTOP');
    const stoppedAt = performance.now();
    while (bus.connected && performance.now() - stoppedAt < 15_000) await sleep(50);
    expect(bus.connected).toBe(false);
    process.kill(nats.pid, 'SIGCONT');
    while (!bus.connected) await sleep(50);
    await bus.close();
    await nats.stop();
  });

  it('finds its broker again soon, though an attempt to connect was made where nothing is answered', async () => {
    const nats = await startNats();
    const link = await WeakLink.to(nats.port);
    const bus = await connectNatsBus({ servers: `nats://127.0.0.1:${link.port}`, name: 'behind' });
    link.silence();
    while (bus.connected) await sleep(50);
    // By now it tries.
    await sleep(1_000);
    link.mend();
    const mendedAt = performance.now();
    while (!bus.connected && performance.now() - mendedAt < 10_000) await sleep(50);
    expect(bus.connected).toBe(true);
    await bus.close();
    await link.close();
    await nats.stop();
  }, 40_000);

  it('says that it is away, loses what is published, and serves again when the broker is back', async () => {
    const first = await startNats();
    const bus = await connectNatsBus({ servers: first.url, name: 'survivor' });
    const seen: number[] = [];
    const statuses: boolean[] = [];
    bus.subscribe('numbers', ([number]) => void seen.push(number ?? -1));
    bus.onStatus((connected) => statuses.push(connected));
    await first.stop();
    while (bus.connected) await sleep(5);
    bus.publish('numbers', Uint8Array.of(1));
    await expect(bus.request('numbers', Uint8Array.of(1), { timeoutMs: 1_000 })).rejects.toMatchObject({ reason: 'away' });
    const second = await startNats({ port: first.port });
    while (!bus.connected) await sleep(5);
    bus.publish('numbers', Uint8Array.of(2));
    while (seen.length === 0) await sleep(5);
    expect(seen).toEqual([2]);
    expect(statuses).toEqual([false, true]);
    await bus.close();
    await second.stop();
  });
});
