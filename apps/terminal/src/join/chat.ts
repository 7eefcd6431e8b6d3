import { type ClientEvents, type Contact, type QueuedMessage, type SottoClient } from '@sotto/client';
import { UsageError } from '../command-line/usage-error.js';
import { chatHelp } from '../command-line/help.js';
import type { AccountCommands } from './account-commands.js';
import type { Asker } from './asker.js';
import type { ChatCommand, ContactCommand } from './chat-command.js';
import { connectionEvent } from './connection-event.js';
import type { ChatEvent, ContactView } from './chat-event.js';
import type { GroupCommands } from './group-commands.js';
import type { Secrets } from './json-fields.js';
import type { MessageCommands } from './message-commands.js';
import type { MessageNumbers } from './message-numbers.js';

/** What the user types becomes calls of the SDK; what the SDK says becomes events to show. */
export class Chat {
  /** To whom a line goes that names nobody: a contact's name, or a group's id. */
  #conversation: string | undefined;
  readonly #recipients = new Map<string, string>();
  readonly #stopListening: (() => void)[];

  constructor(
    private readonly client: SottoClient,
    private readonly others: { readonly account: AccountCommands; readonly groups: GroupCommands; readonly messages: MessageCommands },
    private readonly ask: Asker,
    private readonly numbers: MessageNumbers,
    private readonly show: (event: ChatEvent) => void,
  ) {
    this.#stopListening = [
      client.on('state', (state) => show(connectionEvent(state))),
      client.on('contact', (contact) => this.#contactChanged(contact)),
      client.on('presence', ({ name, online }) => show({ event: 'presence', name, online })),
      client.on('delivery', (change) => this.#delivery(change)),
      // Who waits to be let in is told by the approval.
      client.on('problem', ({ code, text }) => (code === 'pending-device' ? undefined : show({ event: 'notice', text }))),
    ];
  }

  /** What waits since the last time. */
  start(): void {
    for (const { id, to } of this.client.queue()) this.#recipients.set(id, to);
    const accepted = this.client.contacts().filter(({ status }) => status === 'accepted');
    if (accepted.length === 1) this.#writeTo(accepted[0]!.name);
    for (const { name, status } of this.client.contacts()) if (status === 'requested') this.show({ event: 'request', name });
  }

  stop(): void {
    for (const stop of this.#stopListening) stop();
  }

  /**
   * False: the user leaves. Throws what the SDK throws, and UsageError.
   * @param here the conversation that the user has before them
   */
  async run(command: ChatCommand, here = this.#conversation): Promise<boolean> {
    switch (command.do) {
      case 'verify':
        this.#showSafetyNumber(command.name);
        break;
      case 'confirm':
        await this.#confirmKey(command.name, command.secrets);
        break;
      case 'history':
        await this.others.messages.showHistory(this.#historyKey(command.name), command.count);
        break;
      case 'to':
        this.#writeTo(this.conversationOf(command.name));
        break;
      case 'send':
        await this.#send(command.to === undefined ? here : this.conversationOf(command.to), command.text);
        break;
      case 'discard':
        await this.#discard(command.message);
        break;
      case 'resend':
        await this.#resend(command.message);
        break;
      case 'contacts':
        this.show({ event: 'contacts', contacts: this.client.contacts().map(viewOf) });
        break;
      case 'queue':
        this.show({ event: 'queue', messages: this.client.queue().map((each) => ({ ...each, ...this.#groupNameOf(each.to) })) });
        break;
      case 'help':
        this.show({ event: 'help', text: chatHelp() });
        break;
      case 'quit':
        return false;
      case 'add':
      case 'accept':
      case 'decline':
      case 'remove':
      case 'block':
      case 'unblock':
        await this.#changeContact(command);
        break;
      case 'group':
        await this.others.groups.run(command);
        break;
      case 'reply':
      case 'edit':
      case 'react':
      case 'unreact':
      case 'delete':
      case 'read':
      case 'expire':
      case 'search':
      case 'typing':
      case 'read-receipts':
      case 'retention':
        await this.others.messages.run(command, here);
        break;
      default:
        return this.others.account.run(command);
    }
    return true;
  }

  async #changeContact({ do: what, name }: ContactCommand): Promise<void> {
    const { client } = this;
    const changes: Record<ContactCommand['do'], () => Promise<void>> = {
      add: () => client.requestContact(name),
      accept: () => client.accept(name),
      decline: () => client.decline(name),
      remove: () => client.remove(name),
      block: () => client.block(name),
      unblock: () => client.unblock(name),
    };
    await changes[what]();
  }

  #showSafetyNumber(name: string): void {
    this.show({ event: 'safety-number', name, number: this.client.safetyNumber(name) });
  }

  async #confirmKey(name: string, { confirm }: Secrets): Promise<void> {
    this.#mustKnow(name);
    if (this.client.contacts().find((each) => each.name === name)?.changedKey === undefined) {
      throw new UsageError(`the key of ${name} has not changed: there is nothing to confirm`);
    }
    this.#showSafetyNumber(name);
    const same = confirm ?? (await this.ask.yes(`Does ${name} see the same number?`));
    if (same) await this.client.confirmKey(name);
    const text = same ? `You trust the new key of ${name} now.` : `Nothing was changed: messages to ${name} wait until you confirm.`;
    this.show({ event: 'notice', text });
  }

  /** What was written with somebody stays when the two are contacts no more. */
  #historyKey(text: string): string {
    return this.#isContact(text) ? text : (this.others.groups.names.find(text)?.id ?? text);
  }

  async #send(to: string | undefined, text: string): Promise<void> {
    if (to === undefined) throw new UsageError('say to whom first: /to NAME (/contacts and /group list show whom there is)');
    await this.others.messages.send(to, text);
  }

  async #discard(message: string): Promise<void> {
    await this.client.discard(this.#queued(message).id);
  }

  /** As a new message: what it was sealed for may be there no more. */
  async #resend(message: string): Promise<void> {
    const { id, to, what, text } = this.#queued(message);
    if (what !== 'text') throw new UsageError('only a message is sent anew: make that change again');
    await this.client.discard(id);
    await this.#send(to, text);
  }

  #queued(message: string): QueuedMessage {
    const id = this.numbers.idOf(message);
    const queued = this.client.queue().find((each) => each.id === id);
    if (queued === undefined) throw new UsageError(`there is no message ${message} in the queue: /queue lists it`);
    return queued;
  }

  #writeTo(name: string): void {
    this.#conversation = name;
    this.show({ event: 'conversation', name, ...this.#groupNameOf(name) });
  }

  /** A contact goes before a group of that name, also one that is not to be written to: nobody names a group after it to get its messages. */
  conversationOf(text: string): string {
    const group = this.#isContact(text) ? undefined : this.others.groups.names.find(text);
    if (group === undefined) this.#mustKnow(text);
    return group?.id ?? text;
  }

  #isContact(name: string): boolean {
    return this.client.contacts().some((each) => each.name === name);
  }

  #groupNameOf(conversation: string): { groupName?: string } {
    const groupName = this.others.groups.names.nameOf(conversation);
    return groupName === undefined ? {} : { groupName };
  }

  #mustKnow(name: string): void {
    const contact = this.client.contacts().find((each) => each.name === name);
    if (contact?.status !== 'accepted') throw new UsageError(`${name} is no contact (yet): /add ${name} asks, /contacts lists them`);
  }

  #contactChanged({ name, status, online }: Contact): void {
    if (status === 'requested') return this.show({ event: 'request', name });
    this.show({ event: 'contact', name, state: status });
    if (status === 'accepted' && online) this.show({ event: 'presence', name, online });
    if (status === 'accepted' && this.#conversation === undefined) this.#writeTo(name);
  }

  #delivery({ id, status }: ClientEvents['delivery']): void {
    const to = this.#recipients.get(id) ?? this.client.queue().find((each) => each.id === id)?.to ?? '';
    if (status === 'delivered' || status === 'discarded') this.#recipients.delete(id);
    else this.#recipients.set(id, to);
    this.show({ event: 'delivery', to, ...this.#groupNameOf(to), id, status });
  }
}

function viewOf({ name, status, online }: Contact): ContactView {
  return { name, state: status, online };
}
