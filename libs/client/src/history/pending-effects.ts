import type { MessageRef } from '../content/message-ref.js';
import type { Journal } from '../storage/journal.js';
import { decodeRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';
import { type Effect, type Effects, NO_EFFECTS, withEffect } from './effects.js';
import { Records } from './records.js';

const PENDING = 'history-pending';
/** Messages of one conversation that are spoken about and not here; the oldest make room. */
const MOST_PENDING = 500;
/** Nothing is owed any longer. */
const KEPT_MS = 14 * 86_400_000;

interface Pending {
  readonly effects: Effects;
  /** When the last of them came. Unix milliseconds. */
  readonly at: number;
  /** When the message will be gone, if that is known. */
  readonly expiresAt?: number | undefined;
}

/** What was said about messages that have not come: the order of delivery is nobody's promise. */
export class PendingEffects {
  readonly #records: Records;
  /** Keys of each conversation with the time until which they are kept, oldest first. */
  readonly #until = new Map<string, Map<string, number>>();

  private constructor(store: Store) {
    this.#records = new Records(store);
  }

  static async load(store: Store): Promise<PendingEffects> {
    const pending = new PendingEffects(store);
    const records = [...(await store.load(PENDING))].map(([key, bytes]) => [key, decodeRecord<Pending>(bytes)] as const);
    for (const [key, each] of records.sort(([, a], [, b]) => a.at - b.at)) pending.#remember(key, each);
    return pending;
  }

  async keep(
    conversation: string,
    target: MessageRef,
    { effect, now, expiresAt }: { readonly effect: Effect; readonly now: number; readonly expiresAt?: number | undefined },
    journal: Journal,
  ): Promise<void> {
    const key = `${conversation}/${target}`;
    const before = await this.#records.get<Pending>(PENDING, key);
    const changed = { effects: withEffect(before?.effects ?? NO_EFFECTS, effect), at: now, expiresAt: expiresAt ?? before?.expiresAt };
    this.#records.put(PENDING, key, changed, journal);
    this.#remember(key, changed);
    const keys = this.#until.get(conversation)!;
    if (keys.size > MOST_PENDING) this.#drop(keys.keys().next().value!, journal);
  }

  async take(conversation: string, target: MessageRef, journal: Journal): Promise<Effects | undefined> {
    const key = `${conversation}/${target}`;
    if (this.#until.get(conversation)?.has(key) !== true) return undefined;
    const pending = await this.#records.get<Pending>(PENDING, key);
    this.#drop(key, journal);
    return pending?.effects;
  }

  sweep(now: number, journal: Journal): void {
    for (const keys of this.#until.values()) for (const [key, until] of keys) if (until <= now) this.#drop(key, journal);
  }

  #remember(key: string, { at, expiresAt }: Pending): void {
    const conversation = key.slice(0, key.lastIndexOf('/'));
    const keys = this.#until.get(conversation) ?? new Map<string, number>();
    this.#until.set(conversation, keys);
    keys.delete(key);
    keys.set(key, Math.min(at + KEPT_MS, expiresAt ?? Number.POSITIVE_INFINITY));
  }

  #drop(key: string, journal: Journal): void {
    this.#until.get(key.slice(0, key.lastIndexOf('/')))?.delete(key);
    this.#records.remove(PENDING, key, journal);
  }
}
