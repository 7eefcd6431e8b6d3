import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Contacts, KeyPackages, Outcome, ReceiptStatus, toHex } from '@sotto/protocol';
import { type Server, startServer } from '../harness/dist/index.js';
import { until } from './people.js';
import { publishTokens, type WireDevice, wireDevice, wireReturn } from './wire-client.js';

const PACKAGES = 40;

const RESEND_MS = 5_000;

/** Sends with each token and acknowledges what arrives; the status that each Send ended in. */
async function statusesOf(from: WireDevice, to: WireDevice, tokens: readonly Uint8Array[]): Promise<ReceiptStatus[]> {
  const seen = new Set<unknown>();
  const acknowledge = () => {
    for (const frame of to.client.frames) {
      if (frame.kind.case !== 'deliver' || seen.has(frame)) continue;
      seen.add(frame);
      to.client.send({ case: 'ack', value: { handle: frame.kind.value.handle, outcome: Outcome.STORED } });
    }
  };
  const sends = tokens.map((token) => ({ id: randomBytes(16), recipients: [{ device: to.session.device, token }] }));
  const ids = sends.map(({ id }) => toHex(id));
  const statusOf = (id: string): ReceiptStatus | undefined =>
    from.client.frames
      .flatMap(({ kind }) => (kind.case === 'receipt' && toHex(kind.value.id) === id && kind.value.device.length > 0 ? [kind.value] : []))
      .at(-1)?.status;
  // Silence is an outcome too: what is not answered goes again, in the same bytes.
  let sentAt = 0;
  const sendAgain = (): void => {
    if (Date.now() - sentAt < RESEND_MS) return;
    sentAt = Date.now();
    for (const each of sends)
      if (statusOf(toHex(each.id)) === undefined)
        from.client.send({ case: 'send', value: { ...each, payload: new Uint8Array(8), ttl: 0 } });
  };
  await until('each message has its outcome', () => (sendAgain(), acknowledge(), ids.every((id) => statusOf(id) !== undefined)));
  return ids.map((id) => statusOf(id)!);
}

describe.each(['standalone', 'services'] as const)('a contact that ends, on %s', (kind) => {
  let server: Server;
  let alice: WireDevice;
  let bob: WireDevice;

  beforeAll(async () => {
    server = await startServer(kind);
    [alice, bob] = await Promise.all([wireDevice(server, 'alice'), wireDevice(server, 'bob')]);
    await publishTokens(bob, PACKAGES);
  }, 180_000);

  afterAll(async () => {
    await server?.stop();
  }, 30_000);

  const claim = async (): Promise<Uint8Array[]> => {
    const request = { account: bob.session.account, cipherSuite: 1 };
    return (await alice.client.call(KeyPackages.method.claim, request)).keyPackages.map(({ keyPackage }) => keyPackage);
  };

  /** Also when alice still has bob in her list. */
  async function befriend(): Promise<void> {
    await alice.client.call(Contacts.method.request, { name: 'bob' });
    await bob.client.call(Contacts.method.request, { name: 'alice' });
  }

  it.each([
    ['removed', Contacts.method.remove],
    ['blocked', Contacts.method.block],
  ] as const)(
    'leaves one who is %s nothing that works, of claims before, at the same moment and after',
    async (_how, method) => {
      await befriend();
      const before = await claim();
      expect(await statusesOf(alice, bob, before)).toEqual([ReceiptStatus.DELIVERED]);
      const claims: Promise<Uint8Array[]>[] = [];
      let ending: Promise<unknown> | undefined;
      for (let batch = 0; batch < 6; batch++) {
        claims.push(claim(), claim());
        if (batch === 2) ending = bob.client.call(method, { name: 'alice' });
        await sleep(1);
      }
      const tokens = [...before, ...(await Promise.all(claims)).flat()];
      await ending;
      expect(tokens).toHaveLength(13);
      const none = tokens.map(() => ReceiptStatus.UNDELIVERED);
      expect(await statusesOf(alice, bob, tokens)).toEqual(none);
      // bob's device has heard of each, and hears of them again when it comes back without them.
      const capabilities = tokens.map((token) => toHex(token.subarray(0, 16)));
      const heard = () =>
        bob.client.frames.flatMap(({ kind: event }) =>
          event.case === 'event' && event.value.kind.case === 'capabilitiesRevoked' ? event.value.kind.value.capabilities.map(toHex) : [],
        );
      await until('bob has heard of each', () => capabilities.every((capability) => heard().includes(capability)));
      const { device, attached } = await wireReturn(server, bob);
      bob = device;
      expect(attached.revokedCapabilities.map(toHex)).toEqual(expect.arrayContaining(capabilities));
      expect(await statusesOf(alice, bob, tokens)).toEqual(none);
    },
    40_000,
  );

  it('works again once they are contacts again', async () => {
    await bob.client.call(Contacts.method.unblock, { name: 'alice' });
    await befriend();
    expect(await statusesOf(alice, bob, await claim())).toEqual([ReceiptStatus.DELIVERED]);
  });
});
