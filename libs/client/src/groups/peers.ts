import type { Member } from '@sotto/mls';
import type { Hello } from '@sotto/protocol';
import type { Branches } from './branches.js';
import { short, unpackShort } from './hello.js';

/** What a member has last shown of its branches. Ids are cut to 8 bytes. */
export interface Shown {
  readonly headEpoch: number;
  /** From its head down. */
  readonly path: readonly string[];
  /** The same. */
  readonly onPath: ReadonlySet<string>;
  readonly others: ReadonlySet<string>;
  /** The oldest epoch of its branch of which it holds a state. */
  readonly heldFrom: number;
}

const FIRST_WAIT_MS = 5_000;
const LAST_WAIT_MS = 600_000;
/** One answer in ten seconds, and a few at once for whoever has only just come back. */
const ANSWER_EVERY_MS = 10_000;
const ANSWERS_AT_ONCE = 3;
const SUPPLY_BYTES_PER_HOUR = 4 * 1024 * 1024;
const HOUR_MS = 3_600_000;
const UNANSWERED = 3;
const FIRST_LOST_MS = HOUR_MS;
const LAST_LOST_MS = 7 * 24 * HOUR_MS;

/** What this device knows of another member's device, and how often it speaks with it. Kept in memory alone. */
export class Peer {
  #shown: Shown | undefined;
  #shownSince = 0;
  #heardAt = 0;
  /** By which it could be reached when it last spoke. */
  token: Uint8Array | undefined;
  /** By which it was asked last, and by which it was last reached. */
  #askedBy: Uint8Array | undefined;
  #reachedBy: Uint8Array | undefined;
  /** As one that was removed. */
  timesAskedAsFormer = 0;
  /** Of the key that opened what it said last: the first 8 bytes of a state's id, in hex, or of a greeting's. */
  sealedBy: string | undefined;
  /** It has said so last: its leaf is of no use, and it can help nobody. */
  wantsRejoin = false;
  /** It has said so last: this device is not among the members where it is. */
  saysRemoved = false;
  #waitMs = FIRST_WAIT_MS;
  #askAt = 0;
  #askedAt = 0;
  #askedAwayAt = 0;
  #answers = ANSWERS_AT_ONCE;
  #answersSince = 0;
  #supplied = 0;
  #suppliedSince = 0;
  /** What was asked and arrived since it last said something. */
  #unanswered = 0;
  #silentSince = 0;
  /** What was asked in a row and did not arrive, as far as is known. */
  #misses = 0;
  #missesAway = 0;
  #lostAfterMs = FIRST_LOST_MS;

  get shown(): Shown | undefined {
    return this.#shown;
  }

