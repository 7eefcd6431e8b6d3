import { fromBinary } from '@bufbuild/protobuf';
import {
  type CommitNode,
  type CommitTree,
  decodeGroupData,
  judgeChange,
  type LeafId,
  type Member,
  type MlsEngine,
  MlsError,
  type Opened,
  type StateId,
} from '@sotto/mls';
import { CommitAuthenticatedDataSchema, type LeaveStatement, toHex } from '@sotto/protocol';
import type { HeldStates } from './held-states.js';
import { leaveStatementBytes } from './statements.js';

/** What a commit changes, with the right by which it does. */
export type JudgedChange = Pick<
  Extract<Opened, { kind: 'commit' }>,
  'authenticatedData' | 'addedMembers' | 'removedMembers' | 'groupData' | 'groupDataChanged'
>;

/** Why a change may not be: the policy is against it, its right comes from a commit that is not here, or from one of which this device can't tell whose branch it is on. */
export type Judgement = { readonly refused: string } | { readonly waitsFor: StateId } | { readonly hidden: StateId } | undefined;

/** Whether members may do what their commits do. */
export class CommitJudge {
  constructor(
    private readonly group: string,
    private readonly engine: MlsEngine,
    private readonly tree: CommitTree,
    private readonly states: HeldStates,
    /** Of any state that is known, held or not. */
    private readonly epochOf: (state: StateId) => number | undefined,
  ) {}

  /** A pure function of the parent state, the change, and the commits of other branches that it names. */
  judge(parent: StateId, author: Member, change: JudgedChange): Judgement {
    try {
      const { removedBy, addedBy, left } = fromBinary(CommitAuthenticatedDataSchema, change.authenticatedData);
      const before = this.states.members(parent);
      const named = [...removedBy, ...addedBy].map(toHex);
      const elsewhere = (ids: readonly Uint8Array[]) => ids.flatMap((id) => this.#onAnotherBranch(toHex(id), parent) ?? []);
      const data = this.states.data(parent);
      const refused = judgeChange({
        author,
        before,
        data,
        added: change.addedMembers,
        removed: change.removedMembers,
        dataAfter: change.groupDataChanged ? decodeGroupData(change.groupData) : data,
        left: new Set(left.flatMap((each) => this.#signedLeave(parent, each))),
        removedElsewhere: this.#removedBy(removedBy, parent),
        addedElsewhere: new Set(elsewhere(addedBy).flatMap(({ adds }) => adds)),
      });
      if (refused === undefined) return undefined;
      const waitsFor = named.find((id) => !this.tree.has(id));
      if (waitsFor !== undefined) return { waitsFor };
      const hidden = named.find((id) => this.#isHidden(id, parent)) ?? removedBy.map(toHex).find((id) => !this.#meet(id, parent));
      return hidden === undefined ? { refused } : { hidden };
    } catch (error) {
      return { refused: error instanceof MlsError ? error.reason : 'malformed' };
    }
  }

  /** Wherever these commits are: no leaf that this very branch removed is in the parent state, nor one that it replaced or that replaced it. */
  #removedBy(ids: readonly Uint8Array[], parent: StateId): ReadonlySet<LeafId> {
    const commits = ids.flatMap((id) => this.tree.get(toHex(id)) ?? []);
    const leaves = commits.flatMap(({ id, removes }) => [...this.tree.withReplaced(removes, id)]);
    return this.tree.withReplacements(leaves, parent);
  }

  /** What this very branch did is known to the parent state, and gives no right beyond it. */
  #onAnotherBranch(id: StateId, parent: StateId): CommitNode | undefined {
    return this.tree.descends(parent, id) || this.#isHidden(id, parent) ? undefined : this.tree.get(id);
  }

  /** What is known of the parent's branch begins above it: it may be on that branch, or on another. */
  #isHidden(id: StateId, parent: StateId): boolean {
    const path = this.tree.path(parent);
    return !path.includes(id) && (this.tree.get(id)?.epoch ?? 0) <= (this.epochOf(path.at(-1)!) ?? 0);
  }

  /** Else it is not known where their branches part, nor who has rejoined since. */
  #meet(id: StateId, parent: StateId): boolean {
    const path = new Set(this.tree.path(parent));
    return this.tree.path(id).some((each) => path.has(each));
  }

  /** Leaves of the device that has signed: the one that it says, or that by which it has rejoined since. */
  #signedLeave(parent: StateId, { leaf, signature }: LeaveStatement): LeafId[] {
    const said = toHex(leaf);
    const leaves = this.tree.withReplacements([said], parent);
    const hasSigned = ({ signatureKey }: Member) =>
      this.engine.verify(signatureKey, 'leave', leaveStatementBytes(this.group, said), signature);
    return this.states.members(parent).flatMap((member) => (leaves.has(member.id) && hasSigned(member) ? member.id : []));
  }
}
