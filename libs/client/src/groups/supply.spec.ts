import { beforeEach, describe, expect, it } from '@jest/globals';
import { create, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { EnvelopeSchema, fromHex, HelloSchema, toHex } from '@sotto/protocol';
import { Journal } from '../storage/journal.js';
import { MemoryStore } from '../storage/memory.store.js';
import { Branches } from './branches.js';
import type { StoredCommit } from './stored-commit.js';
import type { GroupCore } from './group-core.js';
import type { GroupPorts } from './group-ports.js';
import type { Root } from './group-record.js';
import { GROUP_RULES } from './group-rules.js';
import { packShort, unpackShort } from './hello.js';
import { MessageLog } from './message-log.js';
import { shownBy } from './peers.js';
import { bundles, commitsLackedBy, detailsFor as detailsForShown, digestsOf, lackedBy, messagesShownBy } from './supply.js';

const GROUP = 'c0'.repeat(32);
/** States and messages are called by a letter. */
const idOf = (letter: string) => letter.charCodeAt(0).toString(16).padStart(4, '0').repeat(8);
const letterOf = (id: string) => String.fromCharCode(Number.parseInt(id.slice(0, 4), 16));
const text = (words: string) => new TextEncoder().encode(words);

/** A device whose branch is a → b → c → d (epochs 0 to 3), with a losing commit x on b; it holds the states from b on. */
class World {
  readonly log = new MessageLog(GROUP);
  readonly #epochs: Record<string, number> = { a: 0, b: 1, c: 2, d: 3, x: 2 };
  readonly #parents: Record<string, string> = { b: 'a', c: 'b', d: 'c', x: 'b' };
  held = ['b', 'c', 'd', 'x'];

  /** Where it began: the group was made at `a`, unless it was let in. */
  roots: [string, Root][] = [[idOf('a'), { epoch: 0, helloKey: new Uint8Array(32) }]];

  get core(): GroupCore {
    const ports = this.#ports();
    const branches = new Branches(GROUP, ports, idOf('b'), idOf('d'), new Map(this.roots));
    const commits = Object.entries(this.#parents).map(([letter, parent]) => this.#commitOf(letter, parent));
    branches.restore(new Map(commits.map((commit) => [commit.node.id, commit])), new Map());
    for (const letter of this.held) branches.restoreState(idOf(letter), text(letter), new Uint8Array());
    return { id: GROUP, ports, branches, log: this.log } as unknown as GroupCore;
  }

  #commitOf(letter: string, parent: string): StoredCommit {
    const author = { leaf: 'leaf', index: 0, account: 'alice' };
    const node = { id: idOf(letter), parent: idOf(parent), epoch: this.#epochs[letter]!, author, removes: [], adds: [] };
    return { node, bytes: text(`commit ${letter}`) };
  }

  /** States have nothing but their epoch here. */
  #ports(): GroupPorts {
    const deserialiseParts = (letter: Uint8Array) => ({ epoch: BigInt(this.#epochs[new TextDecoder().decode(letter)] ?? 9) });
    return { rules: GROUP_RULES, engine: { deserialiseParts } } as unknown as GroupPorts;
  }

  /** Messages by their letters, sealed in that state. */
  sealed(state: string, messages: string): void {
    const step = { journal: new Journal(new MemoryStore()), now: 0 };
    for (const letter of messages) this.log.add(idOf(letter), { state: idOf(state), bytes: text(`message ${letter}`), at: 0 }, step);
  }

  /** A hello of this device, in answer to the one that it heard. */
  hello(more: MessageInitShape<typeof HelloSchema> = {}) {
    return create(HelloSchema, {
      path: packShort(['d', 'c', 'b', 'a'].map(idOf)),
      others: packShort([idOf('x')]),
      heldFrom: 1n,
      digests: digestsOf(this.core),
      ...more,
    });
  }

  gives(hello: ReturnType<World['hello']>): string[] {
    return [...lackedBy(shownBy(hello), messagesShownBy(hello), this.core)].map(named);
  }
}

const detailsFor = (hello: ReturnType<World['hello']>, core: GroupCore) => detailsForShown(messagesShownBy(hello), core);

/** `commit c on b`, `message m in c`. */
function named(payload: Uint8Array): string {
  const { kind } = fromBinary(EnvelopeSchema, payload);
  if (kind.case !== 'commit' && kind.case !== 'application') throw new Error(`supplied a ${kind.case}`);
  const words = new TextDecoder().decode(kind.value.message);
  return kind.case === 'commit' ? `${words} on ${letterOf(toHex(kind.value.parent))}` : `${words} in ${letterOf(toHex(kind.value.state))}`;
}

let alice: World;
let bob: World;
beforeEach(() => {
  alice = new World();
  bob = new World();
});

const path = (letters: string) => packShort([...letters].reverse().map(idOf));

describe('what the other lacks', () => {
  it('are commits that it does not name, losing branches too, in the order of their epochs', () => {
    expect(alice.gives(bob.hello({ path: path('ab'), others: packShort([]), digests: [] }))).toEqual([
      'commit c on b',
      'commit x on b',
      'commit d on c',
    ]);
    expect(alice.gives(bob.hello({ path: path('abcd'), others: packShort([]) }))).toEqual(['commit x on b']);
    expect(alice.gives(bob.hello())).toEqual([]);
  });

  it('are no commits from before the oldest state that it holds: it could not judge them', () => {
    bob.held = ['d'];
    expect(alice.gives(bob.hello({ path: path('d'), others: packShort([]), heldFrom: 3n }))).toEqual([]);
    bob.held = ['c'];
    expect(alice.gives(bob.hello({ path: path('c'), others: packShort([]), heldFrom: 2n }))).toEqual(['commit d on c']);
  });

  it('are commits from below its root that follow on states which it holds', () => {
    alice.roots.push([idOf('y'), { epoch: 2, helloKey: new Uint8Array(32), commit: { parent: idOf('r'), bytes: text('commit y') } }]);
    bob.held = ['b', 'd'];
    const caughtUp = bob.hello({ path: path('d'), others: packShort([]), heldFrom: 3n });
    expect(alice.gives(caughtUp)).toEqual(['commit c on b', 'commit x on b']);
  });

  it('are the messages of an epoch before the commit that ends it', () => {
    alice.sealed('c', 'no');
    alice.sealed('d', 'p');
    const behind = bob.hello({ path: path('ab'), others: packShort([idOf('x')]), digests: [] });
    expect(alice.gives(behind)).toEqual(['commit c on b', 'message n in c', 'message o in c', 'commit d on c', 'message p in d']);
  });

  it('are messages of a losing branch as well', () => {
    alice.sealed('x', 'n');
    expect(alice.gives(bob.hello())).toEqual(['message n in x']);
  });

  it('are all messages of an epoch of which it has none', () => {
    alice.sealed('c', 'no');
    expect(alice.gives(bob.hello())).toEqual(['message n in c', 'message o in c']);
  });

  it('is known of an epoch of which it has some only once it has named them', () => {
    alice.sealed('c', 'nop');
    bob.sealed('c', 'nq');
    const first = bob.hello();
    expect(alice.gives(first)).toEqual([]);
    const { details } = detailsFor(alice.hello(), bob.core);
    expect(alice.gives(bob.hello({ details }))).toEqual(['message o in c', 'message p in c']);
  });

  it('are messages of an older epoch that it holds on another branch', () => {
    alice.sealed('x', 'n');
    expect(alice.gives(bob.hello({ heldFrom: 3n }))).toEqual(['message n in x']);
  });

  it('are the commits that let this device in: perhaps nobody else has them any more', () => {
    alice.roots.push([idOf('r'), { epoch: 4, helloKey: new Uint8Array(32), commit: { parent: idOf('d'), bytes: text('commit r') } }]);
    expect(alice.gives(bob.hello())).toEqual(['commit r on d']);
    expect(alice.gives(bob.hello({ others: packShort(['x', 'r'].map(idOf)) }))).toEqual([]);
  });

  it('are no messages of a state that it knows and does not hold', () => {
    alice.sealed('c', 'n');
    const withoutC = bob.hello().digests.filter(({ state }) => letterOf(toHex(state)) !== 'c');
    expect(alice.gives(bob.hello({ digests: withoutC }))).toEqual([]);
  });

  it('are, for one who was removed, the commits alone', () => {
    alice.sealed('c', 'n');
    const behind = bob.hello({ path: path('ab'), others: packShort([]), digests: [] });
    expect([...commitsLackedBy(shownBy(behind), messagesShownBy(behind), alice.core)].map(named)).toEqual([
      'commit c on b',
      'commit x on b',
      'commit d on c',
    ]);
  });

  it('are no messages of an epoch whose keys it has no more', () => {
    alice.held = ['a', 'b', 'c', 'd', 'x'];
    alice.sealed('a', 'n');
    expect(alice.gives(bob.hello({ heldFrom: 2n }))).toEqual([]);
  });
});

describe('digests', () => {
  it('name every epoch that is held, with the number of messages', () => {
    alice.sealed('c', 'no');
    const shown = digestsOf(alice.core).map(({ state, count }) => [letterOf(toHex(state)), count]);
    expect(shown).toEqual([
      ['d', 0],
      ['c', 2],
      ['b', 0],
      ['x', 0],
    ]);
  });

  it('name the states of the own branch first, and not more than a hello may, whoever mints others', () => {
    alice.held = [...'xyzabcd', ...Array.from({ length: 500 }, (_, i) => String.fromCharCode(0x4e00 + i))];
    const shown = digestsOf(alice.core).map(({ state }) => letterOf(toHex(state)));
    expect(shown).toHaveLength(400);
    expect(shown.slice(0, 4)).toEqual(['d', 'c', 'b', 'a']);
  });

  it('that are equal ask for nothing', () => {
    alice.sealed('c', 'no');
    bob.sealed('c', 'on');
    expect(detailsFor(alice.hello(), bob.core)).toEqual({ details: [], missing: 0 });
  });

  it('that differ are answered by the names of what is there, and by how many are missing', () => {
    alice.sealed('c', 'nop');
    bob.sealed('c', 'n');
    bob.sealed('d', 'q');
    const { details, missing } = detailsFor(alice.hello(), bob.core);
    expect(details.map(({ state, ids }) => [letterOf(toHex(state)), unpackShort(ids).map(letterOf)])).toEqual([
      ['d', ['q']],
      ['c', ['n']],
    ]);
    expect(missing).toBe(2);
  });

  it('that differ are answered by the names of what is there also by one who has no keys of that epoch any more', () => {
    alice.held = ['d'];
    alice.sealed('c', 'no');
    bob.sealed('c', 'nq');
    const answer = alice.hello(detailsFor(bob.hello(), alice.core));
    expect(answer.digests.map(({ state }) => letterOf(toHex(state)))).toEqual(['d']);
    expect(answer.details.map(({ ids }) => unpackShort(ids).map(letterOf))).toEqual([['n', 'o']]);
    const { details, missing } = detailsFor(answer, bob.core);
    expect(missing).toBe(1);
    expect(alice.gives(bob.hello({ details }))).toEqual(['message o in c']);
  });

  it('are not asked for by one who has no keys of that epoch', () => {
    alice.held = ['d'];
    bob.sealed('c', 'n');
    expect(detailsFor(bob.hello(), alice.core)).toEqual({ details: [], missing: 0 });
    alice.sealed('c', 'o');
    expect(detailsFor(bob.hello({ digests: [] }), alice.core)).toEqual({ details: [], missing: 0 });
  });

  it('differ where as many messages are others', () => {
    alice.sealed('c', 'n');
    bob.sealed('c', 'o');
    expect(detailsFor(alice.hello(), bob.core)).toMatchObject({ details: [{ ids: packShort([idOf('o')]) }], missing: 0 });
  });

  it('of epochs that are not held are left aside', () => {
    bob.held = ['d'];
    alice.sealed('c', 'n');
    expect(detailsFor(alice.hello(), bob.core)).toEqual({ details: [], missing: 0 });
  });

  it('name two thousand messages at most, of the epochs that fit', () => {
    const step = { journal: new Journal(new MemoryStore()), now: 0 };
    const many = (count: number) => {
      for (let i = 0; i < count; i++) bob.log.add(i.toString(16).padStart(32, '0'), { state: idOf('b'), bytes: text('m'), at: 0 }, step);
      return detailsFor(alice.hello(), bob.core).details.map(({ state }) => letterOf(toHex(state)));
    };
    bob.sealed('c', 'n');
    expect(many(1_999)).toEqual(['c', 'b']);
    expect(many(2_000)).toEqual(['c']);
  });
});

describe('supplies', () => {
  const sizes = (...lengths: number[]) =>
    [
      ...bundles(
        GROUP,
        lengths.map((length) => new Uint8Array(length)),
      ),
    ].map((payload) => {
      const { kind } = fromBinary(EnvelopeSchema, payload);
      if (kind.case !== 'supply') throw new Error('no supply');
      expect(kind.value.group).toEqual(fromHex(GROUP));
      return kind.value.envelopes.map(({ length }) => length);
    });

  it('travel together as far as they fit into one message, in their order', () => {
    const KIB = 1024;
    expect(sizes(120 * KIB, 80 * KIB, 1, 2)).toEqual([
      [120 * KIB, 80 * KIB],
      [1, 2],
    ]);
    expect(sizes(150 * KIB, 60 * KIB, 150 * KIB)).toEqual([[150 * KIB], [60 * KIB], [150 * KIB]]);
    expect(sizes()).toEqual([]);
  });

  it('that are large travel alone', () => {
    expect(sizes(1, 210 * 1024, 1)).toEqual([[1], [210 * 1024], [1]]);
    expect(sizes(210 * 1024, 1)).toEqual([[210 * 1024], [1]]);
  });
});
