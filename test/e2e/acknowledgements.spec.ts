import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Outcome, ReceiptStatus } from '@sotto/protocol';
import { startTopology, type Topology } from '../harness/dist/index.js';
import { until } from './people.js';
import { tokenFor, type WireDevice, wireDevice, wireReturn } from './wire-client.js';

const { ACCEPTED, DELIVERED, UNDELIVERED, CANNOT } = ReceiptStatus;

describe.each(['standalone', 'services'] as const)('what a device acknowledges, %s', (kind) => {
  let server: Topology;
  let alice: WireDevice;
  let bob: WireDevice;

  const back = async (device: WireDevice) => (await wireReturn(server, device)).device;

  /** Handles under which a payload came over bob's present connection. */
  const handlesOf = (payload: Uint8Array) =>
    bob.client.frames.flatMap(({ kind: frame }) =>
      frame.case === 'deliver' && Buffer.compare(frame.value.payload, payload) === 0 ? [frame.value.handle] : [],
    );
  const acks = (handle: bigint, outcome: Outcome) => bob.client.send({ case: 'ack', value: { handle, outcome } });
  const outcomesOf = (id: Uint8Array) =>
    alice.client.frames.flatMap(({ kind: frame }) =>
      frame.case === 'receipt' && Buffer.compare(frame.value.id, id) === 0 && frame.value.status !== ACCEPTED ? [frame.value] : [],
    );

  /** A message from alice to bob, which has arrived. */
  const arrived = async (ttl = 20) => {
    const [id, payload] = [randomBytes(16), randomBytes(100)];
    alice.client.send({ case: 'send', value: { id, recipients: [{ device: bob.session.device, token: tokenFor(bob) }], payload, ttl } });
    await until('it arrives', () => handlesOf(payload).length > 0);
    return { id, payload, handle: handlesOf(payload)[0]! };
  };
  const ends = async (id: Uint8Array, status: ReceiptStatus) => {
    await until('alice is told', () => outcomesOf(id).length > 0);
    expect(outcomesOf(id)).toMatchObject([{ status, device: bob.session.device }]);
  };

  beforeAll(async () => {
    server = await startTopology(kind, { retryWindowSeconds: 120 });
    [alice, bob] = await Promise.all([wireDevice(server, 'alice'), wireDevice(server, 'bob')]);
    await until('a relay is there', async () => {
      const id = randomBytes(16);
      const recipients = [{ device: randomBytes(16), token: randomBytes(32) }];
      alice.client.send({ case: 'send', value: { id, recipients, payload: new Uint8Array(8), ttl: 0 } });
      await until('it is answered', () => alice.client.frames.some(({ kind: frame }) => frame.case === 'receipt'));
      return alice.client.frames.splice(0).every(({ kind: frame }) => frame.case !== 'receipt' || frame.value.status === ACCEPTED);
    });
  }, 180_000);

  afterAll(async () => {
    await Promise.all([alice, bob].map((device) => device?.client.close()));
    await server?.stop();
  }, 30_000);

  it('as later and then as stored is delivered', async () => {
    const { id, handle } = await arrived();
    acks(handle, Outcome.LATER);
    const next = await arrived();
    acks(next.handle, Outcome.STORED);
    await ends(next.id, DELIVERED);
    expect(outcomesOf(id)).toEqual([]);
    acks(handle, Outcome.STORED);
    await ends(id, DELIVERED);
  });

  it('as later and no more is undelivered at the deadline', async () => {
    const { id, handle } = await arrived(3);
    acks(handle, Outcome.LATER);
    await ends(id, UNDELIVERED);
  });

  it('as never to be read is told to the sender with the device', async () => {
    const { id, handle } = await arrived();
    acks(handle, Outcome.CANNOT);
    await ends(id, CANNOT);
  });

  it('comes again over a new connection, whatever was said before, and may be stored there', async () => {
    const [unanswered, later] = [await arrived(), await arrived()];
    acks(later.handle, Outcome.LATER);
    await bob.client.close();
    bob = await back(bob);
    await until('both come again', () => [unanswered, later].every(({ payload }) => handlesOf(payload).length > 0));
    acks(handlesOf(unanswered.payload)[0]!, Outcome.STORED);
    acks(handlesOf(later.payload)[0]!, Outcome.CANNOT);
    await ends(unanswered.id, DELIVERED);
    await ends(later.id, CANNOT);
  });

  it('comes whole when much has waited: no frame is cut where a box ends', async () => {
    const payloads = Array.from({ length: 4 }, () => randomBytes(250 * 1_024));
    await bob.client.close();
    const token = tokenFor(bob);
    const sends = payloads.map((payload) => ({
      id: randomBytes(16),
      recipients: [{ device: bob.session.device, token }],
      payload,
      ttl: 20,
    }));
    for (const value of sends) alice.client.send({ case: 'send', value });
    const accepted = (id: Uint8Array) =>
      alice.client.frames.some(({ kind: frame }) => frame.case === 'receipt' && Buffer.compare(frame.value.id, id) === 0);
    await until('the relay holds them', () => sends.every(({ id }) => accepted(id)));
    bob = await back(bob);
    await until('all come', () => payloads.every((payload) => handlesOf(payload).length > 0));
    for (const payload of payloads) acks(handlesOf(payload)[0]!, Outcome.STORED);
    for (const { id } of sends) await ends(id, DELIVERED);
  });

  if (kind === 'services') {
    it('comes again when the gateway died and is back, and its sender learns it on the new connection', async () => {
      // A process may take long to start on a machine that others use.
      const [unanswered, later] = [await arrived(100), await arrived(100)];
      acks(later.handle, Outcome.LATER);
      await server.kill('gateway');
      await server.restart('gateway');
      [alice, bob] = await Promise.all([back(alice), back(bob)]);
      await until('both come again', () => [unanswered, later].every(({ payload }) => handlesOf(payload).length > 0));
      for (const { payload } of [unanswered, later]) acks(handlesOf(payload)[0]!, Outcome.STORED);
      await ends(unanswered.id, DELIVERED);
      await ends(later.id, DELIVERED);
    }, 120_000);
  }
});
