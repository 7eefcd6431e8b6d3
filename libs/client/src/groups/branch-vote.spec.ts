import { beforeEach, describe, expect, it } from '@jest/globals';
import { type CommitNode, CommitTree, type Member } from '@sotto/mls';
import { BranchVote } from './branch-vote.js';
import type { GroupCore } from './group-core.js';
import { short } from './hello.js';
import { Peers, type Shown } from './peers.js';

const MINUTE = 60_000;
const BEGAN = 1_800_000_000_000;
const HEAD = 'aa'.repeat(16);
const ELSEWHERE = 'bb'.repeat(16);
const BEFORE = 'dd'.repeat(16);
/** The better one of two in one epoch: who wants to follow it does not count for the other. */
const SPOILT = '77'.repeat(16);

let peers: Peers;
let core: GroupCore & { readonly others: Member[] };
let vote: BranchVote;
/** Leaves of those who say that they are out. */
let left: Set<string>;
/** Commits that those who are followed refuse. */
let refused: string[];
/** Whom those commits remove for no other reason than that another branch did. */
let restingElsewhere: Member[];

/** This device was let in at epoch 20 and is still there; the others are two accounts with three devices. */
beforeEach(() => {
  const branches = {
    ...{ ...pathIn([]), head: HEAD, root: HEAD, headEpoch: 20, epoch: () => 20 },
    ...{ unprocessableIds: () => [], byShort: () => undefined, tree: { removed: new Map() } },
  };
  const others = ['bob', 'carol', 'carol'].map((account, i) => ({ id: `leaf ${i}`, identity: { account, device: `device ${i}` } }));
  core = {
    ...{ branches, others, head: HEAD, out: false, dead: false, wantsRejoin: false },
    ports: { rules: { rejoin: true }, own: { account: 'alice' } },
    touch: () => undefined,
  } as unknown as typeof core;
  peers = new Peers();
  left = new Set();
  refused = [];
  restingElsewhere = [];
  vote = new BranchVote(core, peers, left, {
    refusedByOthers: (commits) => void (refused = [...commits]),
    restingElsewhere: (commits) => (commits.includes(SPOILT) ? restingElsewhere : []),
  });
  vote.progress(BEGAN);
});

/** To this device's head, as far as these commits reach. */
function pathIn(commits: readonly CommitNode[]) {
  const path = new CommitTree(undefined, commits).path(HEAD);
  return { path, shortPath: path.map(short) };
}

function showsAll(device: number, shown: Omit<Shown, 'onPath'>, at = BEGAN): void {
  const peer = peers.of(`device ${device}`);
  peer.heard(at);
  peer.shows({ ...shown, onPath: new Set(shown.path) }, at);
}

/** Not so much of its branch that it could tell where that one forks off. */
function shows(device: number, head: string, headEpoch: number, at = BEGAN): void {
  showsAll(device, { headEpoch, heldFrom: headEpoch - 1, path: [short(head)], others: new Set() }, at);
}

