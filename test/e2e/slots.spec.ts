import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { ErrorCode, Outcome, type Receipt, ReceiptStatus } from '@sotto/protocol';
import { startTopology, type Topology } from '../harness/dist/index.js';
import { until } from './people.js';
import { tokenFor, type WireDevice, wireDevice } from './wire-client.js';

/** What a device sends to claim a slot: one commit. */
interface Commit {
  id: Uint8Array;
  slot: Uint8Array;
  commitId: Uint8Array;
  payload: Uint8Array;
}

function commitFor(slot: Uint8Array): Commit {
  return { id: randomBytes(16), slot, commitId: randomBytes(16), payload: randomBytes(200) };
}

function send(from: WireDevice, to: WireDevice, commit: Omit<Commit, 'slot' | 'commitId'> & Partial<Commit>): void {
  const recipients = [{ device: to.session.device, token: tokenFor(to) }];
  from.client.send({ case: 'send', value: { ...commit, recipients, ttl: 20 } });
}

function receiptsFor(device: WireDevice, id: Uint8Array): Receipt[] {
  const all = device.client.frames.flatMap(({ kind }) => (kind.case === 'receipt' ? [kind.value] : []));
  return all.filter((receipt) => Buffer.compare(receipt.id, id) === 0);
}

/** The receipt about a Send as a whole that comes next. */
async function answerTo(device: WireDevice, id: Uint8Array, after = 0): Promise<Receipt> {
  const answers = () => receiptsFor(device, id).filter((receipt) => receipt.device.length === 0);
  await until('the Send is answered', () => answers().length > after);
  return answers()[after]!;
}

function deliveriesOf(device: WireDevice, payload: Uint8Array): bigint[] {
  return device.client.frames.flatMap(({ kind }) =>
    kind.case === 'deliver' && Buffer.compare(kind.value.payload, payload) === 0 ? [kind.value.handle] : [],
  );
}

/** At least `times` often: the relay delivers what has no acknowledgement yet once more when a route comes back. */
async function delivered(to: WireDevice, payload: Uint8Array, times = 1): Promise<void> {
  await until('it arrives', () => deliveriesOf(to, payload).length >= times);
  to.client.send({ case: 'ack', value: { handle: deliveriesOf(to, payload).at(-1)!, outcome: Outcome.STORED } });
}

describe.each(['standalone', 'services'] as const)('commit slots of %s', (kind) => {
  let server: Topology;
  let alice: WireDevice;
  let bob: WireDevice;
  let carol: WireDevice;

  const claims = async (from: WireDevice, commit: Commit, after = 0): Promise<Receipt> => {
    send(from, carol, commit);
    return answerTo(from, commit.id, after);
  };

  const acceptedInTheEnd = async (from: WireDevice, commit: Commit, after = 0): Promise<void> => {
    for (let tries = after; (await claims(from, commit, tries)).status !== ReceiptStatus.ACCEPTED; tries++)
      await new Promise((done) => setTimeout(done, 200));
    await delivered(carol, commit.payload);
  };

  beforeAll(async () => {
    server = await startTopology(kind);
    [alice, bob, carol] = await Promise.all([wireDevice(server, 'alice'), wireDevice(server, 'bob'), wireDevice(server, 'carol')]);
    // A gateway looks for relays once a second.
    await acceptedInTheEnd(alice, commitFor(randomBytes(32)));
  }, 180_000);

  afterAll(async () => {
    await Promise.all([alice, bob, carol].map((device) => device?.client.close()));
    await server?.stop();
  }, 30_000);

  it('are won by one of two that claim at once; the other learns whose it is, and only the winner arrives', async () => {
    for (let round = 0; round < 5; round++) {
      const slot = randomBytes(32);
      const commits = [commitFor(slot), commitFor(slot)] as const;
      const answers = await Promise.all([claims(alice, commits[0]), claims(bob, commits[1])]);
      const first = answers[0].status === ReceiptStatus.ACCEPTED ? 0 : 1;
      const [winner, loser] = [commits[first], commits[1 - first]!];
      expect(answers[first]).toMatchObject({ status: ReceiptStatus.ACCEPTED });
      expect(answers[1 - first]).toMatchObject({ status: ReceiptStatus.SLOT_TAKEN, commitId: winner.commitId });
      await delivered(carol, winner.payload);
      const sentinel = { id: randomBytes(16), payload: randomBytes(50) };
      send(first === 0 ? bob : alice, carol, sentinel);
      await delivered(carol, sentinel.payload);
      expect(deliveriesOf(carol, loser.payload)).toEqual([]);
    }
  });

  it('are won again by the commit that has them, which goes out again', async () => {
    const commit = commitFor(randomBytes(32));
    expect(await claims(alice, commit)).toMatchObject({ status: ReceiptStatus.ACCEPTED });
    await delivered(carol, commit.payload);
    await until('alice has the receipt', () => receiptsFor(alice, commit.id).some(({ status }) => status === ReceiptStatus.DELIVERED));
    expect((await claims(alice, commit, 1)).status).toBe(ReceiptStatus.ACCEPTED);
    await delivered(carol, commit.payload, 2);
    expect((await claims(bob, commitFor(commit.slot))).commitId).toEqual(commit.commitId);
  });

  it('refuse a slot of another length', async () => {
    const commit = { ...commitFor(randomBytes(32)), slot: randomBytes(31) };
    send(alice, carol, commit);
    expect(await answerTo(alice, commit.id)).toMatchObject({ status: ReceiptStatus.REFUSED, error: { code: ErrorCode.MALFORMED } });
  });

  if (kind === 'services') {
    it('refuse while Redis is away, when messages without a slot go on; empty Redis has them free again', async () => {
      const [before, during] = [commitFor(randomBytes(32)), commitFor(randomBytes(32))];
      expect((await claims(alice, before)).status).toBe(ReceiptStatus.ACCEPTED);
      await delivered(carol, before.payload);
      await server.kill('redis');
      expect(await claims(alice, during)).toMatchObject({ status: ReceiptStatus.REFUSED, error: { code: ErrorCode.UNAVAILABLE } });
      const message = { id: randomBytes(16), payload: randomBytes(50) };
      send(alice, carol, message);
      await delivered(carol, message.payload);
      expect(deliveriesOf(carol, during.payload)).toEqual([]);

      await server.restart('redis');
      await acceptedInTheEnd(alice, during, 1);
      const again = commitFor(before.slot);
      expect((await claims(bob, again)).status).toBe(ReceiptStatus.ACCEPTED);
      await delivered(carol, again.payload);
    }, 60_000);
  }
});
