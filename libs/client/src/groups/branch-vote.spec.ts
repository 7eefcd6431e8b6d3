import { beforeEach, describe, expect, it } from '@jest/globals';
import { CommitTree } from '@sotto/mls';
import { BranchVote } from './branch-vote.js';
import type { GroupCore } from './group-core.js';
import { short } from './hello.js';
import { Peers } from './peers.js';

const MINUTE = 60_000;
const BEGAN = 1_800_000_000_000;
const HEAD = 'aa'.repeat(16);
const ELSEWHERE = 'bb'.repeat(16);

let peers: Peers;
let core: GroupCore;
let vote: BranchVote;

/** This device was let in at epoch 20 and is still there; the others are two accounts with three devices. */
beforeEach(() => {
  const branches = { tree: new CommitTree(), head: HEAD, root: HEAD, headEpoch: 20, epoch: () => 20, unprocessableIds: () => [] };
  const others = ['bob', 'carol', 'carol'].map((account, i) => ({ identity: { account, device: `device ${i}` } }));
  core = {
    ...{ branches, others, head: HEAD, out: false, dead: false, wantsRejoin: false },
    ports: { rules: { rejoin: true } },
    touch: () => undefined,
  } as unknown as GroupCore;
  peers = new Peers();
  vote = new BranchVote(core, peers);
  vote.progress(BEGAN);
});

/** Not so much of its branch that it could tell where that one forks off. */
function shows(device: number, head: string, headEpoch: number, at = BEGAN): void {
  peers.of(`device ${device}`).shows({ headEpoch, heldFrom: headEpoch - 1, path: [short(head)], others: new Set() }, at);
}

function wantsAt(now: number): boolean {
  vote.count(now);
  return core.wantsRejoin;
}

describe('whether others on another branch are followed', () => {
  it('is decided by more of them than are here', () => {
    shows(0, ELSEWHERE, 20);
    shows(1, HEAD, 20);
    expect(wantsAt(BEGAN)).toBe(false);
    shows(1, ELSEWHERE, 20);
    expect(wantsAt(BEGAN)).toBe(true);
  });

  it('counts who says that this device is removed where it is, and no longer than that', () => {
    peers.of('device 0').saysRemoved = true;
    expect(wantsAt(BEGAN)).toBe(false);
    peers.of('device 1').saysRemoved = true;
    expect(wantsAt(BEGAN)).toBe(true);
    peers.of('device 1').saysRemoved = false;
    shows(1, HEAD, 20);
    expect(wantsAt(BEGAN)).toBe(false);
  });

  it('does not count who would follow in turn, unless that one stands further on: one of the two stays', () => {
    for (const device of [0, 1]) shows(device, ELSEWHERE, 20);
    expect(wantsAt(BEGAN)).toBe(true);
    for (const device of ['device 0', 'device 1']) peers.of(device).wantsRejoin = true;
    expect(wantsAt(BEGAN)).toBe(false);
    for (const device of [0, 1]) shows(device, '00'.repeat(16), 20);
    expect(wantsAt(BEGAN)).toBe(true);
  });

  it('counts whose branch ends below where the own one begins once they have stood there for a minute', () => {
    for (const device of [0, 1]) shows(device, ELSEWHERE, 9);
    expect(wantsAt(BEGAN + MINUTE)).toBe(false);
    shows(1, 'cc'.repeat(16), 10, BEGAN + MINUTE);
    expect(wantsAt(BEGAN + MINUTE + 1)).toBe(false);
    expect(wantsAt(BEGAN + 2 * MINUTE + 1)).toBe(true);
  });

  it('is not decided by those who are behind: they hold what is below the own root, and have compared nothing', () => {
    shows(2, HEAD, 20);
    for (const device of [0, 1]) {
      const path = [ELSEWHERE, 'cc'.repeat(16)].map(short);
      peers.of(`device ${device}`).shows({ headEpoch: 9, heldFrom: 8, path, others: new Set() }, BEGAN);
    }
    expect(wantsAt(BEGAN + 2 * MINUTE)).toBe(false);
    shows(2, ELSEWHERE, 9);
    expect(wantsAt(BEGAN + 4 * MINUTE)).toBe(true);
  });
});
