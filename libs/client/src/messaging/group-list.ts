import { adminsOf, GROUP_NAME_BYTES, hasRight, type Member, MOST_LEAVES, type Right, safetyNumber } from '@sotto/mls';
import { ClientError } from '../client-error.js';
import type { Device } from '../device.js';
import type { Rung } from '../groups/group-ports.js';
import type { Intent } from '../groups/intent.js';
import type { Conversations, SendOptions } from './conversations.js';
import type { Messaging } from './messaging.js';
import type { GroupView } from './messenger.js';
import { nameOf } from './names.js';

/** `verified`: a contact whose key is pinned. `changed`: its key is another than the pinned one. `unknown`: no contact of this account. */
export type Verification = 'self' | 'verified' | 'changed' | 'unknown';

export interface GroupMember {
  /** The contact's name; of others the name in their credential, with a part of the account's id. */
  readonly name: string;
  /** Lower-case hex. */
  readonly account: string;
  readonly devices: readonly string[];
  readonly admin: boolean;
  readonly verification: Verification;
}

export interface GroupInfo {
  /** Lower-case hex. */
  readonly id: string;
  readonly name: string;
  readonly members: readonly GroupMember[];
  readonly mayAdd: boolean;
  readonly mayRemove: boolean;
  readonly mayRename: boolean;
  /** Why messages wait at the moment, if they do. */
  readonly waiting: string | undefined;
}

/** To a group, by somebody who is no contact. */
export interface GroupInvitation {
  /** Of the group; lower-case hex. */
  readonly id: string;
  readonly name: string;
  /** As GroupMember.name. */
  readonly by: string;
}

/** How long a commit may take before this device goes alone: 20 s. */
const LEAVE_LOOKS = 200;
const LEAVE_LOOK_MS = 100;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const MOST_LISTED = 8;

/** Line breaks, what moves the cursor, and what turns the reading direction of all that follows. */
const UNTOWARD = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;
/** Not a space, an ignorable one, or the empty Braille pattern. */
const SEEN = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** The groups of this device, for programs: names instead of ids of members, and clear errors before anything is tried. */
export class GroupList {
  constructor(
    private readonly device: Device,
    private readonly messaging: Messaging,
    private readonly conversations: Conversations,
  ) {}

