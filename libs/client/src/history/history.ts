import { contentIdOf, type MessageRef } from '../content/message-ref.js';
import type { Journal } from '../storage/journal.js';
import { decodeRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';
import { type Effect, NO_EFFECTS } from './effects.js';
import { PendingEffects } from './pending-effects.js';
import { Records } from './records.js';
import { pruned, type StoredMessage, withEffects } from './stored-message.js';

/** Messages stand in pages: collections of so many, by conversation and number, so that neighbours are read together. */
const MESSAGES = 'history';
const PAGE = 128;
/** Number of a message, by conversation and content id. */
const PLACES = 'history-places';
const CONVERSATIONS = 'history-conversations';
/** Content ids that expire, by conversation and number, with the time. */
const EXPIRING = 'history-expiring';
/** Places of what was not known when it came. */
const UNKNOWN = 'history-unknown';

/** Which numbers its messages have, and how far it is read. */
interface Conversation {
  /** None is below. */
  readonly first: number;
  readonly next: number;
  /** Everything below is read. */
  readonly readTo: number;
  /** Everything below is reported as read, or is not to be. */
  readonly reportedTo: number;
  /** While messages from elsewhere are brought in: what is before `start` is yet to be moved behind, what was moved is read below `readTo`. */
  readonly merge?: { readonly start: number; readonly readTo: number } | undefined;
}

const EMPTY: Conversation = { first: 0, next: 0, readTo: 0, reportedTo: 0 };

export interface Placed {
  readonly number: number;
  readonly message: StoredMessage;
}

/** All messages of this device. It keeps in memory where they are, and reads them from the store when they are wanted. */
export class History {
  readonly #records: Records;
  readonly #conversations: Map<string, Conversation>;
  /** Times by place. */
  readonly #expiring: Map<string, number>;
  readonly #unknown: Set<string>;
  #nextExpiry: number;

  private constructor(
    store: Store,
    private readonly pending: PendingEffects,
    loaded: { conversations: Map<string, Conversation>; expiring: Map<string, number>; unknown: Iterable<string> },
  ) {
    this.#records = new Records(store);
    this.#conversations = loaded.conversations;
    this.#expiring = loaded.expiring;
    this.#unknown = new Set(loaded.unknown);
    this.#nextExpiry = earliest(this.#expiring.values());
  }

  /** Throws ClientError for a store that can't be read. */
  static async load(store: Store): Promise<History> {
    return new History(store, await PendingEffects.load(store), {
      conversations: decoded<Conversation>(await store.load(CONVERSATIONS)),
      expiring: decoded<number>(await store.load(EXPIRING)),
      unknown: (await store.load(UNKNOWN)).keys(),
    });
  }

  get conversations(): Iterable<string> {
    return this.#conversations.keys();
  }

  // --- one message

  /** With what was said about it before it came. Undefined: it is there already. */
  async add(message: Omit<StoredMessage, 'effects'>, journal: Journal): Promise<StoredMessage | undefined> {
    const { conversation, ref } = message;
    if ((await this.#records.get(PLACES, placeOf(conversation, contentIdOf(ref)))) !== undefined) return undefined;
    const added = pruned({ ...message, effects: (await this.pending.take(conversation, ref, journal)) ?? NO_EFFECTS });
    this.#append(added, journal);
    return added;
  }

  async find(conversation: string, id: string): Promise<Placed | undefined> {
    const number = await this.#records.get<number>(PLACES, placeOf(conversation, id));
    const message = number === undefined ? undefined : await this.#at(conversation, number);
    return number === undefined || message === undefined ? undefined : { number, message };
  }

  /** Undefined: the message is not here (yet), and what was said about it waits for it; or it is as it was. */
  async apply(
    conversation: string,
    target: MessageRef,
    effect: Effect,
    when: { readonly now: number; readonly expiresAt?: number | undefined },
    journal: Journal,
  ): Promise<{ readonly before: StoredMessage; readonly after: StoredMessage } | undefined> {
    const found = await this.find(conversation, contentIdOf(target));
    if (found === undefined || found.message.ref !== target) {
      await this.pending.keep(conversation, target, { effect, ...when }, journal);
      return undefined;
    }
    const after = withEffects(found.message, [effect]);
    this.#save({ number: found.number, message: after }, journal);
    return { before: found.message, after };
  }

  remove({ number, message }: Placed, journal: Journal): void {
    const { conversation, ref } = message;
    const place = placeOf(conversation, number);
    this.#records.remove(pageOf(conversation, number), String(number), journal);
    this.#records.remove(PLACES, placeOf(conversation, contentIdOf(ref)), journal);
    if (this.#expiring.delete(place)) journal.remove(EXPIRING, place);
    if (this.#unknown.delete(place)) journal.remove(UNKNOWN, place);
  }

  /** In its old place. */
  replace({ number, message }: Placed, journal: Journal): void {
    const place = placeOf(message.conversation, number);
    if (message.unknown === undefined && this.#unknown.delete(place)) journal.remove(UNKNOWN, place);
    this.#save({ number, message }, journal);
  }

  #save({ number, message }: Placed, journal: Journal): void {
    const place = placeOf(message.conversation, number);
    this.#records.put(pageOf(message.conversation, number), String(number), message, journal);
    if (message.expiresAt !== undefined && !this.#expiring.has(place)) {
      this.#expiring.set(place, message.expiresAt);
      this.#nextExpiry = Math.min(this.#nextExpiry, message.expiresAt);
      journal.put(EXPIRING, place, message.expiresAt);
    }
    if (message.unknown !== undefined && !this.#unknown.has(place)) {
      this.#unknown.add(place);
      journal.put(UNKNOWN, place, true);
    }
  }

  #at(conversation: string, number: number): Promise<StoredMessage | undefined> {
    return this.#records.get<StoredMessage>(pageOf(conversation, number), String(number));
  }

  // --- many messages

  /** Newest first, from below `before`. */
  async *newestFirst(conversation: string, before = this.#of(conversation).next): AsyncGenerator<Placed> {
    const { first } = this.#of(conversation);
    for (let end = before; end > first; end = firstOfPage(end - 1)) {
      const page = await this.#range(conversation, Math.max(first, firstOfPage(end - 1)), end);
      yield* page.reverse();
    }
  }

  /** Oldest first, numbers from `start` to before `end`. */
  async #range(conversation: string, start: number, end: number): Promise<Placed[]> {
    const placed: Placed[] = [];
    for (let number = start; number < end; number = firstOfPage(number) + PAGE) {
      const page = await this.#records.all<StoredMessage>(pageOf(conversation, number));
      for (const [key, message] of page) placed.push({ number: Number(key), message });
    }
    return placed.filter(({ number }) => number >= start && number < end).sort((a, b) => a.number - b.number);
  }

  /** The newest, or those below `before`; oldest first. */
  async page(
    conversation: string,
    limit: number,
    before?: number,
    isWanted: (message: StoredMessage) => boolean = () => true,
  ): Promise<StoredMessage[]> {
    const page: StoredMessage[] = [];
    if (limit <= 0) return page;
    for await (const { message } of this.newestFirst(conversation, before)) {
      if (isWanted(message)) page.push(message);
      if (page.length >= limit) break;
    }
    return page.reverse();
  }

  /** Those below `end`; those that there are when it begins. */
  async *oldestFirst(conversation: string, end = this.#of(conversation).next): AsyncGenerator<Placed> {
    for (let start = this.#of(conversation).first; start < end; start = firstOfPage(start) + PAGE)
      yield* await this.#range(conversation, start, Math.min(end, firstOfPage(start) + PAGE));
  }

  /** Everything below is read. */
  readTo(conversation: string): number {
    return this.#of(conversation).readTo;
  }

  // --- messages from elsewhere (HistoryMerge)

  /** Begins a merge, or goes on with one that was cut off. Returns the number from which on the merged messages are. */
  beginMerge(conversation: string, journal: Journal): number {
    const { merge, next } = this.#of(conversation);
    if (merge === undefined) this.#change(conversation, { merge: { start: next, readTo: next } }, journal);
    return merge?.start ?? next;
  }

  /** As the last that is merged. False: it is there already. */
  async mergeIn(message: StoredMessage, isRead: boolean, journal: Journal): Promise<boolean> {
    const place = placeOf(message.conversation, contentIdOf(message.ref));
    if ((await this.#records.get(PLACES, place)) !== undefined) return false;
    this.#mergeAsLast(message, isRead, journal);
    return true;
  }

  mergeOwn(placed: Placed, journal: Journal): void {
    const { conversation } = placed.message;
    this.remove(placed, journal);
    this.#mergeAsLast(placed.message, placed.number < this.readTo(conversation), journal);
  }

  /** What is read is not told to its authors: another device has, or it is long ago. */
  endMerge(conversation: string, journal: Journal): void {
    const { merge } = this.#of(conversation);
    if (merge === undefined) return;
    this.#change(conversation, { first: merge.start, readTo: merge.readTo, reportedTo: merge.readTo, merge: undefined }, journal);
  }

  #mergeAsLast(message: StoredMessage, isRead: boolean, journal: Journal): void {
    const number = this.#append(message, journal);
    const { merge } = this.#of(message.conversation);
    if (isRead && merge !== undefined) this.#change(message.conversation, { merge: { ...merge, readTo: number + 1 } }, journal);
  }

  #append(message: StoredMessage, journal: Journal): number {
    const { conversation, ref } = message;
    const { next } = this.#of(conversation);
    this.#records.put(PLACES, placeOf(conversation, contentIdOf(ref)), next, journal);
    this.#save({ number: next, message }, journal);
    this.#change(conversation, { next: next + 1 }, journal);
    return next;
  }

  // --- what goes

  /** Whether something has expired. */
  hasExpired(now: number): boolean {
    return now >= this.#nextExpiry;
  }

  async takeExpired(now: number, journal: Journal): Promise<StoredMessage[]> {
    const gone: StoredMessage[] = [];
    for (const [place, at] of [...this.#expiring]) {
      if (at > now) continue;
      const { conversation, number } = parsePlace(place);
      const message = await this.#at(conversation, number);
      if (message === undefined) {
        this.#expiring.delete(place);
        journal.remove(EXPIRING, place);
        continue;
      }
      this.remove({ number, message }, journal);
      gone.push(message);
    }
    this.#nextExpiry = earliest(this.#expiring.values());
    return gone;
  }

  /** Removes a page of what came before `cutoff`. True: there may be more. */
  async clearBefore(cutoff: number, journal: Journal): Promise<boolean> {
    for (const [conversation, { first, next }] of [...this.#conversations]) {
      const end = Math.min(next, firstOfPage(first) + PAGE);
      const page = await this.#range(conversation, first, end);
      const kept = page.find(({ message }) => message.receivedAt >= cutoff);
      for (const each of page) if (each.number < (kept?.number ?? end)) this.remove(each, journal);
      const reached = kept?.number ?? end;
      if (reached > first) this.#change(conversation, { first: reached }, journal);
      if (kept === undefined && end < next) return true;
    }
    return false;
  }

  sweepPending(now: number, journal: Journal): void {
    this.pending.sweep(now, journal);
  }

  async unknown(): Promise<Placed[]> {
    const placed: Placed[] = [];
    for (const place of this.#unknown) {
      const { conversation, number } = parsePlace(place);
      const message = await this.#at(conversation, number);
      if (message !== undefined) placed.push({ number, message });
    }
    return placed;
  }

  // --- what is read

  /** Everything up to this number is read, and `reported` if nobody is to be told of it (any more). */
  markRead(conversation: string, upTo: number, { reported }: { readonly reported: boolean }, journal: Journal): void {
    const before = this.#of(conversation);
    const readTo = Math.max(before.readTo, upTo + 1);
    const reportedTo = reported ? Math.max(before.reportedTo, upTo + 1) : before.reportedTo;
    if (readTo !== before.readTo || reportedTo !== before.reportedTo) this.#change(conversation, { readTo, reportedTo }, journal);
  }

  /** Conversations of which more is read than reported. */
  unreported(): string[] {
    return [...this.#conversations].flatMap(([name, { readTo, reportedTo }]) => (reportedTo < readTo ? name : []));
  }

  /** What is to be reported, and from now on is; the newest, at most `limit`, oldest first. */
  async takeUnreported(conversation: string, limit: number, journal: Journal): Promise<StoredMessage[]> {
    const { readTo, reportedTo } = this.#of(conversation);
    this.#change(conversation, { reportedTo: readTo }, journal);
    const batch = await this.#range(conversation, Math.max(reportedTo, readTo - limit), readTo);
    return batch.map(({ message }) => message);
  }

  #of(conversation: string): Conversation {
    return this.#conversations.get(conversation) ?? EMPTY;
  }

  #change(conversation: string, change: Partial<Conversation>, journal: Journal): void {
    const changed = { ...this.#of(conversation), ...change };
    this.#conversations.set(conversation, changed);
    journal.put(CONVERSATIONS, conversation, changed);
  }
}

function earliest(times: Iterable<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (const time of times) least = Math.min(least, time);
  return least;
}

function firstOfPage(number: number): number {
  return number - (number % PAGE);
}

/** The collection in which a message stands. */
function pageOf(conversation: string, number: number): string {
  return `${MESSAGES}/${conversation}/${firstOfPage(number)}`;
}

function placeOf(conversation: string, idOrNumber: string | number): string {
  return `${conversation}/${idOrNumber}`;
}

function parsePlace(place: string): { conversation: string; number: number } {
  const at = place.lastIndexOf('/');
  return { conversation: place.slice(0, at), number: Number(place.slice(at + 1)) };
}

function decoded<T>(records: ReadonlyMap<string, Uint8Array>): Map<string, T> {
  return new Map([...records].map(([key, bytes]) => [key, decodeRecord<T>(bytes)]));
}
