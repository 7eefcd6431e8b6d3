import type { LeafId, Member, StateId } from '@sotto/mls';
import type { GroupCore } from './group-core.js';
import { short } from './hello.js';
import { type Peers, type Shown, sideOf } from './peers.js';

/** With no progress for so long, here or there, members whose branch does not reach as far as one's own, or begins above it, count as being on another. */
const STUCK_MS = 60_000;
/** Whoever was elsewhere when it last spoke, so long ago, may be gone for good. */
const SILENT_MS = 86_400_000;

type Side = 'mine' | 'theirs';

/** `refuses`: there, because it can't process what is here. */
type Standing = Side | 'refuses';

/** What is needed of a member, or of this device, to tell whether it has chosen its branch. */
type Choice = Omit<Shown, 'others' | 'onPath'> & {
  readonly account: string;
  readonly others: Pick<Shown['others'], 'has'>;
  readonly isSettled: boolean;
  /** It was elsewhere when it last spoke, long ago: what it would choose now nobody knows. */
  readonly isGone: boolean;
};

/** Accounts, each counted once, on either side. */
interface Votes {
  readonly all: Record<Side, number>;
  /** Those alone who have chosen between the branches. */
  readonly chosen: Record<Side, number>;
  readonly theirsIsBetter: boolean;
  /** One of them knows what is here, and stays: of as many on either side, who can't compare follows who can. So does whoever is abandoned. */
  readonly theirsIsSettled: boolean;
  /** What of this device's branch lies behind the first commits that theirs can't process, with those. */
  readonly refused: readonly StateId[];
}

/** What becomes of own commits that others can't process. */
export interface Refusal {
  /** Those who are followed can't process these commits; none: nobody is followed. */
  refusedByOthers(commits: readonly StateId[]): void;
  /** Whom those of this account remove for no other reason than that another branch did. */
  restingElsewhere(commits: readonly StateId[]): readonly Member[];
}

/** Whether those on a branch that this device can't compare with its own are to be followed (docs/groups.md § Rejoining). */
export class BranchVote {
  #progressAt = 0;
  /** Devices that this one, alone, has removed, and where they are together. */
  #inVain: ReadonlySet<string> = new Set();

  constructor(
    private readonly core: GroupCore,
    private readonly peers: Peers,
    /** By leaf: who says that he is out shows where he stopped, and nobody can follow him there. */
    private readonly left: Pick<ReadonlyMap<LeafId, unknown>, 'has'>,
    private readonly refusal: Refusal,
  ) {}

  progress(now: number): void {
    this.#progressAt = now;
  }

  count(now: number): void {
    const { core } = this;
    if (!core.ports.rules.rejoin || core.out || core.dead) return;
    const votes = this.#votes(now);
    const wants = isLost(votes);
    if (wants === core.wantsRejoin) return;
    this.refusal.refusedByOthers(wants ? votes.refused : []);
    core.wantsRejoin = wants;
    core.touch();
  }

  /** Whether this device wants to be let in where that one is, though it has removed it. */
  followsRemoved(device: string): boolean {
    return this.core.wantsRejoin && this.#inVain.has(device);
  }

  isElsewhere(device: string, now: number): boolean {
    const shown = this.peers.shownBy(device);
    const standing = shown && this.#standing(device, shown, now);
    return standing === 'theirs' || standing === 'refuses';
  }

