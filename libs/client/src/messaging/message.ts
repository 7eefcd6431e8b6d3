import type { DeliveryStatus } from '../outbox/outbox-entry.js';

/** A message as it reads now. */
export interface Message {
  /** The same on all devices. */
  readonly id: string;
  /** The sender's name. */
  readonly from: string;
  /** Written by this account, on whichever device. */
  readonly own: boolean;
  /** Empty when it is deleted, or of a kind that is not known here. */
  readonly text: string;
  /** `text` is Markdown (GFM). */
  readonly markdown?: true;
  /** Unix milliseconds by the sender's clock. */
  readonly sentAt: number;
  readonly receivedAt: number;
  /** Whose conversation it is: the contact's name, or the group's id. */
  readonly conversation: string;
  /** Id of the message that it answers, which need not be here. */
  readonly replyTo?: string;
  readonly edited?: true;
  readonly deleted?: true;
  readonly reactions: readonly Reaction[];
  /** When it goes from all devices. Unix milliseconds. */
  readonly expiresAt?: number;
  /** Of an own message: names of those who said that they have read it. */
  readonly readBy?: readonly string[];
  /** Of a kind that this version does not know. A later one may. */
  readonly unknown?: true;
  /** An own message that was given up on this device before all had got it. */
  readonly discarded?: true;
  /** In a group, by a member whom the user has blocked: not to be shown unless the user wants to see it. */
  readonly fromBlocked?: true;
}

export interface Reaction {
  readonly emoji: string;
  /** Names, in order of the alphabet. */
  readonly by: readonly string[];
}

/** What has happened to a message. `by`: a name. */
export type MessageChange =
  | { readonly what: 'edited' | 'deleted'; readonly by: string }
  | { readonly what: 'read'; readonly by: string }
  | { readonly what: 'reacted' | 'unreacted'; readonly by: string; readonly emoji: string }
  /** It is gone. */
  | { readonly what: 'expired' }
  /** This version knows what it was. */
  | { readonly what: 'understood' };

export interface QueuedMessage {
  readonly id: string;
  /** The contact's name, or the group's id. */
  readonly to: string;
  readonly what: 'text' | 'edit' | 'deletion' | 'reaction' | 'unreaction';
  /** Of a reaction the emoji. */
  readonly text: string;
  readonly sentAt: number;
  readonly status: DeliveryStatus;
}
