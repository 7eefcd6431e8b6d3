import type { GroupCore } from './group-core.js';
import { short } from './hello.js';
import { type Peers, type Shown, sideOf } from './peers.js';

/** With no progress for so long, here or there, members whose branch does not reach as far as one's own, or begins above it, count as being on another. */
const STUCK_MS = 60_000;

type Side = 'mine' | 'theirs';

/** `refuses`: there, because it can't process what is here. */
type Standing = Side | 'refuses';

/** What is needed of a member, or of this device, to tell whether it has chosen its branch. */
type Choice = Omit<Shown, 'others'> & { readonly account: string; readonly others: Pick<Shown['others'], 'has'> };

interface Votes {
  /** Above 0 if theirs are more: accounts, then devices. */
  readonly majority: number;
  /** Devices, of those alone who have chosen between the branches. */
  readonly chosen: Record<Side, number>;
  /** Accounts: on the own side of those who have chosen, on the other of all. */
  readonly accounts: Record<Side, number>;
  readonly theirsIsBetter: boolean;
}

/** Whether those on a branch that this device can't compare with its own are to be followed (docs/groups.md § Rejoining). */
export class BranchVote {
  #progressAt = 0;

  constructor(
    private readonly core: GroupCore,
    private readonly peers: Peers,
  ) {}

  progress(now: number): void {
    this.#progressAt = now;
  }

  count(now: number): void {
    const { core } = this;
    if (!core.ports.rules.rejoin || core.out || core.dead) return;
    const wants = this.#isLost(now);
    if (wants === core.wantsRejoin) return;
    core.wantsRejoin = wants;
    core.touch();
  }

  isElsewhere(device: string, now: number): boolean {
    const shown = this.peers.shownBy(device);
    const standing = shown && this.#standing(device, shown, now);
    return standing === 'theirs' || standing === 'refuses';
  }

  /** Those who have chosen decide, unless it is one account's word against the majority's; if nobody has, the majority. */
  #isLost(now: number): boolean {
    const { majority, chosen, accounts, theirsIsBetter } = this.#votes(now);
    const areMore = majority > 0 || (majority === 0 && theirsIsBetter);
    if (chosen.theirs === chosen.mine) return areMore;
    if (chosen.theirs > chosen.mine) return areMore || majority === 0 || accounts.theirs > 1;
    return majority > 0 && accounts.mine === 1;
  }

  #votes(now: number): Votes {
    const own = this.#own();
    const here = [own];
    const there: (Choice & { readonly refuses: boolean })[] = [];
    const whereRemoved: string[] = [];
    for (const { identity } of this.core.others) {
      const { shown, saysRemoved, wantsRejoin } = this.peers.of(identity.device);
      const { account } = identity;
      if (saysRemoved) whereRemoved.push(account);
      if (saysRemoved || shown === undefined) continue;
      const standing = this.#standing(identity.device, shown, now);
      if (standing === 'mine') here.push({ ...shown, account });
      // Who leaves its branch itself does not count there: of two who would follow each other, one stays.
      else if (standing !== undefined && (!wantsRejoin || isBetter(shown, own)))
        there.push({ ...shown, account, refuses: standing === 'refuses' });
    }
    // Whoever is here despite a commit that this device can't process had no choice either.
    const others = there.filter(({ path }) => !this.#canNotFollow(path));
    const chosenHere = here.filter((each) => others.some((other) => hasChosen(each, other)));
    const [mine, theirs] = [here.map(({ account }) => account), [...there.map(({ account }) => account), ...whereRemoved]];
    return {
      majority: countOf(theirs) - countOf(mine) || theirs.length - mine.length,
      chosen: { mine: chosenHere.length, theirs: there.filter((each) => !each.refuses && hasChosen(each, own)).length },
      accounts: { mine: countOf(chosenHere.map(({ account }) => account)), theirs: countOf(theirs) },
      theirsIsBetter: there.some((each) => isBetter(each, own)),
    };
  }

  #own(): Choice {
    const { branches, head, ports } = this.core;
    return {
      account: ports.own.account,
      headEpoch: branches.headEpoch,
      path: branches.tree.path(head).map(short),
      others: { has: (id) => branches.byShort(id) !== undefined },
      heldFrom: branches.epoch(branches.root)!,
    };
  }

  #canNotFollow(path: readonly string[]): boolean {
    const on = new Set(path);
    return this.core.branches.unprocessableIds().some((id) => on.has(short(id)));
  }

  /** It knows this device's head, and for long has stayed where this device could go and does not: it can't process what leads here. */
  #refuses(device: string, { path, others }: Shown, now: number): boolean {
    const { branches, head } = this.core;
    const isElsewhere = others.has(short(head)) && path[0] !== undefined && branches.byShort(path[0]) !== undefined;
    return isElsewhere && now - this.peers.of(device).shownSince > STUCK_MS && now - this.#progressAt > STUCK_MS;
  }

  #standing(device: string, shown: Shown, now: number): Standing | undefined {
    const side = sideOf(shown, this.core.branches);
    if (side === 'same') return this.#refuses(device, shown, now) ? 'refuses' : 'mine';
    const isStuck = side === 'ahead' || (side === 'behind' && now - this.peers.of(device).shownSince > STUCK_MS);
    return side === 'other' || (isStuck && now - this.#progressAt > STUCK_MS) ? 'theirs' : undefined;
  }
}

/** Whether a device holds the state where another's branch parts from its own, and knows how that one goes on. */
function hasChosen({ path, headEpoch, heldFrom, others }: Choice, other: Pick<Shown, 'path'>): boolean {
  const epochs = new Map(path.map((id, i) => [id, headEpoch - i]));
  const parting = other.path.findIndex((id) => epochs.has(id));
  if (parting < 0 || epochs.get(other.path[parting]!)! < heldFrom) return false;
  return parting === 0 || others.has(other.path[parting - 1]!);
}

/** How many different ones. */
const countOf = (accounts: readonly string[]) => new Set(accounts).size;

function isBetter(a: Pick<Shown, 'headEpoch' | 'path'>, b: Pick<Shown, 'headEpoch' | 'path'>): boolean {
  return a.headEpoch > b.headEpoch || (a.headEpoch === b.headEpoch && (a.path[0] ?? '') < (b.path[0] ?? ''));
}
