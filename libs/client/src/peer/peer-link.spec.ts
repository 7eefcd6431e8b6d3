import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fromBinary, toBinary, create } from '@bufbuild/protobuf';
import { ClaimKeyPackagesRequestSchema, ClaimKeyPackagesResponseSchema, ErrorCode, fromHex, ReceiptStatus, toHex } from '@sotto/protocol';
import { CIPHER_SUITE } from '../key-packages/key-package-stock.js';
import { MemoryStore } from '../storage/memory.store.js';
import { allLeave, Person } from './people.harness.js';
import { Stranger } from './strangers.harness.js';

let alice: Person;
let store: MemoryStore;
let url: string;
let mallory: Stranger;

/** Key packages asked for in one box, and how often that: more than the link and both kernels hold of answers. */
const CLAIMS = 5_000;
const BOXES = 20;

const id = (byte: number) => new Uint8Array(16).fill(byte);
const device = () => fromHex(alice.client.pin.slice(32));
const account = () => fromHex(alice.client.pin.slice(0, 32));

beforeEach(async () => {
  store = new MemoryStore();
  alice = await Person.called('alice', { store });
  url = await alice.listens();
  mallory = await Stranger.at(url);
  await mallory.isAdmitted('mallory');
  await alice.sees('mallory');
});

afterEach(async () => {
  mallory.socket.terminate();
  await allLeave();
});

function claim(call: number, of: Uint8Array) {
  const body = toBinary(ClaimKeyPackagesRequestSchema, create(ClaimKeyPackagesRequestSchema, { account: of, cipherSuite: CIPHER_SUITE }));
  return { case: 'call' as const, value: { id: call, method: 'sotto.v1.KeyPackages/Claim', body } };
}

/** Whatever mallory does: others talk to alice. */
async function bobTalks(): Promise<void> {
  const bob = await Person.called('bob');
  await bob.client.connect(url);
  await bob.client.send('alice', 'hello');
  await alice.reads('hello');
}

describe('a peer that does not keep to the rules', () => {
  it('is told which messages can never be read, and gets no word on those for somebody else', async () => {
    const to = (recipient: Uint8Array) => [{ device: recipient, token: new Uint8Array(32) }];
    mallory.says(
      { case: 'send', value: { id: id(1), recipients: to(id(9)), payload: Uint8Array.of(1) } },
      { case: 'send', value: { id: new Uint8Array(3), recipients: to(device()), payload: Uint8Array.of(1) } },
      { case: 'send', value: { id: id(2), recipients: to(device()), payload: Uint8Array.of(1) } },
    );
    const receipts = await mallory.hears();
    expect(receipts.map((each) => each.case === 'receipt' && [toHex(each.value.id), each.value.status])).toEqual([
      [toHex(id(2)), ReceiptStatus.CANNOT],
    ]);
    await bobTalks();
  });

  it('gets one key package, however often it asks, and nothing of other accounts or methods', async () => {
    mallory.says(claim(1, account()), claim(2, account()), claim(3, id(7)), {
      case: 'call',
      value: { id: 4, method: 'sotto.v1.Contacts/List' },
    });
    const replies = new Map<number, unknown>();
    while (replies.size < 4)
      for (const each of await mallory.hears()) {
        if (each.case !== 'reply') continue;
        const { keyPackages } = fromBinary(ClaimKeyPackagesResponseSchema, each.value.body);
        replies.set(each.value.id, each.value.error?.code ?? keyPackages.map(({ keyPackage }) => toHex(keyPackage)));
      }
    expect(replies.get(1)).toEqual([expect.stringMatching(/^[0-9a-f]{200,}$/)]);
    expect(replies.get(2)).toEqual(replies.get(1));
    expect([replies.get(3), replies.get(4)]).toEqual([[], ErrorCode.UNKNOWN_METHOD]);
    expect((await store.load('key-packages')).size).toBe(1);
  });

  it('settles no message of others by receipts that it makes up', async () => {
    const bob = await Person.called('bob');
    await bob.client.connect(url);
    await bob.client.send('alice', 'hello');
    await alice.reads('hello');
    const toBob = fromHex(bob.client.pin.slice(32));
    await bob.leaves();
    await alice.sees('bob', false);
    const message = await alice.client.send('bob', 'for bob alone');
    for (const key of (await store.load('outbox')).keys())
      mallory.says({ case: 'receipt', value: { id: fromHex(key), device: toBob, status: ReceiptStatus.DELIVERED } });
    mallory.says({ case: 'ping', value: { nonce: 5 } });
    expect(await mallory.hears()).toMatchObject([{ case: 'pong', value: { nonce: 5 } }]);
    expect(alice.client.queue().map((each) => each.id)).toEqual([message]);
  });

  it('is held up when it sends faster than messages are stored, and holds up nobody else', async () => {
    const junk = { payload: new Uint8Array(1_000), recipients: [{ device: device(), token: new Uint8Array(32) }] };
    for (let i = 0; i < 2_000; i++)
      mallory.says({ case: 'send', value: { ...junk, id: Uint8Array.from([...id(3).slice(4), 0, 0, i >> 8, i & 255]) } });
    await bobTalks();
    let answers = 0;
    while (answers < 2_000) answers += (await mallory.hears()).length;
    expect(alice.texts).toEqual(['hello']);
  });

  it('loses its link when it asks for more than it reads', async () => {
    mallory.socket.pause();
    const claims = Array.from({ length: CLAIMS }, (_, i) => claim(i + 1, account()));
    for (let i = 0; i < BOXES; i++) mallory.says(...claims);
    await alice.until('mallory gone', () => !alice.client.contacts().some(({ name, online }) => name === 'mallory' && online));
    mallory.socket.resume();
    // Cut off, not closed behind all that it was to read.
    expect(await mallory.closed).toMatchObject([1006, {}]);
    await bobTalks();
  });

  it('ends its link by a box that does not open', async () => {
    mallory.socket.send(new Uint8Array(300));
    await mallory.closed;
    await alice.sees('mallory', false);
    await bobTalks();
  });
});
