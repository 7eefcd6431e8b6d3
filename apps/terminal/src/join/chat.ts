import type { Contact, MessagingClient } from '@sotto/client';
import { withTag } from '../command-line/suggestion.js';
import { UsageError } from '../command-line/usage-error.js';
import type { Asker } from './asker.js';
import { type ChatCommand, isMessageCommand, isParting, isQueueCommand, type PartingCommand } from './chat-command.js';
import type { ChatEvent, ContactView } from './chat-event.js';
import type { Deliveries } from './deliveries.js';
import type { FurtherCommand, OwnCommand, Surroundings } from './surroundings.js';
import type { Secrets } from './json-fields.js';
import type { MessageCommands } from './message-commands.js';
import { oneLine } from './shown-text.js';

/** What the user types becomes calls of the SDK; what the SDK says becomes events to show. */
export class Chat {
  /** To whom a line goes that names nobody: a contact's name, or a group's id. */
  #conversation: string | undefined;
  /** There is nothing more to do here. */
  #isOver = false;
  /** What was shown last of each contact, on this connection. */
  readonly #online = new Map<string, boolean>();
  readonly #stopListening: (() => void)[];

  constructor(
    private readonly client: MessagingClient,
    private readonly around: Surroundings,
    private readonly messages: MessageCommands,
    private readonly deliveries: Deliveries,
    private readonly ask: Asker,
    private readonly show: (event: ChatEvent) => void,
  ) {
    this.#stopListening = [
      client.on('contact', (contact) => this.#contactChanged(contact)),
      client.on('presence', ({ name, online }) => this.#presence(name, online)),
      client.on('state', ({ state }) => (state === 'online' ? undefined : this.#online.clear())),
      // Who waits to be let in is told by the approval.
      client.on('problem', ({ code, ...said }) => (code === 'pending-device' ? undefined : show({ event: 'notice', code, ...said }))),
    ];
  }

  /** What waits since the last time. */
  start(): void {
    this.deliveries.start();
    const accepted = this.client.contacts().filter(({ status }) => status === 'accepted');
    if (accepted.length === 1) this.turnTo(accepted[0]!.name);
    for (const { name, status } of this.client.contacts()) if (status === 'requested') this.show({ event: 'request', name });
  }

  /** The next line goes to this contact, unless it does already. */
  turnTo(name: string): void {
    if (this.#conversation !== name) this.#writeTo(name);
  }

  /** How many messages wait to be delivered. None where the user has destroyed what there was. */
  get undelivered(): number {
    return this.#isOver ? 0 : this.client.queue().length;
  }

  /** Before the user leaves who sees no answers: see Deliveries. */
  handOver(interrupted: AbortSignal): Promise<number> {
    return this.deliveries.handOver(interrupted);
  }

  stop(): void {
    for (const stop of this.#stopListening) stop();
  }

  /**
   * False: the user leaves. Throws what the SDK throws, and UsageError.
   * @param here the conversation that the user has before them
   */
  async run(command: ChatCommand, here = this.#conversation): Promise<boolean> {
    if (command.do === 'quit') return false;
    if (isMessageCommand(command)) await this.messages.run(command, here);
    else if (isQueueCommand(command)) await this.deliveries.run(command, here);
    else if (isParting(command)) await this.#part(command, here);
    else if (isOwn(command)) await this.#run(command, here);
    else this.#isOver = !(await this.around.run(command));
    return !this.#isOver;
  }

  async #run(command: OwnCommand, here: string | undefined): Promise<void> {
    switch (command.do) {
      case 'verify':
        return this.#showSafetyNumber(command.name);
      case 'confirm':
        return this.#confirmKey(command.name, command.secrets);
      case 'history':
        return this.messages.showHistory(this.#historyKey(command.name), command.count);
      case 'to':
        return this.#writeTo(this.conversationOf(command.name));
      case 'send':
        return this.#send(command.to === undefined ? here : this.conversationOf(command.to), command.text);
      case 'contacts':
        return this.show({ event: 'contacts', contacts: this.client.contacts().map(viewOf), ...(this.around.isPeer && { peer: true }) });
      case 'help':
        return this.show({ event: 'help', text: command.text ?? this.around.help });
    }
  }

  async #part({ do: what }: PartingCommand, here: string | undefined): Promise<void> {
    if (here === undefined || !this.#isContact(here)) throw new UsageError(`/${what} takes one NAME`);
    const question = what === 'block' ? `Block ${here}, and hear nothing more of them?` : `End the contact with ${here}?`;
    if (await this.ask.yes(question)) await this.around.run({ do: what, name: here });
    else this.show({ event: 'notice', text: 'Nothing was changed.' });
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
    return this.#isContact(text) ? text : (this.around.groups.find(text)?.id ?? text);
  }

  async #send(to: string | undefined, text: string): Promise<void> {
    if (to === undefined) throw new UsageError(`say to whom first: /to NAME (${this.around.whereToLook})`);
    await this.messages.send(to, text);
  }

  #writeTo(name: string): void {
    this.#conversation = name;
    this.show({ event: 'conversation', name, ...this.#groupNameOf(name) });
  }

  /** A contact goes before a group of that name, also one that is not to be written to: nobody names a group after it to get its messages. */
  conversationOf(text: string): string {
    const group = this.#isContact(text) ? undefined : this.around.groups.find(text);
    if (group === undefined) this.#mustKnow(text);
    return group?.id ?? text;
  }

  #isContact(name: string): boolean {
    return this.client.contacts().some((each) => each.name === name);
  }

  #groupNameOf(conversation: string): { groupName?: string } {
    const groupName = this.around.groups.nameOf(conversation);
    return groupName === undefined ? {} : { groupName };
  }

  #mustKnow(name: string): void {
    const contact = this.client.contacts().find((each) => each.name === name);
    const group = this.around.groups.nameOf(name);
    if (group !== undefined) throw new UsageError(`you are not in ${oneLine(group)} any more: nobody there reads what you write`);
    if (contact?.status === 'accepted') return;
    if (contact === undefined && this.around.groups.isFormer(name)) throw new UsageError(`you are not in ${oneLine(name)} any more`);
    const accepted = this.client.contacts().flatMap((each) => (each.status === 'accepted' ? each.name : []));
    throw new UsageError(`${name} is no contact (yet): ${withTag(name, accepted) ?? this.around.howToMeet(name)}`);
  }

  #contactChanged({ name, status, online }: Contact): void {
    if (status === 'requested') return this.show({ event: 'request', name });
    this.show({ event: 'contact', name, state: status });
    if (status === 'accepted' && online) this.#presence(name, online);
    if (status === 'accepted' && this.#conversation === undefined) this.#writeTo(name);
  }

  #presence(name: string, online: boolean): void {
    if (this.#online.get(name) === online) return;
    this.#online.set(name, online);
    this.show({ event: 'presence', name, online });
  }
}

const OWN: Readonly<Record<OwnCommand['do'], true>> = {
  verify: true,
  confirm: true,
  history: true,
  to: true,
  send: true,
  contacts: true,
  help: true,
};

function isOwn(command: OwnCommand | FurtherCommand): command is OwnCommand {
  return Object.hasOwn(OWN, command.do);
}

function viewOf({ name, status, online }: Contact): ContactView {
  return { name, state: status, online };
}
