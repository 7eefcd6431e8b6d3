import {
  type CommitNode,
  type DeviceIdentity,
  type GroupState,
  type Member,
  type MlsEngine,
  MlsError,
  type Opened,
  type StateId,
} from '@sotto/mls';
import type { CommitJudge } from './commit-judge.js';
import type { GroupPorts, Step } from './group-ports.js';
import type { OutOfReach } from './out-of-reach.js';
import { commitId, effectOf, type StoredCommit } from './stored-commit.js';

export type Entered =
  | { readonly is: 'entered'; readonly node: CommitNode }
  | { readonly is: 'known' }
  /** Its parent, or the commit that gives it its right, is not here yet. */
  | { readonly is: 'later'; readonly waitsFor: StateId }
  /** The parent's state is gone: it can't be judged any more. */
  | { readonly is: 'too-old' }
  /** `own`: made by this leaf, and this device knows nothing of it. `author`: who made a commit that can't be processed here. */
  | { readonly is: 'refused'; readonly own: boolean; readonly author?: DeviceIdentity | undefined };

type OpenedCommit = Extract<Opened, { kind: 'commit' }>;

/** What of a group's branches a commit meets that wants to be put there. */
interface Ground {
  isKnown(id: StateId): boolean;
  /** Made by this device. */
  enterOwn(id: StateId, step: Step): CommitNode | undefined;
  reach(state: StateId, step: Step): Promise<GroupState | undefined>;
  isPast(state: StateId, message: Uint8Array): boolean;
  /** Members may go on there, who still hold it. */
  isLetGo(state: StateId): boolean;
  members(state: StateId): readonly Member[];
  epoch(state: StateId): number | undefined;
  put(commit: StoredCommit, state: GroupState | undefined, step: Step): Promise<void>;
}

/** The way of another's commit to the branches: it is judged on its parent state, waits for what it needs, or is refused. */
export class Entering {
  constructor(
    private readonly ports: GroupPorts,
    private readonly ground: Ground,
    private readonly commitJudge: CommitJudge,
    private readonly outOfReach: OutOfReach,
  ) {}

  /** `isLastTry`: what gives it its right will not come any more. */
  async enter(parent: StateId, bytes: Uint8Array, step: Step, isLastTry: boolean): Promise<Entered> {
    const { ground } = this;
    const id = commitId(bytes, this.ports.provider);
    if (ground.isKnown(id)) return { is: 'known' };
    if (this.outOfReach.isRefused(id, parent)) return { is: 'refused', own: false };
    const own = ground.enterOwn(id, step);
    if (own !== undefined) {
      this.ports.count('own-commit-recovered');
      return { is: 'entered', node: own };
    }
    const state = await ground.reach(parent, step);
    if (state === undefined) return this.#withoutParent(id, parent, bytes);
    const opened = await openCommit(this.ports.engine, state, bytes);
    if (opened instanceof MlsError) return this.#unopened(id, parent, opened);
    const author = ground.members(parent).find(({ leaf }) => leaf === opened.senderLeaf)!;
    const judged = this.commitJudge.judge(parent, author, opened);
    if (judged !== undefined && 'waitsFor' in judged) return this.#withoutRight(id, parent, judged.waitsFor, isLastTry);
    if (judged !== undefined) return this.#refuse(id, parent, 'hidden' in judged);
    const node = this.#nodeOf(id, parent, opened, author);
    const removed = opened.removedMembers.filter(({ id: leaf }) => node.removes.includes(leaf));
    const newcomers = opened.addedMembers.length > 0 ? opened.addedMembers : undefined;
    await ground.put({ node, bytes, removed, newcomers }, opened.state.removed ? undefined : opened.state, step);
    return { is: 'entered', node };
  }

  #nodeOf(id: StateId, parent: StateId, opened: OpenedCommit, author: Member): CommitNode {
    return {
      id,
      parent,
      epoch: Number(opened.epoch) + 1,
      author: { leaf: author.id, index: author.leaf, account: author.identity.account },
      ...effectOf(this.ground.members(parent), { added: opened.addedMembers, removed: opened.removedMembers }),
    };
  }

  #withoutParent(id: StateId, parent: StateId, bytes: Uint8Array): Entered {
    if (!this.ground.isPast(parent, bytes)) return { is: 'later', waitsFor: parent };
    // Others may go on there, by states that were let go of here.
    if (this.ground.isLetGo(parent)) return this.#refuse(id, parent, true);
    this.outOfReach.add(id, Number(this.ports.engine.peek(bytes).epoch) + 1);
    return { is: 'too-old' };
  }

  #unopened(id: StateId, parent: StateId, { reason, sender }: MlsError): Entered {
    if (reason === 'own-message-ahead') return { is: 'refused', own: true };
    // Made by a member of that very state: another member may well be able to process it.
    if (sender !== undefined && reason !== 'used-generation') return this.#refuse(id, parent, true, sender);
    // By this leaf, with keys that it has used since: it made two, and was rolled back between them. Anybody in that state can say so; others decide whether to go there.
    if (reason === 'own-message') return this.#refuse(id, parent, true);
    // Not of that state: the hint may be wrong, and the commit good.
    return { is: 'refused', own: false };
  }

  /** Others may have what gives it its right, and go on behind it. */
  #withoutRight(id: StateId, parent: StateId, waitsFor: StateId, isLastTry: boolean): Entered {
    return isLastTry || this.outOfReach.has(waitsFor) ? this.#refuse(id, parent, true) : { is: 'later', waitsFor };
  }

  #refuse(id: StateId, parent: StateId, unprocessable: boolean, author?: DeviceIdentity): Entered {
    this.outOfReach.refuse(id, parent, { epoch: this.ground.epoch(parent)! + 1, unprocessable });
    this.ports.count('commit-refused');
    return { is: 'refused', own: false, author: unprocessable ? author : undefined };
  }
}

/** An error says why it is no commit on that state. */
export async function openCommit(engine: MlsEngine, state: GroupState, bytes: Uint8Array): Promise<OpenedCommit | MlsError> {
  try {
    const opened = await engine.open(state, bytes);
    return opened.kind === 'commit' ? opened : new MlsError('invalid', 'not a commit of this epoch');
  } catch (error) {
    if (error instanceof MlsError) return error;
    throw error;
  }
}
