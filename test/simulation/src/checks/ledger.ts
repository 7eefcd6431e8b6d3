/** A message as it left an engine: where, for whom, and under which key. Leaves are named `group/leaf`. */
export interface Sealing {
  readonly device: string;
  readonly group: string;
  /** Authenticator of the state, hex: names the state whoever holds it. */
  readonly state: string;
  readonly epoch: number;
  readonly leaf: string;
  readonly generation: number;
  readonly content: string;
  readonly plaintext: string;
  readonly members: readonly SealedFor[];
  /** The device for which alone it was sealed again. */
  readonly onlyFor?: string | undefined;
  /** Leaves of the state that its sender had durably seen removed when this became durable. */
  forbidden: readonly string[];
  /** Its bytes were handed to the network. */
  left: boolean;
  /** Whose hellos of that group its sender had heard since its program started, and when those were sent. */
  readonly heard: ReadonlyMap<string, number>;
}

/** The key of a sealing, by name. */
export const keyOf = ({ state, leaf, generation }: Sealing): string => `${state}/${leaf}/${generation}`;

export interface SealedFor {
  readonly leaf: string;
  readonly device: string;
}

/** What a user wrote. */
export interface Composed {
  readonly content: string;
  readonly device: string;
  readonly group: string;
  readonly plaintext: string;
  discarded: boolean;
}

export interface Opening {
  readonly at: number;
  readonly lostAt: number;
}

/** How a state came about. */
export interface Origin {
  readonly parent: string;
  readonly commit: string;
  /** Who can never process the commit: the device that made it, and those whose leaves it takes away. Device ids. */
  readonly closedTo: ReadonlySet<string>;
}

/** A violation of one of the six invariants of docs/groups.md § Where this is tested, or of what every step must keep. */
export interface Violation {
  readonly check: Check;
  readonly text: string;
}

export const CHECKS = ['one-head', 'each-message-once', 'sealed-for-members', 'nothing-left', 'nothing-undone', 'sound-steps'] as const;
export type Check = (typeof CHECKS)[number];

/** What really happened, whoever remembers it. */
export class Ledger {
  /** By the hex of the message's SHA-256. */
  readonly sealings = new Map<string, Sealing>();
  readonly composed = new Map<string, Composed>();
  /** Leaves that a commit removes for good, by commit id. */
  readonly removals = new Map<string, readonly string[]>();
  /** Leaf → the leaves that took its place, as the same device joined anew. */
  readonly replacedBy = new Map<string, Set<string>>();
  /** From which state, by which commit, a state came about. States by their authenticators. */
  readonly lineage = new Map<string, Origin>();
  /** Who has had a state. Device ids, by its authenticator. */
  readonly holders = new Map<string, Set<string>>();
  /** Commits that were made so that only some can process them: who tried and could not. Device ids, by commit id. */
  readonly spoilt = new Map<string, Set<string>>();
  /** Who sent a hello, by its very bytes. */
  readonly hellos = new WeakMap<Uint8Array, { readonly device: string; readonly at: number }>();
  /** Message → device → when it had durably opened it, and when an older disk forgot that. */
  readonly opened = new Map<string, Map<string, Opening>>();
  readonly violations: Violation[] = [];

  violate(check: Check, text: string): void {
    this.violations.push({ check, text });
  }

  holds(device: string, state: string): void {
    const holders = this.holders.get(state) ?? new Set<string>();
    this.holders.set(state, holders.add(device));
  }

  replaces(newer: string, older: string): void {
    this.replacedBy.set(older, (this.replacedBy.get(older) ?? new Set()).add(newer));
  }

  /** Those of the same device that came after this leaf, by joining anew. */
  successorsOf(leaf: string): ReadonlySet<string> {
    const found = new Set(this.replacedBy.get(leaf));
    for (const each of found) for (const next of this.replacedBy.get(each) ?? []) found.add(next);
    return found;
  }

  /** Whether the device has never had the state where this was sealed, as it could not process a spoilt commit on the way there. */
  isShutOut(device: string, { state }: Sealing): boolean {
    return this.#wayTo(state, (each) => this.#hasHad(device, each)).some(({ commit }) => this.spoilt.get(commit)?.has(device) === true);
  }

  /** Whether the device has never had the state where this was sealed, and nobody is left who could give it all commits on the way there. */
  isCutOff(device: string, { state }: Sealing, left: ReadonlySet<string>): boolean {
    return this.#wayTo(state, (each) => this.#hasHad(device, each)).some(({ commit }) => !left.has(commit));
  }

  /** Whether the device has no way to the state where this was sealed, which it had before its disk was put back: only what it forgot led there. */
  isPutBehind(device: string, { state }: Sealing, { states }: Memory): boolean {
    return this.#wayTo(state, (each) => states.has(each)).some(({ closedTo }) => closedTo.has(device));
  }

  #hasHad(device: string, state: string): boolean {
    return this.holders.get(state)?.has(device) === true;
  }

  /** How this state came about, from one that is had; the last step first. */
  #wayTo(state: string, isHad: (state: string) => boolean): Origin[] {
    const way: Origin[] = [];
    for (let at = state; !isHad(at);) {
      const origin = this.lineage.get(at);
      if (origin === undefined) break;
      way.push(origin);
      at = origin.parent;
    }
    return way;
  }

  sealingsOf(content: string): Sealing[] {
    return [...this.sealings.values()].filter((each) => each.content === content && each.left);
  }
}

/** What a device has durably seen. Goes back with its disk when that is replaced by an older copy. */
export class Memory {
  constructor(
    /** Leaves, `group/leaf`. */
    readonly seenRemoved = new Set<string>(),
    /** Messages that it has opened. */
    readonly opened = new Set<string>(),
    /** States that it has had, by their authenticators. */
    readonly states = new Set<string>(),
  ) {}

  copy(): Memory {
    return new Memory(new Set(this.seenRemoved), new Set(this.opened), new Set(this.states));
  }
}
