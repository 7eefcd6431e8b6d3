import type { Reaction } from '@sotto/client';
import type { Conversation } from './group-event.js';

/** Of what is in a group: its id, and its name. Elsewhere `to`, `name` and `conversation` are the id when `groupName` is there. */
export interface InGroup {
  readonly group?: string;
  readonly groupName?: string;
}

export interface MessageView {
  readonly from: string;
  /** Of what another device of one's own wrote: to whom. */
  readonly to?: string;
  readonly id: string;
  /** Empty when it is deleted or of an unknown kind. */
  readonly text: string;
  readonly sentAt: number;
  /** Id of what it answers; `quote` when that is here. */
  readonly replyTo?: string;
  readonly quote?: { readonly from: string; readonly text: string; readonly fromBlocked?: true };
  readonly edited?: true;
  readonly deleted?: true;
  /** Of an own message: given up on this device before all had got it. */
  readonly discarded?: true;
  readonly unknown?: true;
  /** In a group, by somebody whom the user has blocked: hidden from people until they want to see it. */
  readonly fromBlocked?: true;
  readonly reactions?: readonly Reaction[];
  readonly expiresAt?: number;
  /** Of an own message. */
  readonly readBy?: readonly string[];
}

export type MessageEvent =
  | ({ readonly event: 'message' } & MessageView & InGroup)
  /** By this device. */
  | ({ readonly event: 'sent'; readonly to: string } & Omit<MessageView, 'to'> & Pick<InGroup, 'groupName'>)
  /** By a mailbox: a message arrived that is not shown. */
  | ({ readonly event: 'kept' } & Pick<MessageView, 'from' | 'to' | 'id' | 'sentAt'> & InGroup)
  /** One that the user wants to see, whatever hides it. */
  | ({ readonly event: 'shown' } & MessageView & Conversation)
  | ({ readonly event: 'message-changed'; readonly id: string; readonly text: string; readonly fromBlocked?: true } & Conversation &
      ChangeView)
  | ({ readonly event: 'read'; readonly by: string; readonly own: boolean; readonly ids: readonly string[] } & Conversation)
  | ({ readonly event: 'typing'; readonly by: string } & Conversation)
  | ({ readonly event: 'history'; readonly name: string; readonly messages: readonly MessageView[] } & Pick<InGroup, 'groupName'>)
  | { readonly event: 'found'; readonly text: string; readonly messages: readonly (MessageView & Conversation)[] }
  | { readonly event: 'settings'; readonly readReceipts: boolean; readonly retentionDays?: number; readonly invisible?: true };

export interface ChangeView {
  readonly what: 'edited' | 'deleted' | 'reacted' | 'unreacted' | 'expired' | 'understood';
  readonly by?: string;
  readonly emoji?: string;
}
