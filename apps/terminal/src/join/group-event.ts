import type { GroupInvitation, GroupMember, Refusal } from '@sotto/client';

/** Where something is: a contact's name, or a group's id, and then how the group is called. */
export interface Conversation {
  readonly conversation: string;
  readonly groupName?: string;
}

/** Names are as the user knows people. */
export interface MembershipChange {
  readonly what: 'changed';
  readonly by?: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Of members who are in anyway. */
  readonly devicesAdded: readonly string[];
  readonly devicesRemoved: readonly string[];
  readonly renamed?: string;
  /** Who are admins now, and are no more. */
  readonly promoted: readonly string[];
  readonly demoted: readonly string[];
}

/** What happens in a group; from `missing` on in conversations of two, too. */
export type GroupNews =
  /** `named`: who is to be in it. */
  | { readonly what: 'created'; readonly named: readonly string[] }
  | { readonly what: 'left' | 'out' }
  | { readonly what: 'invited'; readonly by: string }
  | { readonly what: 'joined'; readonly by: string; readonly again: boolean }
  | MembershipChange
  | { readonly what: 'missing'; readonly messages: number; readonly asking: string }
  | { readonly what: 'waiting'; readonly id: string; readonly cause: string }
  /** `wanted`: kinds of changes, which can't be made. */
  | { readonly what: 'refused'; readonly wanted: readonly string[]; readonly why: Refusal }
  | { readonly what: 'unprocessable'; readonly author: string }
  /** Members who were removed, which can't be judged: messages wait until an admin removes them, or `group keep`. */
  | { readonly what: 'unjudged'; readonly members: readonly string[] }
  | { readonly what: 'given-up'; readonly id: string; readonly device: string };

export type GroupEvent =
  | ({ readonly event: 'group' } & Conversation & GroupNews)
  | { readonly event: 'groups'; readonly groups: readonly GroupRow[]; readonly invitations: readonly GroupInvitation[] }
  | { readonly event: 'members'; readonly group: string; readonly groupName: string; readonly members: readonly GroupMember[] };

export interface GroupRow {
  readonly id: string;
  readonly name: string;
  readonly members: readonly string[];
  /** Why messages wait. */
  readonly waiting?: string;
}
