import type { ClientState } from '#ts-mls/clientState.js';
import type { Proposal } from '#ts-mls/proposal.js';
import { sameBytes } from './crypto/bytes.js';
import type { DeviceIdentity } from './device-identity.js';
import { groupDataOf } from './group-data.js';
import type { GroupState } from './group-state.js';
import { membersOf, type Member } from './member.js';
import { removedBy } from './policy.js';

export interface Sender {
  readonly senderLeaf: number;
  readonly senderIdentity: DeviceIdentity;
  readonly authenticatedData: Uint8Array;
}

export interface Applied {
  /** Leaf indices after the commit. */
  readonly added: number[];
  readonly addedMembers: Member[];
  /** Leaf indices before it. */
  readonly removed: number[];
  /** As they were before. */
  readonly removedMembers: Member[];
  readonly groupDataChanged: boolean;
  /** After the commit. */
  readonly groupData: Uint8Array;
}

export type Opened =
  | ({ kind: 'application'; state: GroupState; plaintext: Uint8Array; epoch: bigint; generation: number } & Sender)
  /** `state` is the child; the state that was passed stays good for the messages and other commits of its epoch. */
  | ({ kind: 'commit'; state: GroupState; epoch: bigint } & Applied & Sender)
  /** Sealed in an epoch after that of the state passed. */
  | { kind: 'future-epoch'; epoch: bigint }
  /** Sealed in an epoch before it. */
  | { kind: 'past-epoch'; epoch: bigint };

/** What a commit that is followed from one state to the other has changed. */
export function applied(before: ClientState, after: ClientState, proposals: readonly Proposal[]): Applied {
  const removed = removedBy(proposals);
  const old = membersOf(before.ratchetTree);
  const stayed = new Set(old.map(({ leaf }) => leaf).filter((leaf) => !removed.includes(leaf)));
  const addedMembers = membersOf(after.ratchetTree).filter(({ leaf }) => !stayed.has(leaf));
  const previousData = groupDataOf(before.groupContext.extensions);
  const groupData = proposedGroupData(proposals) ?? previousData;
  return {
    added: addedMembers.map(({ leaf }) => leaf),
    addedMembers,
    removed,
    removedMembers: old.filter(({ leaf }) => removed.includes(leaf)),
    groupDataChanged: !sameBytes(groupData, previousData),
    groupData,
  };
}

/** From the proposals, because a removed member does not learn the new epoch's context. */
function proposedGroupData(proposals: readonly Proposal[]): Uint8Array | undefined {
  for (const proposal of proposals) {
    if (proposal.proposalType === 'group_context_extensions') return groupDataOf(proposal.groupContextExtensions.extensions);
  }
  return undefined;
}
