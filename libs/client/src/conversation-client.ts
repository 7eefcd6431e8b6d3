import type { ClientEvents } from './client-events.js';
import type { Contact } from './contacts/contact-list.js';
import type { DeviceCore } from './device-core.js';
import type { Carrier } from './messaging/carrier.js';
import { Conversations, type PageOptions, type SendOptions } from './messaging/conversations.js';
import type { Message, QueuedMessage } from './messaging/message.js';
import { Messaging } from './messaging/messaging.js';
import { search, type SearchOptions } from './messaging/search.js';
import type { Settings } from './messaging/settings.js';
import { Upkeep } from './messaging/upkeep.js';
import type { MessagingClient } from './messaging-client.js';

const TICK_MS = 1_000;

/** What a client needs to hold conversations. */
export interface ConversationParts {
  readonly device: DeviceCore;
  readonly messaging: Messaging;
  readonly conversations: Conversations;
  readonly upkeep: Upkeep;
}

export function conversationParts(device: DeviceCore, carrier: Carrier): ConversationParts {
  const messaging = new Messaging(device, carrier);
  const { arrivals } = messaging;
  return {
    device,
    messaging,
    conversations: new Conversations(device, messaging, arrivals),
    upkeep: new Upkeep(device, messaging, arrivals),
  };
}

/** What every client does with conversations, whatever carries them. `conversation` is a contact's name, or a group's id. */
export abstract class ConversationClient implements MessagingClient {
  readonly #parts: ConversationParts;
  readonly #ticker: ReturnType<typeof setInterval>;

  protected constructor(parts: ConversationParts) {
    this.#parts = parts;
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
  }

  abstract get account(): { readonly name: string } | undefined;
  abstract safetyNumber(name: string): string;
  abstract confirmKey(name: string): Promise<void>;

  on<Name extends keyof ClientEvents>(event: Name, listener: (value: ClientEvents[Name]) => void): () => void {
    return this.#parts.device.events.on(event, listener);
  }

  contacts(): Contact[] {
    return this.#parts.device.contacts.all();
  }

  // All that names a message throws ClientError `unknown-message`.

  /** Resolves with the message's id once it is durable here; `delivery` tells the rest. */
  async send(conversation: string, text: string, options: SendOptions = {}): Promise<string> {
    return this.#parts.conversations.send(conversation, text, options);
  }

  /** With an emoji, or a short word; `on` false takes it back. */
  async react(conversation: string, id: string, emoji: string, on = true): Promise<void> {
    return this.#parts.conversations.react(conversation, id, emoji, on);
  }

  /** An own message. Throws ClientError `not-allowed` for another's. */
  async edit(conversation: string, id: string, text: string): Promise<void> {
    return this.#parts.conversations.edit(conversation, id, text);
  }

  /** An own message, for everybody. Throws ClientError `not-allowed` for another's. */
  async delete(conversation: string, id: string): Promise<void> {
    return this.#parts.conversations.delete(conversation, id);
  }

  /** To be called at each key: it is told at most every 5 s, to those who are there, and kept by nobody. */
  async typing(conversation: string): Promise<void> {
    return this.#parts.conversations.typing(conversation);
  }

  /** Everything up to a message was seen. Its authors are told if `settings.readReceipts` says so. */
  async markRead(conversation: string, upTo: string): Promise<void> {
    return this.#parts.conversations.markRead(conversation, upTo);
  }

  /** How many messages of others came since the last that was read; of the newest 1,000. Not of the blocked. */
  async unread(conversation: string): Promise<number> {
    return this.#parts.conversations.unread(conversation);
  }

  /** Oldest first: the newest 100, or as `options` say. */
  async history(conversation: string, options: PageOptions = {}): Promise<Message[]> {
    return this.#parts.conversations.history(conversation, options);
  }

  /** One message, for instance that to which another replies. */
  async message(conversation: string, id: string): Promise<Message | undefined> {
    return this.#parts.conversations.message(conversation, id);
  }

  /** In what this device keeps, whatever the case; newest first, at most 50 unless `options` say otherwise. */
  async search(text: string, options: SearchOptions = {}): Promise<Message[]> {
    return search(text, options, this.#parts.device);
  }

  get settings(): Settings {
    return this.#parts.device.settings;
  }

  /** Throws ClientError `not-allowed`. */
  async changeSettings(change: Partial<Settings>): Promise<void> {
    return this.#parts.upkeep.change(change);
  }

  /** What is not yet delivered, oldest first. */
  queue(): QueuedMessage[] {
    return this.#parts.messaging.queue();
  }

  /** Tries a queued message again now: it is sent by itself when its recipients are there, and arrives once. */
  async resend(id: string): Promise<void> {
    await this.#parts.messaging.step(async (messenger, step) => messenger.resend(id, step));
  }

  /** Gives up a queued message. What is on its way may still arrive. */
  async discard(id: string): Promise<void> {
    await this.#parts.messaging.step(async (messenger, step) => messenger.discard(id, step));
  }

  close(): Promise<void> {
    clearInterval(this.#ticker);
    return this.#parts.device.close();
  }

  #tick(): void {
    const { device, messaging, upkeep } = this.#parts;
    if (device.closed) return clearInterval(this.#ticker);
    messaging.tick();
    upkeep.tick(Date.now());
  }
}