  /** Groups that this device is in; direct conversations are not among them. */
  all(): GroupInfo[] {
    const views = this.device.messenger?.groups() ?? [];
    return views.filter(({ data, out }) => data.kind === 'group' && !out).map((view) => this.#infoOf(view));
  }

  /** Groups that this device has left or was removed from, by the names that they had then. */
  former(): Pick<GroupInfo, 'id' | 'name'>[] {
    const views = this.device.messenger?.groups() ?? [];
    return views.filter(({ data, out }) => data.kind === 'group' && out).map(({ id, data }) => ({ id, name: data.name }));
  }

  /** Throws ClientError `unknown-group`. */
  get(id: string): GroupInfo {
    return this.#infoOf(this.#view(id));
  }

  /** With contacts, by name. They are in as soon as their devices' key packages are to be had. Returns the group's id. */
  async create(name: string, contacts: readonly string[]): Promise<string> {
    checkName(name);
    const accounts = contacts.map((contact) => this.device.accepted(contact).account);
    return this.messaging.step((messenger, step) => messenger.createGroup(name, accounts, step));
  }

  /** All of them, or nobody: whoever can't be added is named before anything is done. */
  async add(id: string, contacts: readonly string[]): Promise<void> {
    const info = this.get(id);
    if (!info.mayAdd) throw notAllowed(`only admins of this group add members: ${adminNames(info)}`);
    const accounts = [...new Set(contacts.map((contact) => this.device.accepted(contact).account))];
    const already = info.members.find(({ account }) => accounts.includes(account));
    if (already !== undefined) throw notAllowed(`${already.name} is in this group already`);
    const devices = this.#view(id).members.length;
    if (devices + accounts.length > MOST_LEAVES) throw notAllowed(`a group holds ${MOST_LEAVES} devices, and this one has ${devices}`);
    for (const account of accounts) await this.#wish(id, { kind: 'add', account });
  }

  /** All devices of these members; or of none, if one can't be removed. */
  async remove(id: string, members: readonly string[]): Promise<void> {
    const info = this.get(id);
    const found = members.map((member) => this.#member(id, member));
    if (found.some(({ verification }) => verification === 'self'))
      throw notAllowed('nobody removes their own account from a group: leave it');
    if (!info.mayRemove) throw notAllowed(`only admins of this group remove members: ${adminNames(info)}`);
    for (const { account } of found) {
      const leaves = this.#view(id).members.filter(({ identity }) => identity.account === account);
      await this.#wish(id, { kind: 'remove', leaves: leaves.map((leaf) => leaf.id) });
    }
  }

  /**
   * Somebody whose removal can't be judged (notice `unjudged`) stays, and is written to again: a member of a group, which is named by its id; or the
   * contact, with the devices that are in question, in the conversation that has its name. Throws ClientError `not-allowed`: there is no such
   * removal; `unknown-group`: no such conversation.
   */
  async keep(conversation: string, member: string): Promise<void> {
    const id = this.messaging.groupOf(conversation);
    if (id === undefined) throw new ClientError('unknown-group', `there is no conversation with ${conversation} yet`);
    const { account } = id === conversation ? this.#member(id, member) : this.device.accepted(member);
    await this.messaging.step((messenger, step) => messenger.keep(id, account, step));
  }

  /**
   * With all devices of the account: the others are taken out first, by a commit, this one says that it goes. Throws ClientError `offline` when
   * there are others and no connection.
   */
  async leave(id: string): Promise<void> {
    const others = this.#otherOwnLeaves(id);
    if (others.length > 0) {
      if (!this.messaging.online) throw new ClientError('offline', 'to leave with all devices of the account takes a connection');
      await this.#wish(id, { kind: 'remove', leaves: others });
      for (let i = 0; i < LEAVE_LOOKS && this.#isIn(id) && this.#otherOwnLeaves(id).length > 0; i++) await sleep(LEAVE_LOOK_MS);
    }
    // It may have been removed meanwhile.
    if (this.#isIn(id)) await this.messaging.step((messenger, step) => messenger.leave(id, step));
  }

  #otherOwnLeaves(id: string): string[] {
    const { account, device } = this.device.signedIn().session;
    const others = this.#view(id).members.filter(({ identity }) => identity.account === account && identity.device !== device);
    return others.map((member) => member.id);
  }

  async rename(id: string, name: string): Promise<void> {
    checkName(name);
    const info = this.get(id);
    if (!info.mayRename) throw notAllowed(`only admins of this group rename it: ${adminNames(info)}`);
    if (info.name === name) throw notAllowed('the group has that name already');
    await this.#wish(id, { kind: 'rename', name });
  }

  async setAdmin(id: string, member: string, admin: boolean): Promise<void> {
    const { name, account, admin: isAdmin } = this.#member(id, member);
    const { data, members } = this.#view(id);
    const admins = adminsOf(data, members);
    if (!admins.has(this.#ownAccount)) throw notAllowed(`only admins of this group name admins: ${adminNames(this.get(id))}`);
    if (admin === isAdmin) throw notAllowed(admin ? `${name} is an admin already` : `${name} is no admin`);
    if (!admin && admins.size === 1) throw notAllowed('a group has an admin: name another one first');
    await this.#wish(id, { kind: 'role', account, admin });
  }

  /** Resolves with the content id once the message is durable here. */
  async send(id: string, text: string, options: SendOptions = {}): Promise<string> {
    this.#view(id);
    return this.conversations.send(id, text, options);
  }

  /** For two members to compare, as contacts do. */
  safetyNumber(id: string, member: string): string {
    const { account } = this.#member(id, member);
    const leaf = this.#view(id).members.find(({ identity }) => identity.account === account)!;
    return safetyNumber(this.device.signedIn().session.identityKey, leaf.identity.accountKey);
  }

  /** How somebody is called here whom an event names: as GroupMember.name. */
  nameOf(account: string, name: string): string {
    return nameOf(account, name, this.device);
  }

  /** Oldest first, without those that hold no more. */
  invitations(): Promise<GroupInvitation[]> {
    return this.messaging.step(async (messenger) => {
      const opened = await messenger.openInvitations();
      return opened.map(({ group: id, name, by: { identity } }) => ({ id, name, by: this.nameOf(identity.account, identity.accountName) }));
    });
  }

  /** To a group of somebody who is no contact. */
  acceptInvitation(id: string): Promise<void> {
    return this.messaging.step((messenger, step) => messenger.acceptInvitation(id, step));
  }

  declineInvitation(id: string): Promise<void> {
    return this.messaging.step((messenger, step) => messenger.declineInvitation(id, step));
  }

  /** How often each way of healing was used, since the program started. */
  rungs(): ReadonlyMap<Rung, number> {
    return this.messaging.rungs.all();
  }

  #wish(id: string, intent: Intent): Promise<void> {
    return this.messaging.step((messenger, step) => messenger.wish(id, intent, step));
  }

  #view(id: string): GroupView {
    const view = this.#find(id);
    if (view === undefined) throw new ClientError('unknown-group', 'there is no such group');
    return view;
  }

  #find(id: string): GroupView | undefined {
    return this.device.messenger?.groups().find((each) => each.id === id && !each.out && each.data.kind === 'group');
  }

  #isIn(id: string): boolean {
    return this.#find(id) !== undefined;
  }

  #member(id: string, name: string): GroupMember {
    const { members } = this.get(id);
    const [member, another] = members.filter((each) => each.name === name || each.account === name);
    if (member === undefined) {
      // Who is no contact goes with a part of the account's id.
      const near = members.find((each) => each.name.startsWith(`${name}~`));
      throw new ClientError(
        'unknown-contact',
        `${name} is no member of this group: ${near === undefined ? `its members are ${listed(members)}` : `did you mean ${near.name}?`}`,
      );
    }
    if (another !== undefined) throw new ClientError('unknown-contact', `two members are called ${name}: say the account's id`);
    return member;
  }

