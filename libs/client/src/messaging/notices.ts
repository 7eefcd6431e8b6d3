import type { ClientEvents } from '../client-events.js';
import type { DeviceCore } from '../device-core.js';
import type { GroupNotice, Step } from '../groups/group-ports.js';
import type { Arrivals } from './arrivals.js';
import type { MessengerNotice } from './messenger-ports.js';
import { conversationOf, nameOf } from './names.js';

type NoticeOf<Kind extends MessengerNotice['kind']> = Extract<MessengerNotice, { kind: Kind }>;

/** Turns what the messenger tells into history and events of the program. */
export class Notices {
  constructor(
    private readonly device: DeviceCore,
    private readonly arrivals: Arrivals,
  ) {}

  tell(notice: MessengerNotice, step: Step): void {
    switch (notice.kind) {
      case 'message':
        return this.#message(notice, step);
      case 'typing':
        return this.#typing(notice, step);
      case 'delivery':
        return this.#delivery(notice, step);
      case 'joined':
        return this.#joined(notice, step);
      default:
        return this.#group(notice, step);
    }
  }

  #delivery({ content: id, group, account, status }: NoticeOf<'delivery'>, step: Step): void {
    const event = { id, conversation: conversationOf(group, account, this.device), status };
    if (status === 'discarded') this.arrivals.discarded(event.conversation, id, step);
    step.journal.afterwards(() => this.device.events.emit('delivery', event));
  }

  #message({ group, from, plaintext }: NoticeOf<'message'>, step: Step): void {
    const { account, name } = from;
    this.arrivals.take({ conversation: this.#conversationOf(group), by: { account, name }, plaintext, receivedAt: step.now }, step);
  }

  #typing({ group, from }: NoticeOf<'typing'>, step: Step): void {
    if (from.account === this.device.session?.account) return;
    if (this.device.contacts.blocked(from.account, from.name) !== undefined) return;
    const by = nameOf(from.account, from.name, this.device);
    const event = { conversation: this.#conversationOf(group), by };
    step.journal.afterwards(() => this.device.events.emit('typing', event));
  }

  #joined(notice: NoticeOf<'joined'>, step: Step): void {
    const { identity } = notice.by;
    const name = this.#nameOf(identity.account, identity.accountName);
    if (notice.replaces) {
      const text = `${name} has a new device: a new conversation begins`;
      return step.journal.afterwards(() => this.device.problem('device-renewed', text, name));
    }
    this.#group(notice, step);
  }

  #group(notice: Exclude<GroupNotice, NoticeOf<'message'>>, step: Step): void {
    const event: ClientEvents['group'] = { ...notice, conversation: this.#conversationOf(notice.group) };
    step.journal.afterwards(() => this.device.events.emit('group', event));
  }

  #conversationOf(group: string): string {
    return conversationOf(group, undefined, this.device);
  }

  #nameOf(account: string, name: string): string {
    return nameOf(account, name, this.device);
  }
}