function saysRemoved(device: number): void {
  const peer = peers.of(`device ${device}`);
  peer.heard(BEGAN);
  peer.saysRemoved = true;
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

  describe('is decided by accounts alone, and of as many by the better head', () => {
    /** Two accounts here with a second device that the others do not know of, and two there. */
    function evenly(here: string, there: string): void {
      const [second, dave] = [
        { identity: { account: 'alice', device: 'device 3' } },
        { identity: { account: 'dave', device: 'device 4' } },
      ];
      core.others.push(second as never, dave as never);
      Object.assign(core, { head: here });
      Object.assign(core.branches, { head: here, root: here });
      for (const device of [0, 3]) shows(device, here, 20);
      for (const device of [1, 4]) shows(device, there, 20);
    }

    it('which the others have', () => {
      evenly(ELSEWHERE, HEAD);
      expect(wantsAt(BEGAN)).toBe(true);
    });

    it('which is the own', () => {
      evenly(HEAD, ELSEWHERE);
      expect(wantsAt(BEGAN)).toBe(false);
    });
  });

  it('is decided by those who hold the state where the branches part and know both, and by nobody who holds it not', () => {
    const byBob = { id: HEAD, parent: BEFORE, epoch: 20, author: { leaf: 'leaf', index: 1, account: 'bob' }, removes: [], adds: [] };
    const more = ['dave', 'erin'].map((account, i) => ({ identity: { account, device: `device ${3 + i}` } }));
    core.others.push(...(more as never[]));
    Object.assign(core.branches, pathIn([byBob]));
    const path = [ELSEWHERE, BEFORE].map(short);
    const showsPath = (device: number, heldFrom: number, others: readonly string[]) =>
      showsAll(device, { headEpoch: 20, heldFrom, path, others: new Set(others.map(short)) });
    for (const device of [3, 4]) shows(device, HEAD, 20);
    for (const device of [0, 1]) showsPath(device, 20, [HEAD]);
    expect(wantsAt(BEGAN)).toBe(false);
    for (const device of [0, 1]) showsPath(device, 19, []);
    expect(wantsAt(BEGAN)).toBe(false);
    for (const device of [0, 1]) showsPath(device, 19, [HEAD]);
    expect(wantsAt(BEGAN)).toBe(true);
  });

  it('is decided, of as many on either side, by who has long known both', () => {
    const bobShows = (others: readonly string[]) =>
      showsAll(0, { headEpoch: 20, heldFrom: 20, path: [short(ELSEWHERE)], others: new Set(others.map(short)) });
    bobShows([]);
    expect(wantsAt(BEGAN + 2 * MINUTE)).toBe(false);
    bobShows([HEAD]);
    expect(wantsAt(BEGAN + MINUTE)).toBe(false);
    expect(wantsAt(BEGAN + 2 * MINUTE)).toBe(true);
  });

  it('counts who says that this device is removed where it is, and no longer than that', () => {
    saysRemoved(0);
    expect(wantsAt(BEGAN)).toBe(false);
    saysRemoved(1);
    expect(wantsAt(BEGAN)).toBe(true);
    peers.of('device 1').saysRemoved = false;
    shows(1, HEAD, 20);
    expect(wantsAt(BEGAN)).toBe(false);
  });

  it('is decided by one of two accounts that has long said so, where nobody else is heard, and not by one of three', () => {
    saysRemoved(0);
    expect(wantsAt(BEGAN + 2 * MINUTE)).toBe(false);
    core.others.splice(1);
    expect(wantsAt(BEGAN + MINUTE)).toBe(false);
    expect(wantsAt(BEGAN + 2 * MINUTE)).toBe(true);
    core.others.push({ identity: { account: 'alice', device: 'device 3' } } as never);
    shows(3, HEAD, 20);
    expect(wantsAt(BEGAN + 2 * MINUTE)).toBe(false);
  });

  it('is decided by another device of the account that has long said so, where nobody else is heard', () => {
    core.others.push({ id: 'leaf 3', identity: { account: 'alice', device: 'device 3' } } as never);
    saysRemoved(3);
    expect(wantsAt(BEGAN + MINUTE)).toBe(false);
    expect(wantsAt(BEGAN + 2 * MINUTE)).toBe(true);
    shows(0, HEAD, 20);
    expect(wantsAt(BEGAN + 2 * MINUTE)).toBe(false);
  });

  it('does not count who says that he is out: there is nothing to follow where he stopped', () => {
    for (const device of [0, 1]) shows(device, ELSEWHERE, 20);
    expect(wantsAt(BEGAN)).toBe(true);
    for (const leaf of ['leaf 0', 'leaf 1']) left.add(leaf);
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
      showsAll(device, { headEpoch: 9, heldFrom: 8, path, others: new Set() });
    }
    expect(wantsAt(BEGAN + 2 * MINUTE)).toBe(false);
    shows(2, ELSEWHERE, 9);
    expect(wantsAt(BEGAN + 4 * MINUTE)).toBe(true);
  });
});