  #votes(now: number): Votes {
    const own = this.#own();
    const same = [own];
    const there: Choice[] = [];
    const refusing: Choice[] = [];
    const whereRemoved: string[] = [];
    for (const { id, identity } of this.#voters) {
      if (this.left.has(id)) continue;
      const { shown, saysRemoved, wantsRejoin } = this.peers.of(identity.device);
      if (saysRemoved) whereRemoved.push(identity.account);
      if (saysRemoved || shown === undefined) continue;
      const standing = this.#standing(identity.device, shown, now);
      const choice = this.#choiceOf(identity, shown, now);
      if (standing === 'mine') same.push(choice);
      // Who leaves its branch itself does not count there: of two who would follow each other, one stays.
      else if (standing !== undefined && (!wantsRejoin || isBetter(shown, own))) (standing === 'refuses' ? refusing : there).push(choice);
    }
    refusing.push(...this.#removedInVain(now));
    // Whoever is gone holds nobody against those who refuse.
    const here = there.length === 0 && refusing.length > 0 ? same.filter(({ isGone }) => !isGone) : same;
    if (there.length === 0 && refusing.length === 0) return undividedVotes(here, whereRemoved, this.#isAbandoned(here, whereRemoved, now));
    // A few who are heard first after a start are not yet all who refuse.
    const counted = this.#areMost([...here, ...there, ...refusing]) ? [...there, ...refusing] : there;
    const removedThere = counted === there ? [] : this.#removedThere(refusing, now);
    // Whoever is here despite a commit that this device can't process had no choice either.
    const parted = new Partings([...here, ...counted]);
    const others = oneOfEachHead(counted.filter(({ path }) => !this.#canNotFollow(path)));
    return {
      all: { mine: accountsOf(here), theirs: new Set([...counted.map(({ account }) => account), ...whereRemoved, ...removedThere]).size },
      chosen: {
        mine: accountsOf(here.filter((each) => others.some((other) => parted.hasChosen(each, other)))),
        theirs: accountsOf(there.filter((each) => parted.hasChosen(each, own))),
      },
      theirsIsBetter: counted.some((each) => isBetter(each, own)),
      theirsIsSettled: there.some(({ isSettled }) => isSettled),
      refused: counted === there ? [] : this.#refusedBy(refusing),
    };
  }

  /** All others of the head. Who is alone there counts those who list its leaf on another branch: nobody else could tell it to follow. */
  get #voters(): readonly Member[] {
    const { others, branches } = this.core;
    return others.length > 0 ? others : this.#besideElsewhere.filter(({ id }) => !branches.tree.removed.has(id));
  }

  get #besideElsewhere(): readonly Member[] {
    const { ownLeaf, branches } = this.core;
    return ownLeaf === undefined ? [] : branches.membership.besideElsewhere(ownLeaf.id);
  }

  /**
   * Whom this device, alone by now, has removed by what they can't process: two accounts or more stay members to each other where this one could
   * go, and nobody's word will part them. It goes there, and removes them by what they understand.
   */
  #removedInVain(now: number): Choice[] {
    const { others, branches } = this.core;
    this.#inVain = new Set();
    if (others.length > 0) return [];
    const removed = this.#besideElsewhere.filter(({ id }) => branches.tree.removed.has(id) && !this.left.has(id));
    const refusing = removed.flatMap(({ identity }) => {
      const { shown, saysRemoved, wantsRejoin } = this.peers.of(identity.device);
      if (shown === undefined || saysRemoved || wantsRejoin) return [];
      const refuses = this.#standing(identity.device, shown, now) === 'refuses';
      return refuses ? [{ device: identity.device, choice: this.#choiceOf(identity, shown, now) }] : [];
    });
    const togetherWith = (head: string | undefined) => refusing.filter(({ choice }) => choice.path[0] === head);
    const groups = refusing.map(({ choice }) => togetherWith(choice.path[0]));
    const together = groups.find((each) => accountsOf(each.map(({ choice }) => choice)) > 1) ?? [];
    this.#inVain = new Set(together.map(({ device }) => device));
    return together.map(({ choice }) => choice);
  }

  #choiceOf({ account, device }: Member['identity'], shown: Shown, now: number): Choice {
    return { ...shown, account, isSettled: this.#hasSettled(device, shown, now), isGone: this.#isGone(device, shown, now) };
  }

  /**
   * The accounts of those whom what is refused removes, if that is all that speaks against them here, and they refuse it too: where the others are
   * they are members, and vote. Without them each end could have the majority. Beyond their number, nothing that they say counts.
   */
  #removedThere(refusing: readonly Choice[], now: number): string[] {
    const { branches } = this.core;
    const removed = new Set(this.refusal.restingElsewhere(this.#refusedBy(refusing)).map(({ identity }) => identity.device));
    if (removed.size === 0) return [];
    const heads = new Set(refusing.flatMap(({ path }) => branches.byShort(path[0] ?? '') ?? []));
    const members = [...heads].flatMap((head) => branches.members(head)).filter(({ identity }) => removed.has(identity.device));
    return members.flatMap(({ identity }) => {
      const { shown, wantsRejoin, saysRemoved } = this.peers.of(identity.device);
      if (shown === undefined || wantsRejoin || saysRemoved || this.core.member(identity.device) !== undefined) return [];
      return this.#standing(identity.device, shown, now) === 'refuses' ? identity.account : [];
    });
  }

  /** Whether these are of more than half of the accounts in the head. */
  #areMost(heard: readonly Choice[]): boolean {
    return 2 * accountsOf(heard) > this.#accounts;
  }

  /**
   * For long nobody has been heard who is here, and another device of the account says that this one was removed where it is, or half or more of the
   * accounts in the head do.
   */
  #isAbandoned(here: readonly Choice[], whereRemoved: readonly string[], now: number): boolean {
    if (here.length > 1 || now - this.#progressAt <= STUCK_MS) return false;
    return whereRemoved.includes(this.core.ports.own.account) || 2 * new Set(whereRemoved).size >= this.#accounts;
  }

  /** In the head. */
  get #accounts(): number {
    return new Set([this.core.ports.own.account, ...this.core.others.map(({ identity }) => identity.account)]).size;
  }

  #own(): Choice {
    const { branches, ports } = this.core;
    return {
      account: ports.own.account,
      isSettled: false,
      isGone: false,
      headEpoch: branches.headEpoch,
      path: branches.shortPath,
      others: { has: (id) => branches.byShort(id) !== undefined },
      heldFrom: branches.epoch(branches.root)!,
    };
  }

