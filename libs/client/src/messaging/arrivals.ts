import { decodeContent, type ReadContent } from '../content/content.js';
import { contentIdOf, messageRef, type MessageRef } from '../content/message-ref.js';
import type { DeviceCore } from '../device-core.js';
import type { Doer, Effect } from '../history/effects.js';
import type { Placed } from '../history/history.js';
import { effectOf, type StoredMessage } from '../history/stored-message.js';
import type { Step } from '../groups/group-ports.js';
import type { MessageChange } from './message.js';
import { changeOf, messageOf } from './message-view.js';
import { nameOf } from './names.js';

/** Beyond this, what is not understood is not kept either: that something came is. */
const MOST_UNKNOWN_BYTES = 80 * 1024;

/** What somebody said in a conversation, as it was sealed. */
export interface Arrival {
  readonly conversation: string;
  readonly by: Doer;
  readonly plaintext: Uint8Array;
  readonly receivedAt: number;
}

/** Puts what was said into the history, and tells the program. Whatever was sealed, it never keeps a delivery from being acknowledged. */
export class Arrivals {
  #waiting: Arrival[] = [];

  constructor(private readonly device: DeviceCore) {}

  /** At the end of the step, in the order in which they came: the history is read for them. */
  take(arrival: Arrival, step: Step): void {
    this.#waiting.push(arrival);
    step.journal.lastly(this, async () => {
      // Out of the queue only when it is kept: a store that can't be read must not cost a message.
      for (; this.#waiting.length > 0; this.#waiting.shift()) await this.keep(this.#waiting[0]!, step);
    });
  }

  /** At the end of the step, likewise: what was given up is no message that arrived. */
  discarded(conversation: string, id: string, { journal }: Step): void {
    journal.lastly({}, async () => {
      const { history } = this.device;
      const found = await history.find(conversation, id);
      if (found !== undefined) history.replace({ ...found, message: { ...found.message, discarded: true } }, journal);
    });
  }

  async keep(arrival: Arrival, step: Step): Promise<void> {
    const { plaintext, by, receivedAt } = arrival;
    const ref = messageRef(by.account, plaintext);
    const content = decodeContent(plaintext, receivedAt);
    if (content === undefined) return this.#unknown(arrival, ref, step);
    if (content.expiresAt !== undefined && content.expiresAt <= step.now) return;
    if (content.kind === 'text') return this.#message(arrival, ref, content, step);
    await this.#said(arrival, ref, content, step);
  }

  /** What did not exist when it came may do so now. */
  async understand({ number, message }: Placed, step: Step): Promise<void> {
    const { author, unknown, receivedAt, ref, conversation } = message;
    const content = unknown && decodeContent(unknown, receivedAt);
    if (unknown === undefined || content === undefined) return;
    const { history } = this.device;
    if (content.kind === 'text') {
      const { text, markdown, replyTo, sentAt, expiresAt } = content;
      const understood = { ...message, text, markdown, replyTo, sentAt, expiresAt, unknown: undefined };
      history.replace({ number, message: understood }, step.journal);
      return this.tellChanged(understood, { what: 'understood' }, step);
    }
    history.remove({ number, message }, step.journal);
    await this.#said({ conversation, by: author, plaintext: unknown, receivedAt }, ref, content, step);
  }

  async #message(arrival: Arrival, ref: MessageRef, content: ReadContent & { kind: 'text' }, step: Step): Promise<void> {
    const { text, markdown, replyTo, sentAt, expiresAt } = content;
    await this.#add({ ...recordOf(arrival, ref), text, markdown, replyTo, sentAt, expiresAt }, step);
  }

  async #unknown(arrival: Arrival, ref: MessageRef, step: Step): Promise<void> {
    const { plaintext, receivedAt } = arrival;
    const unknown = plaintext.length > MOST_UNKNOWN_BYTES ? new Uint8Array(0) : plaintext;
    await this.#add({ ...recordOf(arrival, ref), text: '', sentAt: receivedAt, unknown }, step);
  }

  async #add(message: Omit<StoredMessage, 'effects'>, { journal }: Step): Promise<void> {
    const added = await this.device.history.add(message, journal);
    if (added !== undefined) journal.afterwards(() => this.device.events.emit('message', messageOf(added, this.device)));
  }

  /** About messages that are here or will be. */
  async #said({ conversation, by }: Arrival, ref: MessageRef, content: ReadContent, step: Step): Promise<void> {
    if (content.kind === 'receipt') return this.#read(conversation, by, content.read, step);
    const said = effectOf(content, ref, content.sentAt, by);
    if (said !== undefined) await this.apply(conversation, said.target, said.effect, step, content.expiresAt);
  }

  async apply(conversation: string, target: MessageRef, effect: Effect, step: Step, expiresAt?: number): Promise<void> {
    const changed = await this.device.history.apply(conversation, target, effect, { now: step.now, expiresAt }, step.journal);
    if (changed === undefined) return;
    const change = changeOf(changed.before, changed.after, effect.by, this.device);
    if (change !== undefined) this.tellChanged(changed.after, change, step);
  }

  async #read(conversation: string, by: Doer, refs: readonly MessageRef[], step: Step): Promise<void> {
    const own = by.account === this.device.session?.account;
    const ids: string[] = [];
    for (const ref of refs) {
      const isNews = own ? await this.#readElsewhere(conversation, ref, step) : await this.#readByOther(conversation, ref, by, step);
      if (isNews) ids.push(contentIdOf(ref));
    }
    const event = { conversation, by: nameOf(by.account, by.name, this.device), own, ids };
    if (ids.length > 0) step.journal.afterwards(() => this.device.events.emit('read', event));
  }

  /** Another device of this account says what needs no attention here any more. */
  async #readElsewhere(conversation: string, ref: MessageRef, { journal }: Step): Promise<boolean> {
    const found = await this.device.history.find(conversation, contentIdOf(ref));
    if (found === undefined) return false;
    this.device.history.markRead(conversation, found.number, { reported: true }, journal);
    return true;
  }

  /** Of what others wrote to others nothing is kept. */
  async #readByOther(conversation: string, ref: MessageRef, by: Doer, step: Step): Promise<boolean> {
    const found = await this.device.history.find(conversation, contentIdOf(ref));
    const mine = found?.message.author.account === this.device.session?.account;
    if (found === undefined || mine) await this.apply(conversation, ref, { kind: 'read', by }, step);
    return mine;
  }

  tellChanged(stored: StoredMessage, change: MessageChange, { journal }: Step): void {
    journal.afterwards(() => this.device.events.emit('message-changed', { message: messageOf(stored, this.device), change }));
  }
}

function recordOf(
  { conversation, by, receivedAt }: Arrival,
  ref: MessageRef,
): Pick<StoredMessage, 'ref' | 'conversation' | 'author' | 'receivedAt'> {
  return { ref, conversation, author: by, receivedAt };
}
