import type { GroupInfo, SottoClient } from '@sotto/client';
import { UsageError } from '../command-line/usage-error.js';
import type { Conversation } from './group-event.js';
import { whomMeant } from './whom-meant.js';

/** Ids are long; so many digits are shown where names are not enough. */
const SHORT_ID = 8;
const ID = /^[0-9a-f]{64}$/;
const PREFIX = /^[0-9a-f]{4,64}$/i;

/** How the user calls groups, and what they are called to the user. */
export class GroupNames {
  /** Of groups that this device is not in any more, too. */
  readonly #last = new Map<string, string>();

  constructor(private readonly client: SottoClient) {}

  /** By its name, or the first characters of its id. Undefined: none. Throws UsageError when several are meant. */
  find(text: string): GroupInfo | undefined {
    const groups = this.client.groups.all();
    const found = groups.filter(({ id, name }) => name === text || (PREFIX.test(text) && id.startsWith(text.toLowerCase())));
    if (found.length <= 1) return found[0];
    const ids = found.map(({ id }) => id.slice(0, SHORT_ID)).join(', ');
    throw new UsageError(`several groups are called ${text}: say which by its id, ${ids}`);
  }

  /** Throws UsageError. */
  require(text: string): GroupInfo {
    const group = this.find(text);
    if (group !== undefined) return group;
    if (this.isFormer(text)) throw new UsageError(`you are not in ${text} any more`);
    throw new UsageError(`there is no group ${text}: ${this.#meant(text) ?? '/group list shows yours'}`);
  }

  /** A group that this device has left or was removed from, by its name. */
  isFormer(text: string): boolean {
    return this.client.groups.former().some(({ name }) => name === text);
  }

  #meant(text: string): string | undefined {
    return whomMeant(text, this.client.groups.all(), []);
  }

  whereOf(conversation: string): Conversation {
    const groupName = this.nameOf(conversation);
    return groupName === undefined ? { conversation } : { conversation, groupName };
  }

  /** With a part of its id when another has the same name. Undefined: it is no group but a contact. */
  nameOf(conversation: string): string | undefined {
    if (!ID.test(conversation)) return undefined;
    const groups = this.client.groups.all();
    const name = groups.find(({ id }) => id === conversation)?.name ?? this.#last.get(conversation) ?? this.#formerName(conversation);
    const short = conversation.slice(0, SHORT_ID);
    if (name === undefined) return short;
    this.#last.set(conversation, name);
    return groups.some((each) => each.id !== conversation && each.name === name) ? `${name} (${short})` : name;
  }

  #formerName(conversation: string): string | undefined {
    return this.client.groups.former().find(({ id }) => id === conversation)?.name;
  }

  /** For the time when this device is in it no more. */
  remember(conversation: string, name: string): void {
    this.#last.set(conversation, name);
  }
}