  #canNotFollow(path: readonly string[]): boolean {
    const unprocessable = this.core.branches.unprocessableIds();
    if (unprocessable.length === 0) return false;
    const on = new Set(path);
    return unprocessable.some((id) => on.has(short(id)));
  }

  /** It knows this device's head, and for long has stayed elsewhere. */
  #hasSettled(device: string, { others }: Shown, now: number): boolean {
    const isStuck = now - this.peers.of(device).shownSince > STUCK_MS && now - this.#progressAt > STUCK_MS;
    return isStuck && others.has(short(this.core.head));
  }

  /**
   * It knows this device's head, and for long has stayed where this device could go and does not: it can't process what leads here. Or where
   * this device can't go.
   */
  #leaves(device: string, shown: Shown, now: number): Exclude<Standing, 'mine'> | undefined {
    const theirHead = shown.path[0];
    if (theirHead === undefined || !this.#hasSettled(device, shown, now)) return undefined;
    if (this.core.branches.byShort(theirHead) !== undefined) return 'refuses';
    return this.#isPastLostLeaf(shown) ? 'theirs' : undefined;
  }

  /** Its branch goes through a commit that gave this device a new leaf, whose keys are not here: what follows can't be weighed. */
  #isPastLostLeaf({ path }: Shown): boolean {
    const { branches, ownLeaf } = this.core;
    const own = branches.tree.lineage(ownLeaf === undefined ? [] : [ownLeaf.id]);
    const givesLeaf = (state: StateId) => branches.tree.get(state)?.replaces?.some(({ old }) => own.has(old)) === true;
    return path.some((id) => {
      const state = branches.byShort(id);
      return state !== undefined && branches.helloKey(state) === undefined && givesLeaf(state);
    });
  }

  #refusedBy(refusing: readonly Choice[]): readonly StateId[] {
    return [...new Set(refusing.flatMap((each) => this.#beyond(each)))];
  }

  /** Where this device's branch has left the other's. */
  #beyond({ path }: Pick<Shown, 'path'>): readonly StateId[] {
    const { branches } = this.core;
    const theirs = new Set(path);
    const meeting = branches.shortPath.findIndex((id) => theirs.has(id));
    return branches.path.slice(0, Math.max(0, meeting));
  }

  #isGone(device: string, { path }: Shown, now: number): boolean {
    return now - this.peers.of(device).heardAt > SILENT_MS && path[0] !== short(this.core.head);
  }

  #standing(device: string, shown: Shown, now: number): Standing | undefined {
    const side = sideOf(shown, this.core.branches);
    if (side === 'same') return this.#leaves(device, shown, now) ?? 'mine';
    const isStuck = side === 'ahead' || (side === 'behind' && now - this.peers.of(device).shownSince > STUCK_MS);
    return side === 'other' || (isStuck && now - this.#progressAt > STUCK_MS) ? 'theirs' : undefined;
  }
}

