import type { ClientEvents } from '../client-events.js';
import { decodeContent } from '../content/content.js';
import type { Device } from '../device.js';
import type { GroupNotice, Step } from '../groups/group-ports.js';
import { keepMessage } from './message.js';
import type { MessengerNotice } from './messenger-ports.js';

type NoticeOf<Kind extends MessengerNotice['kind']> = Extract<MessengerNotice, { kind: Kind }>;

/**
 * As this user knows them: a contact by its name in the contact list. Anybody else chose the name in its own credential, so that
 * goes with a part of the account's id, and is never taken for a contact's.
 */
export function nameOf(account: string, name: string, { contacts, session }: Device): string {
  if (account === session?.account) return session.name;
  return contacts.byAccount(account)?.name ?? `${name}~${account.slice(0, 4)}`;
}

/** Turns what the messenger tells into history and events of the program. */
export class Notices {
  constructor(private readonly device: Device) {}

  tell(notice: MessengerNotice, step: Step): void {
    switch (notice.kind) {
      case 'message':
        return this.#message(notice, step);
      case 'delivery':
        return step.journal.afterwards(() => this.device.events.emit('delivery', { id: notice.content, status: notice.status }));
      case 'joined':
        return this.#joined(notice, step);
      default:
        return this.#group(notice, step);
    }
  }

  /** A contact's name for a direct conversation, else the group's id. */
  conversationOf(group: string | undefined, account?: string): string {
    const other = account ?? this.#otherEnd(group);
    if (other === undefined) return group ?? '';
    return this.device.contacts.byAccount(other)?.name ?? other;
  }

  #otherEnd(group: string | undefined): string | undefined {
    return group === undefined ? undefined : this.device.messenger?.otherEnd(group);
  }

  #message({ group, from, content: id, plaintext }: NoticeOf<'message'>, step: Step): void {
    const content = decodeContent(plaintext);
    const name = this.#nameOf(from.account, from.name);
    if (content === undefined) {
      return step.journal.afterwards(() => this.device.problem('unreadable', `${name} sent what this version cannot show`, name));
    }
    const message = { id, from: name, ...content, receivedAt: step.now, conversation: this.conversationOf(group) };
    keepMessage(message, step.journal);
    step.journal.afterwards(() => this.device.events.emit('message', message));
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
    const event: ClientEvents['group'] = { ...notice, conversation: this.conversationOf(notice.group) };
    step.journal.afterwards(() => this.device.events.emit('group', event));
  }

  #nameOf(account: string, name: string): string {
    return nameOf(account, name, this.device);
  }
}
