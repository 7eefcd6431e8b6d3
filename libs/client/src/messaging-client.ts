import type { ClientEvents } from './client-events.js';
import type { Contact } from './contacts/contact-list.js';
import type { PageOptions, SendOptions } from './messaging/conversations.js';
import type { Message, QueuedMessage } from './messaging/message.js';
import type { SearchOptions } from './messaging/search.js';
import type { Settings } from './messaging/settings.js';

/**
 * Contacts and conversations as a program draws them, whether a server carries them or the peers do it themselves.
 * `conversation` is a contact's name, or a group's id where there are groups.
 */
export interface MessagingClient {
  /** Who the user is; undefined before that is known. */
  readonly account: { readonly name: string } | undefined;
  readonly settings: Settings;
  /** Returns the function that stops listening. */
  on<Name extends keyof ClientEvents>(event: Name, listener: (value: ClientEvents[Name]) => void): () => void;
  contacts(): Contact[];
  /** For two people to compare; the same on both sides. Of a contact whose key has changed: with the new key. */
  safetyNumber(name: string): string;
  /** Trusts the key that a contact has now, after it changed. */
  confirmKey(name: string): Promise<void>;
  /** Resolves with the message's id once it is durable here; `delivery` tells the rest. */
  send(conversation: string, text: string, options?: SendOptions): Promise<string>;
  react(conversation: string, id: string, emoji: string, on?: boolean): Promise<void>;
  edit(conversation: string, id: string, text: string): Promise<void>;
  delete(conversation: string, id: string): Promise<void>;
  typing(conversation: string): Promise<void>;
  markRead(conversation: string, upTo: string): Promise<void>;
  /** How many messages of others came since the last that was read. */
  unread(conversation: string): Promise<number>;
  history(conversation: string, options?: PageOptions): Promise<Message[]>;
  message(conversation: string, id: string): Promise<Message | undefined>;
  search(text: string, options?: SearchOptions): Promise<Message[]>;
  changeSettings(change: Partial<Settings>): Promise<void>;
  /** What is not yet delivered, oldest first. */
  queue(): QueuedMessage[];
  /** Gives up a queued message. What is on its way may still arrive. */
  resend(id: string): Promise<void>;
  discard(id: string): Promise<void>;
  close(): Promise<void>;
}
