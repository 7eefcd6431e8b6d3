import type { LeafId, Member } from '@sotto/mls';
import type { LeaveStatement } from '@sotto/protocol';
import type { GroupCore } from './group-core.js';
import type { Step } from './group-ports.js';
import type { Peers } from './peers.js';

/** How long there may be no offer of help, and no word of a member that takes this device for one. */
const UNHELPED_MS = 600_000;
const ALONE_MS = 3_600_000;

/** Whether a device whose leaf is of no use can be let in again, is the one that begins to help, or has to take itself for out. */
export class Hope {
  /** When somebody last offered to let this device in again. */
  #offeredAt = 0;
  #answeredAt = 0;
  /** When somebody last answered who could help, were it needed. */
  #welcomedAt = 0;
  /** Nobody who is there knows the group. */
  #isDeserted = false;

  constructor(
    private readonly core: GroupCore,
    private readonly peers: Peers,
    /** Signed by those who said that they leave, by leaf. */
    private readonly left: ReadonlyMap<LeafId, LeaveStatement>,
  ) {}

  /** In, or told that it is not by others who may be wrong. */
  get isLeft(): boolean {
    return !this.core.out || this.core.expelled;
  }

  restart(): void {
    this.#isDeserted = false;
  }

  tick(step: Step): void {
    if (this.#isLeftAlone(step.now)) this.giveUp(step);
    this.core.isLastHope = this.#isLastHope(step.now);
  }

  /** Members whose devices get what they are asked and never answer. */
  lostMembers(now: number): Member[] {
    const { out, retired, others } = this.core;
    if (out) return [];
    const lost = others.filter(({ identity }) => this.peers.of(identity.device).isLost(now));
    if (lost.length > 0 && !retired) this.#isDeserted = this.peers.haveShownNothing;
    return lost;
  }

  offered({ now }: Step): void {
    this.#offeredAt = now;
    this.#takenBack();
  }

  /** @param canHelp were it needed, the other could let this device in again */
  answered(canHelp: boolean, { now }: Step): void {
    this.#answeredAt = now;
    if (!canHelp) return;
    this.#welcomedAt = now;
    if (!this.core.dead) this.#takenBack();
  }

  /**
   * Out, if the leaf is of no use anyway or this device can't follow, and for long nobody has treated it as a member.
   * @param isSaidByOwn another device of the account says so, which a device that is alone believes: it may be where this one can't look
   */
  giveUp({ now }: Step, isSaidByOwn = false): void {
    const { core } = this;
    const isForsaken = isSaidByOwn && core.others.length === 0;
    const canFollow = !isForsaken && !core.dead && !core.wantsRejoin && core.branches.unprocessableIds().length === 0;
    const welcomedAt = Math.max(this.#offeredAt, core.dead ? 0 : this.#welcomedAt);
    if (canFollow || core.expelled || now - Math.max(core.askingSince, welcomedAt) < UNHELPED_MS) return;
    core.expelled = true;
    core.ports.count('expelled');
    core.touch();
  }

  /**
   * All who are heard need help: the first of them lets another in again, by the leaf that it should not use, and is helped by that one.
   * Where all others are to be removed, nobody will help at all.
   */
  #isLastHope(now: number): boolean {
    const { core, peers } = this;
    if (!core.dead || core.out || now - Math.max(core.askingSince, this.#offeredAt) < UNHELPED_MS) return false;
    if (core.wantsToBeAlone) return true;
    const heard = core.others.filter(({ identity }) => peers.shownBy(identity.device) !== undefined);
    const needy = heard.filter(({ identity }) => peers.of(identity.device).wantsRejoin);
    const able = heard.filter((each) => !needy.includes(each) && !this.left.has(each.id));
    const isFirst = needy.length > 0 && able.length === 0 && needy.every(({ leaf }) => leaf > core.ownLeaf!.leaf);
    return isFirst || (heard.length === 0 && this.#isDeserted);
  }

  /** Members answer, and for long none of them could help: they are out themselves, on branches that this device does not know. */
  #isLeftAlone(now: number): boolean {
    const { core } = this;
    const since = Math.max(core.askingSince, this.#offeredAt);
    return core.dead && !core.isLastHope && now - since > ALONE_MS && now - this.#answeredAt < ALONE_MS;
  }

  #takenBack(): void {
    if (!this.core.expelled) return;
    this.core.expelled = false;
    this.core.touch();
  }
}
