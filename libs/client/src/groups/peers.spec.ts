import { describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { type CommitNode, CommitTree, type Member } from '@sotto/mls';
import { HelloSchema } from '@sotto/protocol';
import type { Branches } from './branches.js';
import { packShort, short } from './hello.js';
import { Peer, Peers, type Shown, shownBy, sideOf } from './peers.js';

const SECOND = 1_000;
const MEBIBYTE = 1024 * 1024;
const NOW = 1_800_000_000_000;
const TOKEN = new Uint8Array(32);

describe('other devices', () => {
  it('have their turn by how long ago they were asked, those first who never were', () => {
    const peers = new Peers();
    const members = ['bob', 'carol', 'dave', 'erin'].map((device) => ({ identity: { device } }) as Member);
    const inTurn = () => peers.inTurn(members).map(({ identity }) => identity.device);
    peers.of('bob').asked(TOKEN, NOW);
    peers.of('dave').asked(TOKEN, NOW - SECOND);
    expect(inTurn()).toEqual(['carol', 'erin', 'dave', 'bob']);
    peers.of('carol').asked(TOKEN, NOW + SECOND);
    expect(inTurn()).toEqual(['erin', 'dave', 'bob', 'carol']);
  });
});

describe('another device', () => {
  it('is asked at once, and then ever less often as long as nothing new comes', () => {
    const peer = new Peer();
    let now = NOW;
    for (const wait of [5, 10, 20, 40, 80, 160, 320, 600, 600]) {
      expect(peer.mayAsk(now)).toBe(true);
      peer.asked(TOKEN, now);
      expect(peer.mayAsk(now + wait * SECOND - 1)).toBe(false);
      now += wait * SECOND;
    }
    peer.asked(TOKEN, now);
    peer.refresh();
    expect(peer.mayAsk(now)).toBe(true);
    peer.asked(TOKEN, now);
    expect(peer.mayAsk(now + 5 * SECOND)).toBe(true);
  });

  it('that was asked while it seemed to be away is asked at once when it comes', () => {
    const peer = new Peer();
    peer.askedAway(TOKEN, NOW);
    expect([peer.mayAsk(NOW), peer.misses]).toEqual([true, 0]);
    peer.reached(NOW);
    expect(peer.reachedBy).toBe(TOKEN);
  });

  it('is answered three times at once and then every ten seconds, however often it asks', () => {
    const peer = new Peer();
    const answers = (now: number) => Array.from({ length: 10 }, () => peer.mayAnswer(now)).filter(Boolean).length;
    expect(answers(NOW)).toBe(3);
    expect(answers(NOW + 9 * SECOND)).toBe(0);
    expect(answers(NOW + 10 * SECOND)).toBe(1);
    expect(answers(NOW + 3_600 * SECOND)).toBe(3);
  });

  it('is given 4 MiB an hour', () => {
    const peer = new Peer();
    expect(peer.maySupply(3 * MEBIBYTE, NOW)).toBe(true);
    expect(peer.maySupply(MEBIBYTE + 1, NOW)).toBe(false);
    expect(peer.maySupply(MEBIBYTE, NOW + 3_600 * SECOND)).toBe(true);
    expect(peer.maySupply(1, NOW + 3_600 * SECOND)).toBe(false);
    expect(peer.maySupply(4 * MEBIBYTE, NOW + 3_600 * SECOND + 1)).toBe(true);
  });

  it('has shown what its last hello said', () => {
    const hello = create(HelloSchema, {
      headEpoch: 9n,
      heldFrom: 3n,
      path: packShort([idOf('c'), idOf('b')]),
      others: packShort([idOf('x')]),
    });
    expect(shownBy(hello)).toEqual({
      headEpoch: 9,
      heldFrom: 3,
      path: ['c', 'b'].map((each) => short(idOf(each))),
      onPath: new Set(['b', 'c'].map((each) => short(idOf(each)))),
      others: new Set([short(idOf('x'))]),
    });
  });
});

/** States are called by letters: `a` is epoch 0. */
function idOf(letter: string): string {
  return letter.charCodeAt(0).toString(16).repeat(16);
}

/** One's own branch, one letter an epoch from `begins` on; `root` is the oldest state that is still held. */
function own(path: string, root: string, unprocessable = '', begins = 0): Branches {
  const nodes = [...path].slice(1).map((letter, i) => ({ id: idOf(letter), parent: idOf(path[i]!), epoch: begins + i + 1 }));
  const author = { leaf: 'leaf', index: 0, account: 'alice' };
  const tree = new CommitTree(
    undefined,
    nodes.map((node): CommitNode => ({ ...node, author, removes: [], adds: [] })),
  );
  const unprocessableIds = () => [...unprocessable].map(idOf);
  const ids = tree.path(idOf(path.at(-1)!));
  const headEpoch = begins + path.length - 1;
  return { path: ids, shortPath: ids.map(short), headEpoch, root: idOf(root), unprocessableIds } as unknown as Branches;
}

/** The other's branch, oldest first, which ends in that epoch. */
function theirs(path: string, headEpoch: number): Shown {
  const shown = [...path].reverse().map((letter) => short(idOf(letter)));
  return { headEpoch, heldFrom: 0, path: shown, onPath: new Set(shown), others: new Set() };
}

describe('the branch of another', () => {
  it('is the same where both go on from a state that this device holds', () => {
    expect(sideOf(theirs('abcd', 3), own('abcd', 'b'))).toBe('same');
    expect(sideOf(theirs('abcdef', 5), own('abcd', 'b'))).toBe('same');
    expect(sideOf(theirs('abcx', 3), own('abcd', 'b'))).toBe('same');
    expect(sideOf(theirs('ab', 1), own('abcd', 'b'))).toBe('same');
  });

  it('is another where the fork lies below what this device holds', () => {
    expect(sideOf(theirs('axyz', 3), own('abcd', 'c'))).toBe('other');
    expect(sideOf(theirs('axyzuvw', 6), own('abcd', 'c'))).toBe('other');
  });

  it('is another where this device joined above the fork', () => {
    expect(sideOf(theirs('wxyz', 3), own('d', 'd'))).toBe('other');
    expect(sideOf(theirs('w', 0), own('d', 'd'))).toBe('other');
  });

  it('is another where it goes over a commit that this device can not process', () => {
    expect(sideOf(theirs('abcx', 3), own('abcd', 'b', 'x'))).toBe('other');
    expect(sideOf(theirs('abcd', 3), own('abcd', 'b', 'x'))).toBe('same');
  });

  it('is ahead where it begins above the own head', () => {
    expect(sideOf(theirs('xyz', 9), own('abcd', 'b'))).toBe('ahead');
  });

  it('is behind where it ends below the state in which the own branch begins', () => {
    expect(sideOf(theirs('wxy', 2), own('hi', 'h', '', 8))).toBe('behind');
    expect(sideOf(theirs('wxyz', 3), own('abcd', 'b'))).not.toBe('behind');
  });

  it('can not be told of one that is behind, on the way to where this device is', () => {
    expect(sideOf(theirs('ab', 1), own('abcd', 'c'))).toBe('unknown');
    expect(sideOf({ ...theirs('', 0), path: [], onPath: new Set() }, own('abcd', 'c'))).toBe('unknown');
  });
});
