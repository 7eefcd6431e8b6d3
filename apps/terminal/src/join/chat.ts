import { type ClientEvents, type Contact, type ConnectionState, type SottoClient } from '@sotto/client';
import { UsageError } from '../command-line/usage-error.js';
import { chatHelp } from '../command-line/help.js';
import type { AccountCommands } from './account-commands.js';
import type { Asker } from './asker.js';
import type { ChatCommand, ContactCommand, Secrets } from './chat-command.js';
import type { ChatEvent, ContactView } from './chat-event.js';
import type { MessageNumbers } from './message-numbers.js';

/** What the user types becomes calls of the SDK; what the SDK says becomes events to show. */
export class Chat {
  /** To whom a line goes that names nobody. */
  #conversation: string | undefined;
  readonly #recipients = new Map<string, string>();
  readonly #stopListening: (() => void)[];

  constructor(
    private readonly client: SottoClient,
    private readonly account: AccountCommands,
    private readonly ask: Asker,
    private readonly numbers: MessageNumbers,
    private readonly show: (event: ChatEvent) => void,
  ) {
    this.#stopListening = [
      client.on('state', (state) => show(connectionEvent(state))),
      client.on('contact', (contact) => this.#contactChanged(contact)),
      client.on('presence', ({ name, online }) => show({ event: 'presence', name, online })),
      client.on('message', ({ from, id, text, sentAt }) => show({ event: 'message', from, id, text, sentAt })),
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

  /** False: the user leaves. Throws what the SDK throws, and UsageError. */
  async run(command: ChatCommand): Promise<boolean> {
    switch (command.do) {
      case 'verify':
        this.#showSafetyNumber(command.name);
        break;
      case 'confirm':
        await this.#confirmKey(command.name, command.secrets);
        break;
      case 'history':
        await this.#showHistory(command.name, command.count);
        break;
      case 'to':
        this.#mustKnow(command.name);
        this.#writeTo(command.name);
        break;
      case 'send':
        await this.#send(command.to ?? this.#conversation, command.text);
        break;
      case 'discard':
        await this.#discard(command.message);
        break;
      case 'contacts':
        this.show({ event: 'contacts', contacts: this.client.contacts().map(viewOf) });
        break;
      case 'queue':
        this.show({ event: 'queue', messages: this.client.queue() });
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
      default:
        return this.account.run(command);
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

  async #showHistory(name: string, count: number): Promise<void> {
    const messages = (await this.client.history(name)).slice(-count);
    this.show({ event: 'history', name, messages: messages.map(({ from, id, text, sentAt }) => ({ from, id, text, sentAt })) });
  }

  async #send(to: string | undefined, text: string): Promise<void> {
    if (to === undefined) throw new UsageError('say to whom first: /to NAME (/contacts lists them)');
    this.show({ event: 'sent', to, id: await this.client.send(to, text) });
  }

  async #discard(message: string): Promise<void> {
    const id = this.numbers.idOf(message);
    if (id === undefined || !this.client.queue().some((each) => each.id === id)) {
      throw new UsageError(`there is no message ${message} in the queue: /queue lists it`);
    }
    await this.client.discard(id);
  }

  #writeTo(name: string): void {
    this.#conversation = name;
    this.show({ event: 'conversation', name });
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
    this.show({ event: 'delivery', to, id, status });
  }
}

function viewOf({ name, status, online }: Contact): ContactView {
  return { name, state: status, online };
}

function connectionEvent(state: ConnectionState): ChatEvent {
  if (state.state === 'offline') return { event: 'connection', state: 'offline', cause: state.cause, retryInMs: state.retryInMs };
  if (state.state === 'refused') return { event: 'connection', state: 'refused', cause: state.cause };
  return { event: 'connection', state: state.state };
}
