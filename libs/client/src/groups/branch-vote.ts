import type { GroupCore } from './group-core.js';
import { short } from './hello.js';
import { type Peers, type Shown, sideOf } from './peers.js';

/** With no progress for so long, here or there, members whose branch does not reach as far as one's own, or begins above it, count as being on another. */
const STUCK_MS = 60_000;

type Side = 'mine' | 'theirs';

interface Votes {
  readonly all: Record<Side, number>;
  /** Those alone who hold the fork. */
  readonly compared: Record<Side, number>;
  /** On the own side of those who hold the fork; on the other of all. */
  readonly accounts: Record<Side, ReadonlySet<string>>;
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
    return shown !== undefined && this.#sideOf(device, shown, now) === 'theirs';
  }

  /** Those who hold the fork decide, unless it is one account's word against the majority's; if nobody does, the majority. */
  #isLost(now: number): boolean {
    const { all, compared, accounts, theirsIsBetter } = this.#votes(now);
    const majority = all.theirs > all.mine || (all.theirs === all.mine && all.theirs > 0 && theirsIsBetter);
    if (compared.theirs === compared.mine) return majority;
    if (compared.theirs > compared.mine) return majority || all.theirs >= all.mine || accounts.theirs.size > 1;
    return all.theirs > all.mine && accounts.mine.size === 1;
  }

  #votes(now: number): Votes {
    const { core } = this;
    const all = { mine: 1, theirs: 0 };
    const compared = { mine: 0, theirs: 0 };
    const accounts = { mine: new Set<string>(), theirs: new Set<string>() };
    let best: Shown | undefined;
    const own = { headEpoch: core.branches.headEpoch, path: [short(core.head)] };
    for (const { identity } of core.others) {
      const { shown, saysRemoved, wantsRejoin } = this.peers.of(identity.device);
      const side = saysRemoved ? 'theirs' : shown && this.#sideOf(identity.device, shown, now);
      if (side === undefined) continue;
      // It leaves its branch itself: of two who would follow each other, one stays.
      if (side === 'theirs' && wantsRejoin && !saysRemoved && !isBetter(shown!, own)) continue;
      all[side]++;
      if (saysRemoved || shown === undefined) continue;
      const hasCompared = this.#hasCompared(shown);
      if (hasCompared) compared[side]++;
      if (hasCompared || side === 'theirs') accounts[side].add(identity.account);
      if (side === 'theirs' && (best === undefined || isBetter(shown, best))) best = shown;
    }
    return { all, compared, accounts, theirsIsBetter: best !== undefined && isBetter(best, own) };
  }

  /** Its path reaches below the own root: it holds the fork. Who is behind has only not come so far as to choose. */
  #hasCompared(shown: Shown): boolean {
    const { branches } = this.core;
    const holdsFork = shown.heldFrom < branches.epoch(branches.root)! && shown.path.length > shown.headEpoch - shown.heldFrom;
    return holdsFork && sideOf(shown, branches) !== 'behind';
  }

  #sideOf(device: string, shown: Shown, now: number): Side | undefined {
    const side = sideOf(shown, this.core.branches);
    if (side === 'same') return 'mine';
    const isStuck = side === 'ahead' || (side === 'behind' && now - this.peers.of(device).shownSince > STUCK_MS);
    return side === 'other' || (isStuck && now - this.#progressAt > STUCK_MS) ? 'theirs' : undefined;
  }
}

function isBetter(a: Pick<Shown, 'headEpoch' | 'path'>, b: Pick<Shown, 'headEpoch' | 'path'>): boolean {
  return a.headEpoch > b.headEpoch || (a.headEpoch === b.headEpoch && (a.path[0] ?? '') < (b.path[0] ?? ''));
}
