import type { ClientEvents, GroupInvitation, SottoClient } from '@sotto/client';
import { UsageError } from '../command-line/usage-error.js';
import type { ChatEvent } from './chat-event.js';
import type { GroupCommand } from './group-command.js';
import type { GroupNews, GroupRow } from './group-event.js';
import type { GroupNames } from './group-names.js';
import { newsOf } from './group-news.js';

/** Groups: who is in, what they are called, and what happens in them. */
export class GroupCommands {
  readonly #stopListening: () => void;

  constructor(
    private readonly client: SottoClient,
    readonly names: GroupNames,
    private readonly show: (event: ChatEvent) => void,
  ) {
    this.#stopListening = client.on('group', (notice) => this.#happened(notice));
  }

  stop(): void {
    this.#stopListening();
  }

  /** Throws what the SDK throws, and UsageError. */
  async run(command: GroupCommand): Promise<void> {
    switch (command.action) {
      case 'new':
        return this.#tell(await this.client.groups.create(command.name, command.contacts), { what: 'created', named: command.contacts });
      case 'list':
        return this.#list();
      case 'accept':
        return this.client.groups.acceptInvitation((await this.#invitation(command.id)).id);
      case 'decline':
        return this.client.groups.declineInvitation((await this.#invitation(command.id)).id);
      case 'keep':
        return this.#keep(command.group, command.names);
      default:
        return this.#change(command, this.names.require(command.group).id);
    }
  }

  /** In a group, or in the conversation with a contact. */
  async #keep(conversation: string, names: readonly string[]): Promise<void> {
    const isContact = this.names.find(conversation) === undefined && this.client.contacts().some(({ name }) => name === conversation);
    const id = isContact ? conversation : this.names.require(conversation).id;
    for (const name of names) await this.client.groups.keep(id, name);
  }

  async #change(command: Extract<GroupCommand, { group: string }>, id: string): Promise<void> {
    const { groups } = this.client;
    switch (command.action) {
      case 'add':
        return groups.add(id, command.names);
      case 'remove':
        return groups.remove(id, command.names);
      case 'rename':
        return groups.rename(id, command.name);
      case 'admin':
        return groups.setAdmin(id, command.name, command.admin);
      case 'leave':
        this.names.remember(id, groups.get(id).name);
        await groups.leave(id);
        return this.#tell(id, { what: 'left' });
      case 'members': {
        const { name: groupName, members } = groups.get(id);
        return this.show({ event: 'members', group: id, groupName, members });
      }
    }
  }

  async #list(): Promise<void> {
    const groups = this.client.groups.all().map(({ id, name, members, waiting }): GroupRow => {
      const row = { id, name, members: members.map((each) => each.name) };
      return waiting === undefined ? row : { ...row, waiting };
    });
    this.show({ event: 'groups', groups, invitations: await this.client.groups.invitations() });
  }

  async #invitation(text: string): Promise<GroupInvitation> {
    const all = await this.client.groups.invitations();
    const found = all.filter(({ id, name }) => id.startsWith(text.toLowerCase()) || name === text);
    if (found.length === 1) return found[0]!;
    throw new UsageError(
      `${found.length === 0 ? 'there is no invitation' : 'several invitations are called'} ${text}: /group list shows their ids`,
    );
  }

  #happened(notice: ClientEvents['group']): void {
    if (notice.kind === 'invited') this.names.remember(notice.group, notice.name);
    const news = newsOf(notice, this.client);
    if (news !== undefined) this.#tell(notice.conversation, news);
  }

  #tell(conversation: string, news: GroupNews): void {
    this.show({ event: 'group', ...this.names.whereOf(conversation), ...news });
  }
}
