import { type CommitNode, type GroupState, type Member, type MlsProvider, type Replacement, type StateId } from '@sotto/mls';
import { fromHex, ID_BYTES, toHex } from '@sotto/protocol';
import type { Recipient } from './group-ports.js';
import type { Intent } from './intent.js';

/** A commit that proved valid here: its place in the tree, and what is needed to hand it on. */
export interface StoredCommit {
  readonly node: CommitNode;
  readonly bytes: Uint8Array;
  /** Under which hellos from the state that it makes are sealed; absent where that state was never held. */
  readonly helloKey?: Uint8Array | undefined;
  /** Why this device made it. */
  readonly intents?: readonly Intent[] | undefined;
  /** The refresh that it made. */
  readonly refresh?: string | undefined;
  /** Whom it removes for good: they may come back long after, and be told. */
  readonly removed?: readonly Member[] | undefined;
  /** Whom it lets in: they may be on that branch, and its state let go of. */
  readonly newcomers?: readonly Member[] | undefined;
}

/** The result of a commit of one's own: it can't be had from the wire. */
export interface OwnResult extends StoredCommit {
  readonly welcome?: Uint8Array | undefined;
  /** Whom it lets in. */
  readonly added: readonly Recipient[];
  readonly epochPart: Uint8Array;
  readonly ratchets: Uint8Array;
}

export interface OwnCommit extends Pick<
  OwnResult,
  'node' | 'bytes' | 'intents' | 'refresh' | 'removed' | 'newcomers' | 'welcome' | 'added'
> {
  readonly state: GroupState;
  /** The parent's state after the commit was sealed in it. */
  readonly parent: GroupState;
}

type Hash = Pick<MlsProvider, 'sha256'>;

export function commitId(bytes: Uint8Array, provider: Hash): StateId {
  return toHex(provider.sha256(bytes).slice(0, ID_BYTES));
}

/** What a commit does to the members before it: a leaf whose device is added again has rejoined, and is not removed. */
export function effectOf(
  before: readonly Member[],
  { added, removed }: { readonly added: readonly Member[]; readonly removed: readonly Member[] },
): Pick<CommitNode, 'removes' | 'adds' | 'replaces'> {
  const freshOf = ({ identity: { account, device } }: Member) =>
    added.find(({ identity }) => identity.device === device && identity.account === account);
  const removes = removed.filter((member) => freshOf(member) === undefined).map(({ id }) => id);
  const replaces = removed.flatMap((member): Replacement[] => {
    const fresh = freshOf(member);
    return fresh === undefined ? [] : [{ old: member.id, fresh: fresh.id }];
  });
  return { removes, adds: letIn(before, added), ...(replaces.length > 0 && { replaces }) };
}

/** Accounts that had no device in the group before. */
function letIn(before: readonly Member[], added: readonly Member[]): string[] {
  const present = new Set(before.map(({ identity }) => identity.account));
  return [...new Set(added.map(({ identity }) => identity.account))].filter((account) => !present.has(account));
}

export function genesis(group: string, provider: Hash): StateId {
  const label = new TextEncoder().encode('sotto v1 group');
  const id = fromHex(group);
  const all = new Uint8Array(label.length + id.length);
  all.set(label);
  all.set(id, label.length);
  return commitId(all, provider);
}
