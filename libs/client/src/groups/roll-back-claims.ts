import type { Member } from '@sotto/mls';
import { type Hello, toHex } from '@sotto/protocol';
import type { GroupCore } from './group-core.js';

/** How long the messages may take that prove a roll-back. */
const PROOF_MS = 120_000;
const DAY_MS = 86_400_000;

/** Members who say that they have later messages of this leaf than this device knows of: it may have been rolled back. */
export class RollBackClaims {
  #open: { readonly since: number; readonly by: string } | undefined;

  constructor(private readonly core: GroupCore) {}

  /** A member has spoken. Its answer frees, unless it says so, or somebody has. */
  hear(hello: Hello, { identity }: Member, answered: boolean, now: number): void {
    const { core } = this;
    if (core.confirmed) return;
    const believedAt = core.believed.get(identity.account);
    const counts = believedAt === undefined || now - believedAt > DAY_MS;
    if (counts && this.#saysAhead(hello)) this.#open ??= { since: now, by: identity.account };
    else if (answered && this.#open === undefined) core.confirmed = true;
  }

  /** Those messages prove it. If they don't come, say as they were for one alone, the word is enough: another leaf does no harm, once a day. */
  tick(now: number): void {
    const { core } = this;
    if (this.#open === undefined || now - this.#open.since < PROOF_MS) return;
    for (const [account, at] of core.believed) if (now - at > DAY_MS) core.believed.delete(account);
    core.believed.set(this.#open.by, now);
    core.touch();
    this.#open = undefined;
    core.die('rolled-back');
  }

  forget(): void {
    this.#open = undefined;
  }

  #saysAhead({ seen }: Hello): boolean {
    const { branches, ports } = this.core;
    return seen.some(({ state, generation }) => {
      const held = branches.state(branches.byShort(toHex(state)) ?? '');
      return held !== undefined && generation >= ports.engine.generationOf(held, held.ownLeaf);
    });
  }
}
