import type { Member } from '../member.js';
import type { GroupData, Right } from './group-data.js';
import type { LeafId } from './commit-tree.js';

/** Most leaves of a group: what a Welcome with its tree fits into, at some 450 bytes a leaf. */
export const MOST_LEAVES = 520;

/** A commit as its parent state shows it. */
export interface ProposedChange {
  readonly author: Member;
  readonly before: readonly Member[];
  readonly data: GroupData;
  readonly added: readonly Member[];
  readonly removed: readonly Member[];
  readonly dataAfter: GroupData;
  /** Leaves whose owners have signed that they leave, by these or by those that these have replaced. */
  readonly left: ReadonlySet<LeafId>;
  /** Leaves that a commit of another branch, known and valid, removes, and those that have replaced them on this one. */
  readonly removedElsewhere: ReadonlySet<LeafId>;
  /** Accounts that a commit of another branch, known and valid, lets in. */
  readonly addedElsewhere: ReadonlySet<string>;
}

/** A pure function of the parent state and the commit: every member that can judge judges alike. Returns why it is refused, or undefined. */
export function judgeChange(change: ProposedChange): string | undefined {
  const { before, added, removed } = change;
  if (before.length - removed.length + added.length > MOST_LEAVES) return 'too many devices';
  return (
    added.map((member) => judgeAdd(change, member)).find(isRefusal) ??
    removed.map((member) => judgeRemove(change, member)).find(isRefusal) ??
    judgeData(change)
  );
}

/** Accounts that may change the group itself. When no admin is left, the member with the lowest leaf is one: nobody may lock a group for ever. */
export function adminsOf(data: GroupData, members: readonly Member[]): ReadonlySet<string> {
  const present = new Set(members.map(({ identity }) => identity.account));
  const admins = data.accounts.filter((account) => present.has(account));
  const first = members[0]?.identity.account;
  return new Set(admins.length > 0 || first === undefined ? admins : [first]);
}

/** Whether a member's account has a right in the group as it is. */
export function hasRight(right: Right, account: string, data: GroupData, members: readonly Member[]): boolean {
  return right === 'members' || adminsOf(data, members).has(account);
}

function judgeAdd({ author, before, data, addedElsewhere }: ProposedChange, { identity }: Member): string | undefined {
  const known = before.find((member) => member.identity.account === identity.account);
  // The device's own credential proves that its account's key signed it; so any member may bring in a member's further device.
  if (known !== undefined) return sameKey(known, identity.accountKey) ? undefined : 'another key for a known account';
  if (data.kind === 'direct') return data.accounts.includes(identity.account) ? undefined : 'a third account in a direct conversation';
  if (addedElsewhere.has(identity.account)) return undefined;
  return hasRight(data.mayAdd, author.identity.account, data, before) ? undefined : 'only admins add';
}

function judgeRemove(change: ProposedChange, member: Member): string | undefined {
  const { author, before, data, added } = change;
  const { account, device } = member.identity;
  if (account === author.identity.account || change.left.has(member.id) || change.removedElsewhere.has(member.id)) return undefined;
  // A rejoin: the fresh leaf is signed by the same device.
  if (added.some(({ identity }) => identity.device === device && identity.account === account)) return undefined;
  if (data.kind === 'direct') return 'nobody removes the other end';
  const admins = adminsOf(data, before);
  if (admins.has(author.identity.account)) return undefined;
  return data.mayRemove === 'members' && !admins.has(account) ? undefined : 'only admins remove';
}

function judgeData({ author, before, data, dataAfter }: ProposedChange): string | undefined {
  const { account } = author.identity;
  const renamed = data.name !== dataAfter.name;
  if (renamed && (data.kind === 'direct' || !hasRight(data.mayRename, account, data, before))) return 'only admins rename';
  const rest = (each: GroupData) => JSON.stringify({ ...each, name: '' });
  if (rest(data) === rest(dataAfter)) return undefined;
  if (data.kind === 'direct' || dataAfter.kind !== data.kind) return 'a group stays what it is';
  return adminsOf(data, before).has(account) ? undefined : 'only admins change roles and rights';
}

function sameKey({ identity }: Member, key: Uint8Array): boolean {
  return identity.accountKey.length === key.length && identity.accountKey.every((byte, i) => byte === key[i]);
}

function isRefusal(reason: string | undefined): reason is string {
  return reason !== undefined;
}
