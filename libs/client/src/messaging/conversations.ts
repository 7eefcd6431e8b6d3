import { ClientError } from '../client-error.js';
import { type ContentTimes, encodeContent, isEmoji, isTooLong, type MessageContent } from '../content/content.js';
import { contentIdOf, messageRef, type MessageRef } from '../content/message-ref.js';
import type { DeviceCore } from '../device-core.js';
import type { Step } from '../groups/group-ports.js';
import { type Doer, MOST_REACTIONS, reactionRefsOf, standingReactions } from '../history/effects.js';
import type { Placed } from '../history/history.js';
import { effectOf, isDeleted, type StoredMessage } from '../history/stored-message.js';
import { randomBytes } from '../sodium.js';
import type { Arrivals } from './arrivals.js';
import type { Message } from './message.js';
import { isFromBlocked, messageOf } from './message-view.js';
import type { Messaging } from './messaging.js';

/** Less is over before it arrives; more does not fit into the seconds of the format. */
const LEAST_EXPIRY_MS = 5_000;
const MOST_EXPIRY_MS = 10 * 365 * 86_400_000;
const TYPING_EVERY_MS = 5_000;
const DEFAULT_PAGE = 100;
/** A number beyond which nobody counts: so many are looked at. */
const MOST_UNREAD = 1_000;

export interface SendOptions {
  /** Id of the message that this one answers. */
  readonly replyTo?: string | undefined;
  /** It goes from all devices that keep the rule after so long; also from here. */
  readonly expiresInMs?: number | undefined;
  /** The text is Markdown (GFM). */
  readonly markdown?: boolean | undefined;
}

export interface PageOptions {
  /** Id of the message before which the page ends. */
  readonly before?: string | undefined;
  readonly limit?: number | undefined;
}

/** What the user says and looks up in conversations: a contact's name or a group's id names one. */
export class Conversations {
  readonly #typedAt = new Map<string, number>();

  constructor(
    private readonly device: DeviceCore,
    private readonly messaging: Messaging,
    private readonly arrivals: Arrivals,
  ) {}

  // --- saying

