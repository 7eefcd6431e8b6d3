import type { Member, StateId } from '@sotto/mls';
import type { GroupCore } from './group-core.js';
import type { Step } from './group-ports.js';

/** A removal of this device that the others refuse, as nobody there can judge its right, is left to whoever can (docs/groups.md § Rejoining). */
export class LeftRemovals {
  constructor(
    private readonly core: GroupCore,
    /** Whether this device has a right of its own, or the member's word, to remove it from a state. */
    private readonly mayRemove: (member: Member, from: StateId) => boolean,
  ) {}

  /** Steps back from these commits. False, and nothing is done: one of them is something else. */
  leave(refused: readonly StateId[], step: Step): boolean {
    const { core } = this;
    const all = refused.map((commit) => ({ commit, members: this.#restingElsewhere(commit) }));
    if (all.length === 0 || all.some(({ members }) => members.length === 0)) return false;
    for (const { commit, members } of all) {
      core.branches.leaveRemoval(
        commit,
        members.map(({ id }) => id),
      );
      core.ports.count('removal-left');
      core.ports.notify({ kind: 'removal-left', group: core.id, members }, step);
    }
    core.touch();
    return true;
  }

  /** Whom a commit of this device removes for no other reason than that another branch did. */
  #restingElsewhere(id: StateId): Member[] {
    const { branches } = this.core;
    const { node, intents, removed = [] } = branches.commits.get(id) ?? {};
    if (node === undefined || intents?.length !== 0 || !branches.holds(node.parent)) return [];
    return removed.filter((member) => !this.mayRemove(member, node.parent));
  }
}