/** Those who have chosen decide, unless it is one account's word against the majority's; if nobody has, the majority. */
function isLost({ all, chosen, theirsIsBetter, theirsIsSettled }: Votes): boolean {
  const areMore = all.theirs > all.mine || (all.theirs === all.mine && (theirsIsBetter || theirsIsSettled));
  if (chosen.theirs === chosen.mine) return areMore;
  if (chosen.theirs > chosen.mine) return chosen.theirs > 1 || all.theirs >= all.mine;
  return chosen.mine === 1 && all.theirs > all.mine;
}

/** Nobody who has shown a branch is on another. */
function undividedVotes(here: readonly Choice[], whereRemoved: readonly string[], theirsIsSettled: boolean): Votes {
  return {
    all: { mine: accountsOf(here), theirs: new Set(whereRemoved).size },
    chosen: { mine: 0, theirs: 0 },
    theirsIsBetter: false,
    theirsIsSettled,
    refused: [],
  };
}

/** Where paths part. Those that end in one head are one path, of which each device knows a part. */
class Partings {
  readonly #longest = new Map<string, Choice>();
  readonly #epochs = new Map<string, ReadonlyMap<string, number>>();

  constructor(choices: readonly Choice[]) {
    for (const each of choices) {
      const head = each.path[0] ?? '';
      if (each.path.length > (this.#longest.get(head)?.path.length ?? 0)) this.#longest.set(head, each);
    }
  }

  /** Whether a device holds the state where another's branch parts from its own, and knows how that one goes on. */
  hasChosen({ path, headEpoch, heldFrom, others }: Choice, other: Choice): boolean {
    const epochs = this.#epochsTo(path[0] ?? '');
    const lowest = headEpoch - path.length + 1;
    const parting = other.path.findIndex((id) => (epochs.get(id) ?? -1) >= lowest);
    if (parting < 0 || epochs.get(other.path[parting]!)! < heldFrom) return false;
    return parting === 0 || others.has(other.path[parting - 1]!);
  }

  /** Of the states on the way to a head. */
  #epochsTo(head: string): ReadonlyMap<string, number> {
    const known = this.#epochs.get(head);
    if (known !== undefined) return known;
    const { path, headEpoch } = this.#longest.get(head) ?? { path: [], headEpoch: 0 };
    const epochs = new Map(path.map((id, i) => [id, headEpoch - i]));
    this.#epochs.set(head, epochs);
    return epochs;
  }
}

/** Those who have most of the path to it. */
function oneOfEachHead(choices: readonly Choice[]): Choice[] {
  const longestLast = [...choices].sort((a, b) => a.path.length - b.path.length);
  return [...new Map(longestLast.map((each) => [each.path[0], each])).values()];
}

/** How many different ones. */
const accountsOf = (choices: readonly Choice[]) => new Set(choices.map(({ account }) => account)).size;

function isBetter(a: Pick<Shown, 'headEpoch' | 'path'>, b: Pick<Shown, 'headEpoch' | 'path'>): boolean {
  return a.headEpoch > b.headEpoch || (a.headEpoch === b.headEpoch && (a.path[0] ?? '') < (b.path[0] ?? ''));
}
