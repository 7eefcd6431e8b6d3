import { contentIdOf, type MessageRef } from '../content/message-ref.js';
import type { Journal } from '../storage/journal.js';
import { decodeRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';
import { type Effect, NO_EFFECTS } from './effects.js';
import { PendingEffects } from './pending-effects.js';
import { Records } from './records.js';
import { pruned, type StoredMessage, withEffects } from './stored-message.js';

/** By conversation and the number of the message in it: neighbours are found by counting. */
const MESSAGES = 'history';
/** Number of a message, by conversation and content id. */
const PLACES = 'history-places';
const CONVERSATIONS = 'history-conversations';
/** Content ids that expire, by conversation and number, with the time. */
const EXPIRING = 'history-expiring';
/** Places of what was not known when it came. */
const UNKNOWN = 'history-unknown';

const FIRST_BATCH = 16;
const LAST_BATCH = 256;
/** Messages that one step of clearing looks at. */
const CLEARED_AT_ONCE = 500;

/** Which numbers its messages have, and how far it is read. */
interface Conversation {
  /** None is below. */
  readonly first: number;
  readonly next: number;
  /** Everything below is read. */
  readonly readTo: number;
  /** Everything below is reported as read, or is not to be. */
  readonly reportedTo: number;
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
  #nextExpiry = 0;

  private constructor(
    store: Store,
    private readonly pending: PendingEffects,
    loaded: { conversations: Map<string, Conversation>; expiring: Map<string, number>; unknown: Iterable<string> },
  ) {
    this.#records = new Records(store);
    this.#conversations = loaded.conversations;
    this.#expiring = loaded.expiring;
    this.#unknown = new Set(loaded.unknown);
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
    const place = placeOf(conversation, contentIdOf(ref));
    if ((await this.#records.get(PLACES, place)) !== undefined) return undefined;
    const { next } = this.#of(conversation);
    const added = pruned({ ...message, effects: (await this.pending.take(conversation, ref, journal)) ?? NO_EFFECTS });
    this.#records.put(PLACES, place, next, journal);
    this.#save({ number: next, message: added }, journal);
    this.#change(conversation, { next: next + 1 }, journal);
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

  async remove({ number, message }: Placed, journal: Journal): Promise<void> {
    const { conversation, ref } = message;
    const place = placeOf(conversation, number);
    this.#records.remove(MESSAGES, place, journal);
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
    this.#records.put(MESSAGES, place, message, journal);
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

  async #at(conversation: string, number: number): Promise<StoredMessage | undefined> {
    return this.#records.get<StoredMessage>(MESSAGES, placeOf(conversation, number));
  }

  // --- many messages

  /** Newest first, from below `before`; the batches grow, as one is often enough. */
  async *newestFirst(conversation: string, before = this.#of(conversation).next): AsyncGenerator<Placed> {
    const { first } = this.#of(conversation);
    let size = FIRST_BATCH;
    for (let end = before; end > first; end -= size, size = Math.min(2 * size, LAST_BATCH)) {
      const batch = await this.#range(conversation, Math.max(first, end - size), end);
      yield* batch.reverse();
    }
  }

  /** Oldest first, numbers from `start` to before `end`. */
  async #range(conversation: string, start: number, end: number): Promise<Placed[]> {
    const numbers = Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
    const found = await this.#records.many<StoredMessage>(
      MESSAGES,
      numbers.map((number) => placeOf(conversation, number)),
    );
    return numbers.flatMap((number) => {
      const message = found.get(placeOf(conversation, number));
      return message === undefined ? [] : { number, message };
    });
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

  // --- what goes

  /** Whether something has expired. */
  hasExpired(now: number): boolean {
    return this.#expiring.size > 0 && now >= this.#nextExpiry;
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
      await this.remove({ number, message }, journal);
      gone.push(message);
    }
    this.#nextExpiry = [...this.#expiring.values()].reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
    return gone;
  }

  /** Removes some of what came before `cutoff`. True: there may be more. */
  async clearBefore(cutoff: number, journal: Journal): Promise<boolean> {
    for (const [conversation, { first, next }] of [...this.#conversations]) {
      const end = Math.min(next, first + CLEARED_AT_ONCE);
      const batch = await this.#range(conversation, first, end);
      const old = batch.filter(({ message }) => message.receivedAt < cutoff);
      for (const each of old) await this.remove(each, journal);
      const kept = batch.find(({ message }) => message.receivedAt >= cutoff);
      const reached = kept?.number ?? end;
      if (reached > first) this.#change(conversation, { first: reached }, journal);
      if (old.length > 0 && kept === undefined && end < next) return true;
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

  readTo(conversation: string): number {
    return this.#of(conversation).readTo;
  }

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