  get #ownAccount(): string {
    return this.device.signedIn().session.account;
  }

  #infoOf({ id, data, members, hold }: GroupView): GroupInfo {
    const may = (right: Right) => hasRight(right, this.#ownAccount, data, members);
    const admins = adminsOf(data, members);
    const byAccount = groupedByAccount(members);
    return {
      id,
      name: data.name,
      members: [...byAccount].map(([account, devices]) => this.#memberOf(account, devices, admins.has(account))),
      mayAdd: may(data.mayAdd),
      mayRemove: may(data.mayRemove),
      mayRename: may(data.mayRename),
      waiting: hold,
    };
  }

  #memberOf(account: string, devices: readonly Member[], admin: boolean): GroupMember {
    const { accountName, accountKey } = devices[0]!.identity;
    const { session } = this.device.signedIn();
    const self = account === session.account;
    return {
      name: nameOf(account, accountName, this.device),
      account,
      devices: devices.map(({ identity }) => identity.device),
      admin,
      verification: self ? 'self' : this.#verify(account, accountKey),
    };
  }

  #verify(account: string, key: Uint8Array): Verification {
    const contact = this.device.contacts.byAccount(account);
    if (contact === undefined) return 'unknown';
    return contact.changedKey === undefined && sameKey(contact.identityKey, key) ? 'verified' : 'changed';
  }
}

const notAllowed = (text: string) => new ClientError('not-allowed', text);

/** As many as a line has room for. */
function listed(members: readonly GroupMember[]): string {
  const names = members.slice(0, MOST_LISTED).map(({ name }) => name);
  const more = members.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const adminNames = ({ members }: GroupInfo) => listed(members.filter(({ admin }) => admin));

function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function checkName(name: string): void {
  const bytes = new TextEncoder().encode(name).length;
  if (bytes === 0 || bytes > GROUP_NAME_BYTES) throw new ClientError('too-long', `the name of a group has 1 to ${GROUP_NAME_BYTES} bytes`);
  if (UNTOWARD.test(name)) throw notAllowed('the name of a group is one line, without control characters');
  if (!SEEN.test(name)) throw notAllowed('the name of a group has a character that can be seen');
}

function groupedByAccount(members: readonly Member[]): Map<string, Member[]> {
  const accounts = new Map<string, Member[]>();
  for (const member of members) {
    const { account } = member.identity;
    accounts.set(account, [...(accounts.get(account) ?? []), member]);
  }
  return accounts;
}
