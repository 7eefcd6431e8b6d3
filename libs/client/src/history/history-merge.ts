import type { Journal } from '../storage/journal.js';
import type { History, Placed } from './history.js';
import type { StoredMessage } from './stored-message.js';

/** Moved between two commits, lest a step grow with the conversation. */
const BATCH = 256;

/**
 * Brings messages from elsewhere, oldest first, between those of a conversation, by the time when they came. All get new numbers behind the old
 * ones. Cut off in between, the conversation has all that it had, in a worse order; the same merge, begun anew, goes on where it was.
 */
export class HistoryMerge {
  readonly #own: AsyncGenerator<Placed>;
  #next: Placed | undefined;
  #isBegun = false;
  #moved = 0;

  constructor(
    private readonly history: History,
    readonly conversation: string,
    private readonly journal: Journal,
  ) {
    this.#own = history.oldestFirst(conversation, history.beginMerge(conversation, journal));
  }

  /** False: it was there already. */
  async take(message: StoredMessage, isRead: boolean): Promise<boolean> {
    await this.#moveOwn((own) => own.receivedAt <= message.receivedAt);
    return this.history.mergeIn(message, isRead, this.journal);
  }

  async end(): Promise<void> {
    await this.#moveOwn(() => true);
    this.history.endMerge(this.conversation, this.journal);
  }

  async #moveOwn(goesBefore: (own: StoredMessage) => boolean): Promise<void> {
    if (!this.#isBegun) await this.#advance();
    this.#isBegun = true;
    while (this.#next !== undefined && goesBefore(this.#next.message)) {
      this.history.mergeOwn(this.#next, this.journal);
      if (++this.#moved % BATCH === 0) await this.journal.commit();
      await this.#advance();
    }
  }

  async #advance(): Promise<void> {
    const next = await this.#own.next();
    this.#next = next.done === true ? undefined : next.value;
  }
}
