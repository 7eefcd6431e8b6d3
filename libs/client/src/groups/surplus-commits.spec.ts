import { describe, expect, it } from '@jest/globals';
import { CommitTree, type Member } from '@sotto/mls';
import type { StoredCommit } from './stored-commit.js';
import { MOST_COMMITS_OF_ACCOUNT, MOST_LOSING_BYTES, surplusCommits, type Uses } from './surplus-commits.js';

const ROOT = 'root';
const SMALL = 10;
const NO_USES: Uses = { isUsed: () => false, hasMessages: () => false };

interface Made {
  readonly parent?: string;
  readonly by?: string;
  readonly epoch?: number;
  readonly bytes?: number;
  readonly adds?: readonly string[];
  readonly removes?: readonly string[];
}

function commit(id: string, { parent = ROOT, by = 'mallory', epoch = 1, bytes = SMALL, adds = [], removes = [] }: Made = {}): StoredCommit {
  return { node: { id, parent, epoch, author: { leaf: by, index: 0, account: by }, adds, removes }, bytes: new Uint8Array(bytes) };
}

const name = (i: number) => `m${String(i).padStart(4, '0')}`;
const siblings = (count: number, made?: Made) => Array.from({ length: count }, (_, i) => commit(name(i), made));

function surplusOf(losing: readonly StoredCommit[], uses: Partial<Uses> = {}): string[] {
  const tree = new CommitTree(
    undefined,
    losing.map(({ node }) => node),
  );
  return surplusCommits(losing, tree, { ...NO_USES, ...uses });
}

describe('surplus commits', () => {
  it('are none of as many as an honest account makes', () => {
    expect(surplusOf(siblings(MOST_COMMITS_OF_ACCOUNT))).toEqual([]);
  });

  it('of one epoch are all but the best, in whatever order they came', () => {
    const [losing, worst] = [siblings(MOST_COMMITS_OF_ACCOUNT + 2), [name(MOST_COMMITS_OF_ACCOUNT), name(MOST_COMMITS_OF_ACCOUNT + 1)]];
    expect(surplusOf(losing)).toEqual(worst);
    expect(surplusOf([...losing].reverse())).toEqual(worst);
  });

  it('of a long branch are the oldest', () => {
    const branch = siblings(MOST_COMMITS_OF_ACCOUNT + 2).map(({ node }, i) =>
      commit(node.id, { epoch: i + 1, parent: i === 0 ? ROOT : name(i - 1) }),
    );
    expect(surplusOf(branch)).toEqual([name(1), name(0)]);
  });

  it('are counted by account', () => {
    expect(surplusOf([...siblings(MOST_COMMITS_OF_ACCOUNT), commit('of carol', { by: 'carol' })])).toEqual([]);
  });

  it('are none that another account went on from, nor those before it', () => {
    const many = siblings(MOST_COMMITS_OF_ACCOUNT, { epoch: 9 });
    const way = [commit('x1'), commit('x2', { parent: 'x1', epoch: 2 })];
    expect(surplusOf([...many, ...way])).toEqual(['x2', 'x1']);
    expect(surplusOf([...many, ...way, commit('y', { by: 'carol', parent: 'x2', epoch: 3 })])).toEqual([]);
  });

  it.each([
    ['that let somebody in', { adds: ['dave'] }],
    ['that remove somebody', { removes: ['leaf of dave'] }],
  ])('are none %s', (_, made) => {
    expect(surplusOf([...siblings(MOST_COMMITS_OF_ACCOUNT, { epoch: 9 }), commit('x', made)])).toEqual([]);
  });

  it('are none that let in a further device', () => {
    const tablet = { ...commit('x'), newcomers: [{} as Member] };
    expect(surplusOf([...siblings(MOST_COMMITS_OF_ACCOUNT, { epoch: 9 }), tablet])).toEqual([]);
  });

  it.each(['isUsed', 'hasMessages'] as const)('are none of which %s says so, nor those before it', (use) => {
    const many = siblings(MOST_COMMITS_OF_ACCOUNT, { epoch: 9 });
    const way = [commit('x1'), commit('x2', { parent: 'x1', epoch: 2 })];
    expect(surplusOf([...many, ...way], { [use]: (id: string) => id === 'x2' })).toEqual([]);
  });

  it('are the oldest of what is more than a device has room for, whoever made them and whatever they do', () => {
    const large = (id: string, epoch: number) => commit(id, { by: id, epoch, bytes: MOST_LOSING_BYTES / 2, adds: ['dave'] });
    expect(surplusOf([commit('0', { epoch: 0, by: 'erin' }), large('a', 1), large('b', 2), large('c', 3)])).toEqual(['a', '0']);
  });

  it('are never those by whose keys this device has sealed, however large the others are', () => {
    const large = (id: string, epoch: number) => commit(id, { by: id, epoch, bytes: MOST_LOSING_BYTES });
    expect(surplusOf([large('used', 1), large('b', 2), large('c', 3)], { isUsed: (id) => id === 'used' })).toEqual(['b']);
  });
});
