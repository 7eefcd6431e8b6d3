import { checkExpiry, type ClientEvents, type Message, type MessagingClient } from '@sotto/client';
import { UsageError } from '../command-line/usage-error.js';
import type { ChatEvent } from './chat-event.js';
import type { MessageCommand } from './message-command.js';
import type { MessageView } from './message-event.js';
import type { MessageNumbers } from './message-numbers.js';
import { shownSettings } from './shown-settings.js';
import type { Groups } from './surroundings.js';

/** Messages as they come and change, and what the user does with them. */
export class MessageCommands {
  /** Conversations of messages that were shown or sent. */
  readonly #conversations = new Map<string, string>();
  readonly #expireAfterMs = new Map<string, number>();
  readonly #stopListening: (() => void)[];
  /** A quote has to be looked up: what comes after it waits. */
  #shown: Promise<void> = Promise.resolve();

  constructor(
    private readonly client: MessagingClient,
    private readonly names: Groups,
    private readonly numbers: MessageNumbers,
    /** Whoever reads the screen has read what it shows. */
    private readonly showingIsReading: boolean,
    private readonly show: (event: ChatEvent) => void,
  ) {
    this.#stopListening = [
      client.on('message', (message) => this.#inOrder(() => this.#arrived(message))),
      client.on('message-changed', (changed) => this.#inOrder(async () => this.#changed(changed))),
      client.on('read', (read) => this.#inOrder(async () => this.#read(read))),
      client.on('typing', ({ conversation, by }) => show({ event: 'typing', by, ...this.names.whereOf(conversation) })),
    ];
  }

  stop(): void {
    for (const stop of this.#stopListening) stop();
  }

  /** Returns the id. Throws what the SDK throws. */
  async send(conversation: string, text: string, replyTo?: string): Promise<string> {
    const id = await this.client.send(conversation, text, { replyTo, expiresInMs: this.#expireAfterMs.get(conversation) });
    this.#conversations.set(id, conversation);
    const message = await this.client.message(conversation, id);
    // One that expires at once is gone already.
    const view =
      message === undefined ? { from: this.client.account?.name ?? '', id, text, sentAt: Date.now() } : await this.#viewOf(message);
    this.show({ event: 'sent', to: conversation, ...this.#groupName(conversation), ...view });
    return id;
  }

  /** @param here the conversation that is written to. Throws what the SDK throws, and UsageError. */
  async run(command: MessageCommand, here: string | undefined): Promise<void> {
    switch (command.do) {
      case 'search':
        return this.#search(command.text, command.in, command.count);
      case 'expire':
        return this.#expire(this.where(command.in, here), command.afterMs);
      case 'typing':
        return this.client.typing(this.where(command.in, here));
      case 'read-receipts':
        await this.client.changeSettings({ readReceipts: command.on });
        return this.show(shownSettings(this.client));
      case 'retention':
        await this.client.changeSettings({ retentionDays: command.days });
        return this.show(shownSettings(this.client));
      default:
        return this.#about(command, here);
    }
  }

  async #about(command: Extract<MessageCommand, { message: string }>, here: string | undefined): Promise<void> {
    const { client } = this;
    const id = this.numbers.idOf(command.message);
    if (id === undefined) throw new UsageError(`no message ${command.message} was shown here: the numbers stand before the names`);
    const conversation = command.in === undefined ? (this.#conversations.get(id) ?? this.where(undefined, here)) : this.where(command.in);
    switch (command.do) {
      case 'reply':
        return void (await this.send(conversation, command.text, id));
      case 'react':
        return client.react(conversation, id, command.emoji);
      case 'unreact':
        return this.#unreact(conversation, id, command.emoji);
      case 'edit':
        return client.edit(conversation, id, command.text);
      case 'delete':
        return client.delete(conversation, id);
      case 'read':
        return client.markRead(conversation, id);
      case 'show':
        return this.#show(conversation, id);
    }
  }

  async #unreact(conversation: string, id: string, emoji: string | undefined): Promise<void> {
    const reactions = (await this.client.message(conversation, id))?.reactions ?? [];
    const own = reactions.filter(({ by }) => by.includes(this.client.account?.name ?? '')).map((each) => each.emoji);
    const wanted = emoji === undefined ? own : own.filter((each) => each === emoji);
    if (wanted.length === 0) throw new UsageError('you have not reacted to that message so');
    for (const each of wanted) await this.client.react(conversation, id, each, false);
  }

  // --- looking up

  async showHistory(conversation: string, limit: number): Promise<void> {
    const messages = await this.client.history(conversation, { limit });
    const views = await Promise.all(messages.map((each) => this.#viewOf(each)));
    this.show({ event: 'history', name: conversation, ...this.#groupName(conversation), messages: views });
  }

  /** Also what is hidden until somebody wants to see it. */
  async #show(conversation: string, id: string): Promise<void> {
    const message = await this.client.message(conversation, id);
    if (message === undefined) throw new UsageError('that message is not here any more');
    this.show({ event: 'shown', ...(await this.#viewOf(message)), ...this.names.whereOf(conversation) });
  }

  async #search(text: string, where: string | undefined, limit: number): Promise<void> {
    const conversation = where === undefined ? undefined : this.where(where);
    const found = await this.client.search(text, { conversation, limit });
    const messages = await Promise.all(
      found.map(async (each) => ({ ...(await this.#viewOf(each)), ...this.names.whereOf(each.conversation) })),
    );
    this.show({ event: 'found', text, messages });
  }

  // --- settings

  #expire(conversation: string, afterMs: number | undefined): void {
    if (!this.#isContact(conversation) && this.names.nameOf(conversation) === undefined)
      throw new UsageError(`there is no conversation with ${conversation} (/contacts and /group list show whom there is)`);
    // Now, not at every message that follows.
    if (afterMs !== undefined) checkExpiry(afterMs);
    if (afterMs === undefined) this.#expireAfterMs.delete(conversation);
    else this.#expireAfterMs.set(conversation, afterMs);
    const name = this.names.nameOf(conversation) ?? conversation;
    const rule = afterMs === undefined ? 'stays' : `goes from all devices after ${Math.round(afterMs / 1_000)} s`;
    this.show({ event: 'notice', text: `What you write to ${name} from now on ${rule}.` });
  }

  // --- what happens

  #inOrder(show: () => Promise<void>): void {
    this.#shown = this.#shown.then(show).catch(() => undefined);
  }

  async #arrived(message: Message): Promise<void> {
    const { conversation, from } = message;
    const { groupName } = this.#groupName(conversation);
    const own = groupName === undefined && from !== conversation ? { to: conversation } : {};
    const inGroup = groupName === undefined ? {} : { group: conversation, groupName };
    this.show({ event: 'message', ...(await this.#viewOf(message)), ...own, ...inGroup });
    if (this.showingIsReading && !message.own) await this.client.markRead(conversation, message.id);
  }

  #changed({ message, change }: ClientEvents['message-changed']): void {
    const { id, text, conversation, fromBlocked } = message;
    this.#conversations.set(id, conversation);
    // Told by `read`, once for all messages.
    if (change.what === 'read') return;
    const hidden = fromBlocked === true ? { fromBlocked } : {};
    this.show({ event: 'message-changed', id, text, ...hidden, ...change, ...this.names.whereOf(conversation) });
  }

  #read({ conversation, by, own, ids }: ClientEvents['read']): void {
    this.show({ event: 'read', by, own, ids, ...this.names.whereOf(conversation) });
  }

  async #viewOf(message: Message): Promise<MessageView> {
    const { from, id, text, sentAt, conversation, replyTo, reactions, expiresAt, readBy } = message;
    const { edited, deleted, discarded, unknown, fromBlocked } = message;
    this.#conversations.set(id, conversation);
    const quoted = replyTo === undefined ? undefined : await this.client.message(conversation, replyTo).catch(() => undefined);
    return {
      ...{ from, id, text, sentAt },
      ...(replyTo !== undefined && { replyTo }),
      ...(quoted !== undefined && { quote: quoteOf(quoted) }),
      ...(edited && { edited }),
      ...(deleted && { deleted }),
      ...(discarded && { discarded }),
      ...(unknown && { unknown }),
      ...(fromBlocked && { fromBlocked }),
      ...(reactions.length > 0 && { reactions }),
      ...(expiresAt !== undefined && { expiresAt }),
      ...(readBy !== undefined && { readBy }),
    };
  }

  /** The conversation of that name, or the one before the user. Throws UsageError. */
  where(name: string | undefined, here?: string): string {
    const where = name === undefined ? here : this.#isContact(name) ? name : (this.names.find(name)?.id ?? name);
    if (where === undefined) throw new UsageError('say to whom first: /to NAME (/contacts and /group list show whom there is)');
    return where;
  }

  #isContact(name: string): boolean {
    return this.client.contacts().some((each) => each.name === name);
  }

  #groupName(conversation: string): { groupName?: string } {
    const groupName = this.names.nameOf(conversation);
    return groupName === undefined ? {} : { groupName };
  }
}

function quoteOf({ from, text, fromBlocked }: Message): NonNullable<MessageView['quote']> {
  return { from, text, ...(fromBlocked && { fromBlocked }) };
}
