import type { CommitTree, GroupState, LeafId, Member, StateId } from '@sotto/mls';
import type { StoredCommit } from './stored-commit.js';

/** What of a group's branches tells who is in it. */
interface Lineage {
  readonly head: StateId;
  readonly root: StateId;
  readonly path: readonly StateId[];
  readonly tree: CommitTree;
  readonly commits: ReadonlyMap<StateId, StoredCommit>;
  heldStates(): Iterable<[StateId, GroupState]>;
  members(state: StateId): readonly Member[];
  epoch(state: StateId): number | undefined;
}

/** Who is in a group and who was, on the branch that is followed and on others. */
export class Membership {
  constructor(private readonly branches: Lineage) {}

  /** As the head lists it; else the end of another branch, if that one alone let it in; else the newest state that does. */
  find(device: string): Member | undefined {
    const { head, path, tree } = this.branches;
    const memberIn = (state: StateId) => this.branches.members(state).find(({ identity }) => identity.device === device);
    const inHead = memberIn(head);
    if (inHead !== undefined) return inHead;
    const newestFirst = [...this.branches.heldStates()].sort(([, a], [, b]) => Number(b.epoch - a.epoch)).map(([id]) => id);
    const passed = new Set(path.map((state) => memberIn(state)?.id));
    const elsewhere = newestFirst.filter((state) => tree.isEnd(state)).map(memberIn);
    const standing = elsewhere.find((member) => member !== undefined && !passed.has(member.id) && !tree.removed.has(member.id));
    return standing ?? newestFirst.map(memberIn).find((member) => member !== undefined) ?? this.#findNewcomer(device);
  }

  /** Who is beside a leaf where other branches end, removed here or not. */
  besideElsewhere(leaf: LeafId): Member[] {
    const { head, tree } = this.branches;
    const ends = [...this.branches.heldStates()].map(([id]) => id).filter((id) => id !== head && tree.isEnd(id));
    const lists = ends.map((id) => this.branches.members(id)).filter((members) => members.some(({ id }) => id === leaf));
    return lists.flat().filter(({ id }) => id !== leaf);
  }

  #findNewcomer(device: string): Member | undefined {
    for (const { newcomers = [] } of this.branches.commits.values()) {
      const found = newcomers.find(({ identity }) => identity.device === device);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** As it was when a commit removed it last. */
  findRemoved(device: string): Member | undefined {
    return this.#removals().get(device)?.member;
  }

  /** Who was removed for good by commits that are here: each device as it was in the latest epoch that ended with its removal. */
  former(): Member[] {
    return [...this.#removals().values()].map(({ member }) => member);
  }

  /** Whether the device was removed for good on the way to the head since the leaf came. */
  wasRemovedSince(leaf: LeafId, device: string): boolean {
    const entered = this.branches.epoch(this.entryOf(leaf) ?? this.branches.root) ?? 0;
    return (this.#removals().get(device)?.epoch ?? 0) > entered;
  }

  /** By device. */
  #removals(): Map<string, { readonly member: Member; readonly epoch: number }> {
    const latest = new Map<string, { readonly member: Member; readonly epoch: number }>();
    for (const { node, removed = [] } of this.branches.commits.values()) {
      for (const member of removed) {
        const { device } = member.identity;
        if (node.epoch > (latest.get(device)?.epoch ?? -1)) latest.set(device, { member, epoch: node.epoch });
      }
    }
    return latest;
  }

  /** The state of the head's branch that let this leaf in; the oldest one that is known there, if it was there before. */
  entryOf(leaf: LeafId): StateId | undefined {
    const { path, commits } = this.branches;
    return path.find((id) => commits.get(id)?.newcomers?.some((each) => each.id === leaf)) ?? path.at(-1);
  }
}
