import type { ClientEvents, MessagingClient, QueuedMessage } from '@sotto/client';
import { UsageError } from '../command-line/usage-error.js';
import type { ChatEvent } from './chat-event.js';
import { handOver, staysHere } from './handing-over.js';
import type { MessageCommands } from './message-commands.js';
import type { MessageNumbers } from './message-numbers.js';
import { ALL, type QueueCommand } from './queue-command.js';
import type { Groups } from './surroundings.js';

/** What is not delivered yet: how it fares, and what the user does about it. */
export class Deliveries {
  /** Ids of what was written before this session, and not sent again in it. */
  #before = new Set<string>();
  readonly #stopListening: () => void;

  constructor(
    private readonly client: MessagingClient,
    private readonly messages: MessageCommands,
    private readonly names: Groups,
    private readonly numbers: MessageNumbers,
    private readonly show: (event: ChatEvent) => void,
  ) {
    this.#stopListening = client.on('delivery', (change) => this.#delivery(change));
  }

  /** What waits since the last time. */
  start(): void {
    this.#before = new Set(this.client.queue().map(({ id }) => id));
  }

  stop(): void {
    this.#stopListening();
  }

  /** @param here the conversation that the user has before them. Throws what the SDK throws, and UsageError. */
  async run(command: QueueCommand, here: string | undefined): Promise<void> {
    if (command.do === 'queue') return this.#showQueue(this.client.queue());
    const change = ({ id }: QueuedMessage) => (command.do === 'discard' ? this.client.discard(id) : this.#resend(id));
    if (command.message !== ALL) return change(this.#queued(command.message));
    const conversation = this.messages.where(command.in, here);
    const waiting = this.client.queue().filter(({ to }) => to === conversation);
    const meant = command.do === 'discard' ? waiting : waiting.filter(isStuck);
    const name = this.names.nameOf(conversation) ?? conversation;
    if (meant.length === 0) throw new UsageError(`nothing for ${name} waits to be ${command.do === 'discard' ? 'given up' : 'sent again'}`);
    for (const each of meant) await change(each);
    const done = command.do === 'discard' ? 'given up' : 'sent again';
    this.show({ event: 'notice', text: `${meant.length === 1 ? 'One message' : `${meant.length} messages`} to ${name}: ${done}.` });
  }

  /** Waits, within bounds, until what was written in this session has left, and shows what has not arrived. Returns how much stays here. */
  async handOver(interrupted: AbortSignal): Promise<number> {
    const written = () => this.client.queue().filter(({ id }) => !this.#before.has(id));
    const left = await handOver(written, interrupted);
    if (left.length > 0) this.#showQueue(left);
    return left.filter(staysHere).length;
  }

  #resend(id: string): Promise<void> {
    this.#before.delete(id);
    return this.client.resend(id);
  }

  #showQueue(messages: readonly QueuedMessage[]): void {
    this.show({ event: 'queue', messages: messages.map((each) => ({ ...each, ...this.#groupNameOf(each.to) })) });
  }

  #queued(message: string): QueuedMessage {
    const id = this.numbers.idOf(message);
    const queued = this.client.queue().find((each) => each.id === id);
    if (queued === undefined) throw new UsageError(`there is no message ${message} in the queue: /queue lists it`);
    return queued;
  }

  #delivery({ id, conversation: to, status }: ClientEvents['delivery']): void {
    this.show({ event: 'delivery', to, ...this.#groupNameOf(to), id, status });
  }

  #groupNameOf(conversation: string): { groupName?: string } {
    const groupName = this.names.nameOf(conversation);
    return groupName === undefined ? {} : { groupName };
  }
}

/** What is on its way needs no second sending. */
function isStuck({ status }: QueuedMessage): boolean {
  return status === 'undelivered' || status === 'waiting-for-online';
}
