import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startNats } from '@sotto/testing';
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