  shows(shown: Shown, now: number): void {
    if (shown.path[0] !== this.#shown?.path[0]) this.#shownSince = now;
    this.#shown = shown;
  }

  /** Since when it shows the same head. Unix milliseconds. */
  get shownSince(): number {
    return this.#shownSince;
  }

  /** When it last spoke. Unix milliseconds; 0: never. */
  get heardAt(): number {
    return this.#heardAt;
  }

  mayAsk(now: number): boolean {
    return now >= this.#askAt;
  }

  /** How often in a row it was asked before, and that did not arrive. */
  get misses(): number {
    return this.#misses;
  }

  /** By which it was last reached. */
  get reachedBy(): Uint8Array | undefined {
    return this.#reachedBy;
  }

  asked(by: Uint8Array, now: number): void {
    this.#askedBy = by;
    this.#misses++;
    this.#askedAt = now;
    this.#askAt = now + this.#waitMs;
    this.#waitMs = Math.min(this.#waitMs * 2, LAST_WAIT_MS);
  }

  /** The same while it seems to be away. */
  get missesAway(): number {
    return this.#missesAway;
  }

  /** It was asked though it seems to be away: that this does not arrive is to be expected, and no reason to wait once it comes. */
  askedAway(by: Uint8Array, now: number): void {
    this.#askedBy = by;
    this.#missesAway++;
    this.#askedAwayAt = now;
  }

  /** When it was asked last. Unix milliseconds; 0: never. */
  get askedAt(): number {
    return this.#askedAt;
  }

  get askedAwayAt(): number {
    return this.#askedAwayAt;
  }

  /** It brought something new, or has only just come: it is worth asking again soon. */
  refresh(): void {
    this.#waitMs = FIRST_WAIT_MS;
    this.#askAt = 0;
  }

  /** A hello that wants an answer has arrived there. */
  reached(now: number): void {
    this.#misses = 0;
    this.#missesAway = 0;
    this.#reachedBy = this.#askedBy;
    if (this.#unanswered++ === 0) this.#silentSince = now;
  }

  /** What it was asked not long ago has arrived there, so it was there, whatever presence says. */
  owesAnswer(now: number): boolean {
    return this.#unanswered > 0 && now - this.#silentSince < 2 * FIRST_LOST_MS;
  }

  heard(now: number): void {
    this.#heardAt = now;
    this.#misses = 0;
    this.#unanswered = 0;
    this.#lostAfterMs = FIRST_LOST_MS;
  }

  /** It gets what is asked and says nothing, for so long that it knows nothing of the group. Once said, it is said again after twice as long. */
  isLost(now: number): boolean {
    if (this.#unanswered < UNANSWERED || now - this.#silentSince < this.#lostAfterMs) return false;
    this.#unanswered = 0;
    this.#lostAfterMs = Math.min(2 * this.#lostAfterMs, LAST_LOST_MS);
    return true;
  }

  mayAnswer(now: number): boolean {
    this.#answers = Math.min(ANSWERS_AT_ONCE, this.#answers + (now - this.#answersSince) / ANSWER_EVERY_MS);
    this.#answersSince = now;
    if (this.#answers < 1) return false;
    this.#answers--;
    return true;
  }

  /** Whether as much may be handed over, within the hour's bound. */
  maySupply(bytes: number, now: number): boolean {
    if (now - this.#suppliedSince > HOUR_MS) {
      this.#suppliedSince = now;
      this.#supplied = 0;
    }
    if (this.#supplied + bytes > SUPPLY_BYTES_PER_HOUR) return false;
    this.#supplied += bytes;
    return true;
  }
}

/** All that were asked or have spoken, by device. */
export class Peers {
  readonly #byDevice = new Map<string, Peer>();

  of(device: string): Peer {
    const known = this.#byDevice.get(device) ?? new Peer();
    this.#byDevice.set(device, known);
    return known;
  }

  shownBy(device: string): Shown | undefined {
    return this.#byDevice.get(device)?.shown;
  }

  /** Those first who were asked longest ago: what only one of them has to give shows only when that one is asked. */
  inTurn(members: readonly Member[]): Member[] {
    const askedAt = ({ identity }: Member) => this.#byDevice.get(identity.device)?.askedAt ?? 0;
    return [...members].sort((a, b) => askedAt(a) - askedAt(b));
  }

  get haveShownNothing(): boolean {
    return [...this.#byDevice.values()].every(({ shown }) => shown === undefined);
  }

  someOweAnswers(now: number): boolean {
    return [...this.#byDevice.values()].some((peer) => peer.owesAnswer(now));
  }

  refresh(): void {
    for (const peer of this.#byDevice.values()) peer.refresh();
  }

  clear(): void {
    this.#byDevice.clear();
  }
}

export function shownBy(hello: Hello): Shown {
  const path = unpackShort(hello.path);
  return {
    headEpoch: Number(hello.headEpoch),
    path,
    onPath: new Set(path),
    others: new Set(unpackShort(hello.others)),
    heldFrom: Number(hello.heldFrom),
  };
}

/** Whether it knows the commit, or the state that it makes. */
export function knows({ onPath, others }: Shown, shortId: string): boolean {
  return onPath.has(shortId) || others.has(shortId);
}

/**
 * Where a member stands, seen from here. `same`: on a branch that this device can compare with its own.
 * `other`: the fork lies below what this device holds, or it can't process what the other could. `ahead`, `behind`: its branch begins
 * above the own head, or ends below where the own one begins. `unknown`: can't be told yet.
 */
export function sideOf({ path, onPath, headEpoch }: Shown, branches: Branches): 'same' | 'other' | 'ahead' | 'behind' | 'unknown' {
  if (branches.unprocessableIds().some((id) => onPath.has(short(id)))) return 'other';
  const own = branches.shortPath;
  const root = branches.path.indexOf(branches.root);
  const meeting = own.findIndex((id) => onPath.has(id));
  if (meeting >= 0 && meeting <= root) return 'same';
  if (headEpoch - path.length + 1 > branches.headEpoch) return 'ahead';
  // Behind, on the way to where this device is.
  if (own.indexOf(path[0] ?? '', root + 1) >= 0) return 'unknown';
  if (headEpoch < branches.headEpoch - own.length + 1) return 'behind';
  return overlap(path, headEpoch, own, branches.headEpoch) ? 'other' : 'unknown';
}

/** Whether both paths name a state of one epoch. */
function overlap(a: readonly string[], headOfA: number, b: readonly string[], headOfB: number): boolean {
  return Math.max(headOfA - a.length, headOfB - b.length) < Math.min(headOfA, headOfB);
}