describe('a commit that only some can process', () => {
  /** On the state before it there is another, which everybody can process. */
  function isForked(unprocessable: readonly string[]): void {
    const commits = [HEAD, SPOILT].filter((id) => !unprocessable.includes(id));
    const nodes = commits.map((id, index) => ({
      ...{ id, parent: BEFORE, epoch: 20, removes: [], adds: [] },
      author: { leaf: `leaf ${index}`, index, account: `author ${index}` },
    }));
    const known = new Map([...commits, BEFORE].map((id) => [short(id), id]));
    Object.assign(core.branches, {
      ...{ ...pathIn(nodes), root: BEFORE, epoch: () => 19 },
      ...{ unprocessableIds: () => unprocessable, byShort: (id: string) => known.get(id) },
    });
  }

  const stands = (device: number, head: string, others: readonly string[]) =>
    showsAll(device, { headEpoch: 20, heldFrom: 19, path: [head, BEFORE].map(short), others: new Set(others.map(short)) });

  /** Three minutes later: nobody has moved. */
  const follows = () => wantsAt(BEGAN + 3 * MINUTE);

  describe('where it can not be processed', () => {
    beforeEach(() => isForked([SPOILT]));

    it('is followed by a new leaf, if those of two accounts follow it and know what is here', () => {
      core.others.push(
        { identity: { account: 'dave', device: 'device 3' } } as never,
        { identity: { account: 'erin', device: 'device 4' } } as never,
      );
      for (const device of [1, 3, 4]) stands(device, HEAD, [SPOILT]);
      stands(0, SPOILT, []);
      stands(2, SPOILT, [HEAD]);
      expect(follows()).toBe(false);
      stands(0, SPOILT, [HEAD]);
      expect(follows()).toBe(true);
    });

    it('is not followed for one account alone that is no majority', () => {
      stands(0, HEAD, [SPOILT]);
      stands(1, SPOILT, [HEAD]);
      expect(follows()).toBe(false);
    });
  });

  describe('where it can', () => {
    beforeEach(() => {
      isForked([]);
      Object.assign(core, { head: SPOILT });
      const path = [SPOILT, BEFORE];
      Object.assign(core.branches, { head: SPOILT, path, shortPath: path.map(short) });
    });

    it('is left by one account alone, when most know it and have stayed elsewhere for a minute', () => {
      for (const device of [0, 1]) stands(device, HEAD, [SPOILT]);
      expect(wantsAt(BEGAN + MINUTE)).toBe(false);
      expect(wantsAt(BEGAN + MINUTE + 1)).toBe(true);
    });

    it('is known as the one that those refuse who are followed, as long as they are', () => {
      stands(0, HEAD, [SPOILT]);
      expect(follows()).toBe(false);
      shows(1, ELSEWHERE, 20);
      expect(follows()).toBe(true);
      expect(refused).toEqual([SPOILT]);
      for (const device of [0, 1]) stands(device, SPOILT, []);
      expect(follows()).toBe(false);
      expect(refused).toEqual([]);
    });

    it('is not left as long as the others have not seen it, or want to follow it', () => {
      for (const device of [0, 1]) stands(device, HEAD, []);
      expect(follows()).toBe(false);
      for (const device of [0, 1]) stands(device, HEAD, [SPOILT]);
      for (const device of ['device 0', 'device 1']) peers.of(device).wantsRejoin = true;
      expect(follows()).toBe(false);
    });

    it('is not left for those alone who are heard first after a start', () => {
      const strangers = ['dave', 'erin', 'frank', 'grace'].map((account, i) => ({ identity: { account, device: `device ${3 + i}` } }));
      core.others.push(...(strangers as never[]));
      for (const device of [0, 1]) stands(device, HEAD, [SPOILT]);
      expect(follows()).toBe(false);
      stands(3, HEAD, [SPOILT]);
      expect(follows()).toBe(true);
    });

    it('is left by who is alone there, when most of those who list it elsewhere have stayed there', () => {
      const elsewhere = core.others.splice(0);
      Object.assign(core, { ownLeaf: { id: 'own' } });
      Object.assign(core.branches, { membership: { besideElsewhere: (leaf: string) => (leaf === 'own' ? elsewhere : []) } });
      stands(0, HEAD, [SPOILT]);
      expect(follows()).toBe(false);
      stands(1, HEAD, [SPOILT]);
      expect(follows()).toBe(true);
    });

    it('is left by who is alone there, when two accounts that it has removed stay together elsewhere', () => {
      const removed = core.others.splice(0, 2);
      const all = [...removed, { id: 'leaf 3', identity: { account: 'dave', device: 'device 3' } }];
      core.others.length = 0;
      Object.assign(core, { ownLeaf: { id: 'own' } });
      const membership = { besideElsewhere: (leaf: string) => (leaf === 'own' ? all : []) };
      const tree = {
        removed: new Map(all.map(({ id }) => [id, SPOILT])),
        lineage: (leaves: string[]) => new Set(leaves),
        get: () => undefined,
      };
      Object.assign(core.branches, { membership, tree, helloKey: () => 'key' });
      stands(0, HEAD, [SPOILT]);
      stands(1, BEFORE, [SPOILT]);
      expect(follows()).toBe(false);
      stands(3, ELSEWHERE, [SPOILT]);
      expect(follows()).toBe(false);
      stands(1, HEAD, [SPOILT]);
      peers.of('device 1').wantsRejoin = true;
      expect(follows()).toBe(false);
      peers.of('device 1').wantsRejoin = false;
      expect(follows()).toBe(true);
      expect(refused).toEqual([SPOILT]);
      left.add('leaf 1');
      expect(follows()).toBe(false);
    });

    it('is not held by the word of who was elsewhere when it last spoke, a day ago, and by who was here it is', () => {
      const day = 24 * 60 * MINUTE;
      core.others.push({ id: 'leaf 3', identity: { account: 'dave', device: 'device 3' } } as never);
      for (const device of [0, 1]) stands(device, HEAD, [SPOILT]);
      for (const head of [SPOILT, BEFORE]) {
        showsAll(3, { headEpoch: 20, heldFrom: 19, path: [head, BEFORE].map(short), others: new Set() });
        expect(wantsAt(BEGAN + day)).toBe(false);
        expect(wantsAt(BEGAN + day + 1)).toBe(head === BEFORE);
      }
    });

    it('is left by one account alone also when the majority takes the one whom it removes, where that refuses it as well and is a member', () => {
      const more = ['dave', 'erin'].map((account, i) => ({ id: `leaf ${3 + i}`, identity: { account, device: `device ${3 + i}` } }));
      const [dave, erin] = more as unknown as [Member, Member];
      core.others.push(dave);
      Object.assign(core, { member: () => undefined });
      const isMemberIn = (heads: readonly string[]) =>
        Object.assign(core.branches, { members: (state: string) => (heads.includes(state) ? [erin] : []) });
      isMemberIn([HEAD]);
      // Bob was let in above it, and so had no choice.
      showsAll(0, { headEpoch: 20, heldFrom: 20, path: [short(SPOILT)], others: new Set() });
      for (const device of [1, 3, 4]) stands(device, HEAD, [SPOILT]);
      expect(follows()).toBe(false);
      restingElsewhere = [erin];
      stands(4, HEAD, []);
      expect(follows()).toBe(false);
      stands(4, HEAD, [SPOILT]);
      isMemberIn([BEFORE]);
      expect(follows()).toBe(false);
      isMemberIn([HEAD]);
      expect(follows()).toBe(true);
    });

    it('is not left by two accounts', () => {
      core.others.push(
        { identity: { account: 'dave', device: 'device 3' } } as never,
        { identity: { account: 'erin', device: 'device 4' } } as never,
      );
      for (const device of [1, 2, 3, 4]) stands(device, HEAD, [SPOILT]);
      stands(0, SPOILT, [HEAD]);
      expect(follows()).toBe(false);
    });
  });
});

