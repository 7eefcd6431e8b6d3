import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { fromBinary } from '@bufbuild/protobuf';
import type { CommitNode, GroupState, Member } from '@sotto/mls';
import { EnvelopeSchema, type Hello, toHex } from '@sotto/protocol';
import { randomBytes, sodiumReady } from '../sodium.js';
import { Journal } from '../storage/journal.js';
import { MemoryStore } from '../storage/memory.store.js';
import { Branches } from './branches.js';
import type { GroupCore } from './group-core.js';
import type { GroupPorts } from './group-ports.js';
import { GROUP_RULES } from './group-rules.js';
import { openHello, short, unpackShort } from './hello.js';
import { HelloWriter } from './hello-writer.js';
import type { Hope } from './hope.js';
import { MessageLog } from './message-log.js';
import { Peers } from './peers.js';

const GROUP = 'c0'.repeat(32);
const KEY = new Uint8Array(32).fill(7);
/** Epochs 4 and 5; this device was let in at the first. */
const [ROOT, NEXT] = ['aa'.repeat(16), 'bb'.repeat(16)];
const ALICE = { id: 'a1'.repeat(16), leaf: 0, identity: { account: 'alice', device: 'a0'.repeat(16) } } as Member;
/** She joined anew since. */
const EARLIER = { ...ALICE, id: 'a2'.repeat(16) } as Member;
const BOB = { id: 'b1'.repeat(16), leaf: 1, identity: { account: 'bob', device: 'b0'.repeat(16) } } as Member;

/** A state has its epoch, and the generation of whom it lists. */
const stateOf = (epoch: number, generation = 0) => ({ epoch: BigInt(epoch), ownLeaf: 0, generation }) as unknown as GroupState;
const step = () => ({ journal: new Journal(new MemoryStore()), now: 0 });

let branches: Branches;
let log: MessageLog;
let peers: Peers;
let hope: { isLeft: boolean };
let says: () => Hello;

beforeAll(sodiumReady);

beforeEach(() => {
  let sent = new Uint8Array();
  const engine = {
    deserialiseParts: ([epoch]: Uint8Array) => stateOf(epoch!),
    serialiseRatchets: () => new Uint8Array(),
    members: ({ epoch }: GroupState) => [epoch === 4n ? EARLIER : ALICE, BOB],
    generationOf: ({ generation }: GroupState & { generation: number }) => generation,
    sign: () => new Uint8Array(64),
  };
  const ports = {
    ...{ rules: GROUP_RULES, engine, random: randomBytes, own: ALICE.identity, count: () => undefined },
    transmit: (payload: Uint8Array<ArrayBuffer>) => void (sent = payload),
  } as unknown as GroupPorts;
  branches = new Branches(GROUP, ports, ROOT, ROOT, new Map([[ROOT, { epoch: 4, helloKey: KEY }]]));
  branches.restoreState(ROOT, Uint8Array.of(4), new Uint8Array());
  log = new MessageLog(GROUP);
  const core = { id: GROUP, ports, branches, log, ownLeaf: ALICE, answerToken: new Uint8Array(32) } as unknown as GroupCore;
  peers = new Peers();
  hope = { isLeft: true };
  const writer = new HelloWriter(core, peers, hope as unknown as Hope);
  says = () => {
    writer.send(BOB, { device: BOB.identity.device, token: new Uint8Array(32) }, {}, step());
    const { kind } = fromBinary(EnvelopeSchema, sent);
    return openHello(kind.value as never, () => KEY)!.hello;
  };
});

const digestsIn = (hello: Hello) => hello.digests.map(({ state, count }) => [toHex(state), count]);

describe('a hello shows what has come or gone since the one before', () => {
  it('of messages', () => {
    expect(digestsIn(says())).toEqual([[short(ROOT), 0]]);
    log.add('01'.repeat(16), { state: ROOT, bytes: Uint8Array.of(1), at: 0 }, step());
    expect(digestsIn(says())).toEqual([[short(ROOT), 1]]);
    log.withhold('01'.repeat(16), step());
    expect(digestsIn(says())).toEqual([[short(ROOT), 0]]);
  });

  it('of commits and states', async () => {
    expect(unpackShort(says().others)).toEqual([]);
    const author = { leaf: BOB.id, index: 1, account: 'bob' };
    const node: CommitNode = { id: NEXT, parent: ROOT, epoch: 5, author, removes: [], adds: [] };
    branches.restore(new Map([[NEXT, { node, bytes: new Uint8Array(), helloKey: KEY }]]), new Map());
    expect(unpackShort(says().others)).toEqual([short(NEXT)]);
    branches.restoreState(NEXT, Uint8Array.of(5), new Uint8Array());
    expect(digestsIn(says())).toEqual([
      [short(ROOT), 0],
      [short(NEXT), 0],
    ]);
    await branches.adopt(step());
    const adopted = says();
    expect([unpackShort(adopted.path), unpackShort(adopted.others)]).toEqual([[short(NEXT), short(ROOT)], []]);
  });

  it('of generations', () => {
    expect(says().seen).toEqual([]);
    branches.useState(ROOT, stateOf(4, 3), step());
    expect(says().seen.map(({ state, generation }) => [toHex(state), generation])).toEqual([[short(ROOT), 2]]);
  });
});

describe('a hello of one who is out says so', () => {
  const leafLeft = () => toHex(says().left!.leaf);
  const showsHead = (...path: string[]) =>
    peers.of(BOB.identity.device).shows({ headEpoch: 4, heldFrom: 4, path, onPath: new Set(path), others: new Set() }, 0);

  it('of the leaf that the other lists, as far as that is known, and of its last one otherwise', () => {
    expect(says().left).toBeUndefined();
    hope.isLeft = false;
    expect(leafLeft()).toBe(ALICE.id);
    showsHead('77'.repeat(8));
    expect(leafLeft()).toBe(ALICE.id);
    showsHead('77'.repeat(8), short(ROOT));
    expect(leafLeft()).toBe(EARLIER.id);
  });
});