  /** Resolves with the message's id once it is durable here. */
  send(conversation: string, text: string, options: SendOptions = {}): Promise<string> {
    checkText(text);
    const { expiresInMs, markdown } = options;
    if (expiresInMs !== undefined) checkExpiry(expiresInMs);
    return this.messaging.step(async (_, step) => {
      const replyTo = options.replyTo === undefined ? undefined : (await this.#find(conversation, options.replyTo)).message.ref;
      const expiresAt = expiresInMs === undefined ? undefined : 1_000 * Math.ceil((step.now + expiresInMs) / 1_000);
      const { now } = step;
      const ref = await this.#say(conversation, { kind: 'text', text, markdown, replyTo }, { sentAt: now, expiresAt }, step);
      const message = { ref, conversation, author: this.#self, sentAt: now, receivedAt: now, text, markdown, replyTo, expiresAt };
      await this.device.history.add(message, step.journal);
      return contentIdOf(ref);
    });
  }

  /** Adds a reaction, or takes it back. */
  react(conversation: string, id: string, emoji: string, on = true): Promise<void> {
    if (!isEmoji(emoji)) throw new ClientError('not-allowed', 'a reaction is one emoji or a short word');
    return this.messaging.step(async (_, step) => {
      const { message } = await this.#findReadable(conversation, id);
      const standing = standingReactions(message.effects).filter(([, { account }]) => account === this.#self.account);
      const same = standing.filter(([, mark]) => mark.emoji === emoji).map(([ref]) => ref);
      if (on && same.length > 0) return;
      if (on && reactionRefsOf(message.effects, this.#self.account).length >= MOST_REACTIONS)
        throw new ClientError('not-allowed', 'that is too many reactions of one account to one message');
      if (on) return this.#sayAbout(message, { kind: 'reaction', to: message.ref, emoji }, step);
      for (const reaction of same) await this.#sayAbout(message, { kind: 'unreaction', to: message.ref, reaction }, step);
    });
  }

  edit(conversation: string, id: string, text: string): Promise<void> {
    checkText(text);
    return this.messaging.step(async (_, step) => {
      const { message } = await this.#findOwn(conversation, id);
      const { ref, replyTo, markdown, effects } = message;
      // The clock of the device that changed it last may be ahead.
      const sentAt = Math.max(step.now, 1 + (effects.edits[this.#self.account]?.at ?? 0));
      await this.#sayAbout(message, { kind: 'edit', of: ref, text, replyTo, markdown }, step, sentAt);
    });
  }

  /** For everybody. What has reached nobody yet is given up. */
  delete(conversation: string, id: string): Promise<void> {
    return this.messaging.step(async (_, step) => {
      const { message } = await this.#findOwn(conversation, id);
      this.messaging.giveUp(message.ref, step);
      await this.#sayAbout(message, { kind: 'deletion', of: message.ref }, step);
    });
  }

  /** Tells whoever is there that the user is writing; at most every 5 s, to at most 50 devices, and never later. */
  async typing(conversation: string): Promise<void> {
    const now = Date.now();
    if (!this.messaging.online || now - (this.#typedAt.get(conversation) ?? 0) < TYPING_EVERY_MS) return;
    const group = this.messaging.groupOf(conversation);
    if (group === undefined) return;
    this.#typedAt.set(conversation, now);
    await this.messaging.step((messenger, step) => messenger.tellTyping(group, step));
  }

  /** Everything up to this message is read. Whether its authors are told is a setting. */
  markRead(conversation: string, upTo: string): Promise<void> {
    return this.messaging.step(async (_, { journal }) => {
      const { number } = await this.#find(conversation, upTo);
      this.device.history.markRead(conversation, number, { reported: !this.device.settings.readReceipts }, journal);
    });
  }

  // --- looking up

  /** Oldest first: the newest, or those before a message. */
  async history(conversation: string, { before, limit = DEFAULT_PAGE }: PageOptions = {}): Promise<Message[]> {
    const end = before === undefined ? undefined : (await this.#find(conversation, before)).number;
    const page = await this.device.history.page(conversation, limit, end, (each) => this.#isThere(each));
    return page.map((each) => messageOf(each, this.device));
  }

  /** How many messages of others came since the last that was read, on whichever device. Not of the blocked. */
  unread(conversation: string): Promise<number> {
    return this.device.step(async () => {
      const { history } = this.device;
      const readTo = history.readTo(conversation);
      let [count, seen] = [0, 0];
      for await (const { number, message } of history.newestFirst(conversation)) {
        if (number < readTo || ++seen > MOST_UNREAD) break;
        if (this.#needsAttention(message)) count++;
      }
      return count;
    });
  }

  #needsAttention(message: StoredMessage): boolean {
    const own = message.author.account === this.device.session?.account;
    return !own && !isDeleted(message) && this.#isThere(message) && !isFromBlocked(message, this.device);
  }

  async message(conversation: string, id: string): Promise<Message | undefined> {
    const found = await this.device.history.find(conversation, id);
    return found && this.#isThere(found.message) ? messageOf(found.message, this.device) : undefined;
  }

  #isThere({ expiresAt }: StoredMessage): boolean {
    return expiresAt === undefined || expiresAt > Date.now();
  }

  async #find(conversation: string, id: string): Promise<Placed> {
    const found = await this.device.history.find(conversation, id);
    if (found === undefined || !this.#isThere(found.message)) throw new ClientError('unknown-message', 'that message is not here');
    return found;
  }

  async #findReadable(conversation: string, id: string): Promise<Placed> {
    const found = await this.#find(conversation, id);
    if (isDeleted(found.message)) throw new ClientError('not-allowed', 'that message is deleted');
    return found;
  }

  async #findOwn(conversation: string, id: string): Promise<Placed> {
    const found = await this.#findReadable(conversation, id);
    if (found.message.author.account !== this.#self.account) throw new ClientError('not-allowed', 'only its author changes a message');
    return found;
  }

  // --- sealing

  get #self(): Doer {
    const { account, name } = this.device.signedIn().session;
    return { account, name };
  }

  async #sayAbout({ conversation, expiresAt }: StoredMessage, content: MessageContent, step: Step, sentAt = step.now): Promise<void> {
    const ref = await this.#say(conversation, content, { sentAt, expiresAt }, step);
    const said = effectOf(content, ref, sentAt, this.#self);
    if (said !== undefined) await this.arrivals.apply(conversation, said.target, said.effect, step, expiresAt);
  }

  async #say(conversation: string, content: MessageContent, times: ContentTimes, step: Step): Promise<MessageRef> {
    const plaintext = encodeContent(content, times, randomBytes(16));
    const ref = messageRef(this.#self.account, plaintext);
    await this.messaging.compose(conversation, plaintext, contentIdOf(ref), step);
    return ref;
  }
}

/** Of what is to be sent with `expiresInMs`. Throws ClientError `not-allowed`. */
export function checkExpiry(expiresInMs: number): void {
  if (expiresInMs >= LEAST_EXPIRY_MS && expiresInMs <= MOST_EXPIRY_MS) return;
  throw new ClientError('not-allowed', 'a message expires after 5 seconds to 10 years');
}

function checkText(text: string): void {
  if (isTooLong(text)) throw new ClientError('too-long', 'a message has at most 64 KiB');
}
