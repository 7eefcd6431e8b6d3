import { beforeEach, describe, expect, it } from '@jest/globals';
import { TypingNotices } from '../groups/typing.js';
import { type Phone, PostOffice } from './post-office.harness.js';

let office: PostOffice;
let alice: Phone;
let bob: Phone;
let carol: Phone;
let tea: string;
/** Such words on their way. */
let payloads: Uint8Array[];

const types = async (phone: Phone) => {
  await phone.step((messenger, step) => messenger.tellTyping(tea, step));
  await office.settle();
};
const heardBy = (phone: Phone) => phone.told('typing').map((notice) => notice.kind === 'typing' && notice.from.name);
const kept = async (phone: Phone) => {
  const all = ['groups', 'ratchets', 'log', 'later', 'outbox', 'contents', 'seen'].map((collection) => phone.stored(collection));
  return JSON.stringify((await Promise.all(all)).map((records) => [...records]));
};

beforeEach(async () => {
  office = new PostOffice();
  [alice, bob, carol] = (await office.people('alice', 'bob', 'carol')) as [Phone, Phone, Phone];
  tea = await alice.createGroup('tea', bob, carol);
  await office.pass(20_000, 5_000);
  payloads = [];
  office.loses = ({ kind, payload }) => {
    if (kind === 'typing') payloads.push(payload);
    return false;
  };
}, 60_000);

describe('a word that somebody is writing', () => {
  it('reaches whoever is there, and is kept by nobody', async () => {
    await bob.offline();
    const before = await Promise.all([alice, carol].map(kept));
    await types(alice);
    expect([heardBy(bob), heardBy(carol)]).toEqual([[], ['alice']]);
    expect(await Promise.all([alice, carol].map(kept))).toEqual(before);
    await bob.online();
    await office.pass(60_000, 5_000);
    expect(heardBy(bob)).toEqual([]);
    expect(carol.acks.length).toBeGreaterThan(0);
  });

  it('counts once, and only at its time', async () => {
    await types(alice);
    const [payload] = payloads;
    await bob.deliver(900n, payload!);
    expect(heardBy(bob)).toEqual(['alice']);
    office.now += 1_000;
    await types(alice);
    expect(heardBy(bob)).toEqual(['alice', 'alice']);
    await bob.offline();
    await types(alice);
    office.now += 61_000;
    await bob.deliver(901n, payloads.at(-1)!);
    expect(heardBy(bob)).toEqual(['alice', 'alice']);
  });

  it('is not said by a member in the name of another', async () => {
    const { core } = carol.messenger.unsafeGroup(tea)!;
    const forged: Uint8Array[] = [];
    const own = { account: alice.account, device: alice.device };
    const transmit = (payload: Uint8Array) => forged.push(payload);
    const liar = Object.create(core, { ports: { value: { ...core.ports, own, transmit } } }) as typeof core;
    await carol.step((_, step) => new TypingNotices(liar).tell(step));
    expect(forged).toHaveLength(1);
    await bob.deliver(902n, forged[0]!);
    expect(heardBy(bob)).toEqual([]);
  });

  it('is not said where nothing may be written, and not heard where nothing is any more', async () => {
    await alice.restart();
    await types(alice);
    expect(payloads).toEqual([]);
    await types(carol);
    await bob.step((messenger, step) => messenger.unsafeGroup(tea)!.retire(step));
    office.now += 1_000;
    await bob.deliver(903n, payloads[0]!);
    expect(heardBy(bob)).toEqual(['carol']);
  });
});
