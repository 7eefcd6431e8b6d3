import type { Member, StateId } from '@sotto/mls';
import { type Hello, toHex } from '@sotto/protocol';
import type { GroupCore } from './group-core.js';
import { short, unpackShort } from './hello.js';

/** How long the messages may take that prove a roll-back. */
const PROOF_MS = 120_000;
const DAY_MS = 86_400_000;

/** Members who say that they have later messages of this leaf than this device knows of: it may have been rolled back. */
export class RollBackClaims {
  /** The leaf may have sealed more than this program knows of: it was there before the program was, or may have been. */
  #isRestored: boolean;
  #open: { readonly since: number; readonly by: string } | undefined;
  /** Since when members who answer are past this head. Unix milliseconds. */
  #behind: { readonly head: StateId; readonly since: number } | undefined;

  constructor(private readonly core: GroupCore) {
    this.#isRestored = !core.confirmed;
  }

  /** A member has spoken. Its answer frees, unless it says so, or somebody has. Who says so later is heard too: others may not have been sent what it was. */
  hear(hello: Hello, { identity: { account } }: Member, answered: boolean, now: number): void {
    const { core } = this;
    const counts = this.#isRestored && !this.#wasBelieved(account, now);
    if (counts && this.#saysAhead(hello)) {
      this.#open ??= { since: now, by: account };
      core.isDoubted = true;
    } else if (answered && !core.confirmed && this.#open === undefined) {
      if (!this.#isPast(hello)) core.confirmed = true;
      else this.#waitBehind(account, counts, now);
    }
  }

  /**
   * Others are past the head here, and may know no more what this leaf has sealed there: it goes to where they are first. If its head has not
   * moved for a while, what leads there may never come: then this counts as a word of theirs.
   */
  #waitBehind(account: string, counts: boolean, now: number): void {
    const { head } = this.core;
    if (this.#behind?.head !== head) this.#behind = { head, since: now };
    if (now - this.#behind.since < PROOF_MS) return;
    if (counts) this.#believe(account, now);
    else this.core.confirmed = true;
  }

  /** Those messages prove it. If they don't come, say as they were for one alone, the word is enough: another leaf does no harm, once a day. */
  tick(now: number): void {
    if (this.#open !== undefined && now - this.#open.since >= PROOF_MS) this.#believe(this.#open.by, now);
  }

  #believe(account: string, now: number): void {
    const { core } = this;
    for (const [each, at] of core.believed) if (now - at > DAY_MS) core.believed.delete(each);
    core.believed.set(account, now);
    core.touch();
    this.forget();
    core.die('rolled-back');
  }

  #wasBelieved(account: string, now: number): boolean {
    const at = this.core.believed.get(account);
    return at !== undefined && now - at <= DAY_MS;
  }

  /** This device goes on by another leaf. */
  beginAnew(): void {
    this.forget();
    this.#isRestored = !this.core.confirmed;
  }

  forget(): void {
    this.#open = undefined;
    this.core.isDoubted = false;
  }

  /** It is past the head here, or holds no state as old. */
  #isPast({ path, heldFrom }: Hello): boolean {
    const { head, branches } = this.core;
    return unpackShort(path).indexOf(short(head)) > 0 || Number(heldFrom) > branches.headEpoch;
  }

  /** Of the leaf that is in use (those before it seal no more), or where this device, as far as it knows, has never been. */
  #saysAhead(hello: Hello): boolean {
    const { branches, ports, ownLeaf } = this.core;
    const isAhead = ({ state, generation }: Hello['seen'][number]) => {
      const id = branches.byShort(toHex(state)) ?? '';
      const held = branches.state(id);
      const isSameLeaf = held !== undefined && branches.ownLeaf(id)?.id === ownLeaf?.id;
      return isSameLeaf && generation >= ports.engine.generationOf(held, held.ownLeaf);
    };
    return hello.seen.some(isAhead) || this.#namesUnheardOf(hello);
  }

  /** A state on its path that is unknown here, and too new to be forgotten. */
  #namesUnheardOf({ seen, path, headEpoch }: Hello): boolean {
    const { branches } = this.core;
    const unknown = seen.map(({ state }) => toHex(state)).filter((each) => branches.byShort(each) === undefined);
    if (unknown.length === 0) return false;
    const newer = Number(headEpoch) - branches.epoch(branches.root)!;
    const onPath = new Set(unpackShort(path).slice(0, Math.max(0, newer)));
    return unknown.some((each) => onPath.has(each));
  }
}