describe('a commit that gave this device another leaf, with which it never came', () => {
  /** Beside the head. */
  const LETS_IN = '55'.repeat(16);
  const path = [ELSEWHERE, LETS_IN, BEFORE].map(short);

  const stand = (others: readonly string[], devices = [0, 1]) => {
    for (const device of devices) showsAll(device, { headEpoch: 21, heldFrom: 19, path, others: new Set(others.map(short)) });
  };

  /** `replaces`: the leaf for which it gives another. */
  function isForked({ replaces, helloKey }: { readonly replaces: string; readonly helloKey?: Uint8Array }): void {
    const author = { leaf: 'leaf 0', index: 1, account: 'bob' };
    const commits = [
      { id: HEAD, parent: BEFORE, epoch: 20, author, removes: [], adds: [] },
      { id: LETS_IN, parent: BEFORE, epoch: 20, author, removes: [], adds: [], replaces: [{ old: replaces, fresh: 'fresh' }] },
    ];
    const known = new Map([HEAD, LETS_IN, BEFORE].map((id) => [short(id), id]));
    Object.assign(core, { ownLeaf: { id: 'own' } });
    Object.assign(core.branches, {
      ...{ ...pathIn(commits), root: BEFORE, epoch: () => 19, tree: new CommitTree(undefined, commits) },
      ...{ byShort: (id: string) => known.get(id), helloKey: (id: string) => (id === LETS_IN ? helloKey : new Uint8Array(32)) },
    });
  }

  it('is followed by a new one, once those who know both branches have stayed behind it for a minute', () => {
    isForked({ replaces: 'own' });
    stand([HEAD]);
    expect(wantsAt(BEGAN + MINUTE)).toBe(false);
    expect(wantsAt(BEGAN + MINUTE + 1)).toBe(true);
  });

  it('is not followed for those who do not know what is here, and may come yet', () => {
    isForked({ replaces: 'own' });
    stand([]);
    expect(wantsAt(BEGAN + 2 * MINUTE)).toBe(false);
  });

  it('is not followed for one of three accounts', () => {
    isForked({ replaces: 'own' });
    stand([HEAD], [0]);
    shows(1, HEAD, 20);
    expect(wantsAt(BEGAN + 2 * MINUTE)).toBe(false);
  });

  it('is compared like any other where its keys are here, or it let in another', () => {
    isForked({ replaces: 'own', helloKey: new Uint8Array(32) });
    stand([HEAD]);
    expect(wantsAt(BEGAN + 2 * MINUTE)).toBe(false);
    isForked({ replaces: 'leaf 2' });
    expect(wantsAt(BEGAN + 2 * MINUTE)).toBe(false);
  });
});
