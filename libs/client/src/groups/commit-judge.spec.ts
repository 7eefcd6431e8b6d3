import { expect, it } from '@jest/globals';
import { create, toBinary } from '@bufbuild/protobuf';
import { type CommitNode, CommitTree, type GroupData, type Member, type MlsEngine, type StateId } from '@sotto/mls';
import { CommitAuthenticatedDataSchema, fromHex } from '@sotto/protocol';
import { CommitJudge, type Judgement } from './commit-judge.js';
import type { HeldStates } from './held-states.js';

/** A state, a leaf or an account, by one letter. */
const idOf = (letter: string): StateId => letter.charCodeAt(0).toString(16).padStart(4, '0').repeat(8);
const memberOf = (letter: string, leaf: number) =>
  ({ id: idOf(letter), leaf, identity: { account: idOf(letter), device: idOf(letter) } }) as Member;
const [ALICE, BOB, CAROL] = [memberOf('a', 0), memberOf('b', 1), memberOf('c', 2)];
const DATA: GroupData = {
  kind: 'group',
  name: 'hiking',
  accounts: [idOf('a')],
  mayAdd: 'admins',
  mayRemove: 'admins',
  mayRename: 'members',
} as unknown as GroupData;

/** What bob's device says, who is no admin, of a removal of carol in state `h` (epoch 9), by right of the commit `x`. */
function judged(commits: readonly CommitNode[], members: readonly Member[]): Judgement {
  const states = { members: () => members, data: () => DATA } as unknown as HeldStates;
  const judge = new CommitJudge('', {} as MlsEngine, new CommitTree(undefined, commits), states, (state) =>
    state === idOf('h') ? 9 : undefined,
  );
  return judge.judge(idOf('h'), BOB, {
    authenticatedData: toBinary(CommitAuthenticatedDataSchema, create(CommitAuthenticatedDataSchema, { removedBy: [fromHex(idOf('x'))] })),
    addedMembers: [],
    removedMembers: [CAROL],
    groupData: new Uint8Array(),
    groupDataChanged: false,
  });
}

const author = { leaf: ALICE.id, index: 0, account: ALICE.identity.account };
/** Of alice, long before what this device knows of the branch of `h`. */
const removalOf = (leaf: string): CommitNode => ({ id: idOf('x'), parent: idOf('w'), epoch: 3, author, removes: [idOf(leaf)], adds: [] });

it('lets a removal hold although nothing tells on which branch it was: it was on another, as the leaf is there', () => {
  expect(judged([removalOf('c')], [ALICE, BOB, CAROL])).toBeUndefined();
});

it('gives no right by the removal of another leaf, nor by a commit that is not here', () => {
  expect(judged([removalOf('d')], [ALICE, BOB, CAROL])).toEqual({ hidden: idOf('x') });
  expect(judged([], [ALICE, BOB, CAROL])).toEqual({ waitsFor: idOf('x') });
});
