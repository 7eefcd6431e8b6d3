import type { Member } from '@sotto/mls';
import { type Hello, toHex } from '@sotto/protocol';
import type { GroupCore } from './group-core.js';
import { short, unpackShort } from './hello.js';

/** How long the messages may take that prove a roll-back. */
const PROOF_MS = 120_000;
const DAY_MS = 86_400_000;

/** Members who say that they have later messages of this leaf than this device knows of: it may have been rolled back. */
export class RollBackClaims {
  #isRestored: boolean;
  #open: { readonly since: number; readonly by: string } | undefined;
  /** Since when a member shows commits that follow on the head here. Unix milliseconds. */
  #behindSince: number | undefined;

  constructor(private readonly core: GroupCore) {
    // Made or joined by this very program, the group can't be older than it knows.
    this.#isRestored = !core.confirmed;
  }

  /** A member has spoken. Its answer frees, unless it says so, or somebody has. Who says so later is heard too: others may not have been sent what it was. */
  hear(hello: Hello, { identity }: Member, answered: boolean, now: number): void {
    const { core } = this;
    const believedAt = core.believed.get(identity.account);
    const counts = this.#isRestored && (believedAt === undefined || now - believedAt > DAY_MS);
    if (counts && this.#saysAhead(hello)) {
      this.#open ??= { since: now, by: identity.account };
      core.isDoubted = true;
    } else if (answered && !core.confirmed && this.#open === undefined && !this.#isBehind(hello, now)) core.confirmed = true;
  }

  /**
   * Others are past the head here, and may know no more what this leaf has sealed there: it goes to where they are first. Not for longer than a
   * proof may take, since what leads there may never come.
   */
  #isBehind(hello: Hello, now: number): boolean {
    if (unpackShort(hello.path).indexOf(short(this.core.head)) <= 0) return false;
    this.#behindSince ??= now;
    return now - this.#behindSince < PROOF_MS;
  }

  /** Those messages prove it. If they don't come, say as they were for one alone, the word is enough: another leaf does no harm, once a day. */
  tick(now: number): void {
    const { core } = this;
    if (this.#open === undefined || now - this.#open.since < PROOF_MS) return;
    for (const [account, at] of core.believed) if (now - at > DAY_MS) core.believed.delete(account);
    core.believed.set(this.#open.by, now);
    core.touch();
    this.forget();
    core.die('rolled-back');
  }

  /** This device goes on by a leaf that it has only just got. */
  beginAnew(): void {
    this.forget();
    this.#isRestored = false;
  }

  forget(): void {
    this.#open = undefined;
    this.core.isDoubted = false;
  }

  /** Of the leaf that is in use: those before it seal no more. */
  #saysAhead({ seen }: Hello): boolean {
    const { branches, ports, ownLeaf } = this.core;
    return seen.some(({ state, generation }) => {
      const id = branches.byShort(toHex(state)) ?? '';
      const held = branches.state(id);
      const isSameLeaf = held !== undefined && branches.ownLeaf(id)?.id === ownLeaf?.id;
      return isSameLeaf && generation >= ports.engine.generationOf(held, held.ownLeaf);
    });
  }
}
