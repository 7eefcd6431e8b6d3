import type { MessageContent } from '../content/content.js';
import { type MessageRef } from '../content/message-ref.js';
import { type Doer, type Effect, type Effects, NO_EFFECTS, withEffect } from './effects.js';

/** A message in the device's history. */
export interface StoredMessage {
  readonly ref: MessageRef;
  /** The contact's name, or the group's id. */
  readonly conversation: string;
  readonly author: Doer;
  /** Unix milliseconds by the author's clock. */
  readonly sentAt: number;
  readonly receivedAt: number;
  /** Empty when it is deleted or unknown. */
  readonly text: string;
  readonly markdown?: boolean | undefined;
  readonly replyTo?: MessageRef | undefined;
  /** Unix milliseconds. */
  readonly expiresAt?: number | undefined;
  /** Of a kind that was not known when it came: the content as it came, for a version that knows it. Empty when it was too large to keep. */
  readonly unknown?: Uint8Array | undefined;
  /** Of an own message: given up on this device before all had got it. */
  readonly discarded?: true | undefined;
  readonly effects: Effects;
}

/** What a deleted message leaves: that it was there. */
export function withEffects(message: StoredMessage, more: readonly Effect[]): StoredMessage {
  return pruned({ ...message, effects: more.reduce(withEffect, message.effects) });
}

/** Once the author is known, what others may not say about a message need not be kept. */
export function pruned(message: StoredMessage): StoredMessage {
  const { effects, author } = message;
  const { account } = author;
  if (isDeleted(message)) {
    const { expiresAt, ref, conversation, sentAt, receivedAt } = message;
    return { ref, conversation, author, sentAt, receivedAt, expiresAt, text: '', effects: { ...NO_EFFECTS, deletedBy: [account] } };
  }
  const edit = effects.edits[account];
  return { ...message, effects: { ...effects, edits: edit === undefined ? {} : { [account]: edit }, deletedBy: [] } };
}

export function isDeleted({ effects, author }: StoredMessage): boolean {
  return effects.deletedBy.includes(author.account);
}

/** Its text as it reads now. */
export function textNow({ text, effects, author }: StoredMessage): string {
  return effects.edits[author.account]?.text ?? text;
}

/** What a content does to the message that it names; undefined for one that is a message itself, or names several. */
export function effectOf(
  content: MessageContent,
  ref: MessageRef,
  sentAt: number,
  by: Doer,
): { target: MessageRef; effect: Effect } | undefined {
  switch (content.kind) {
    case 'edit': {
      const edit = { text: content.text, markdown: content.markdown, at: sentAt, ref };
      return { target: content.of, effect: { kind: 'edit', by, edit } };
    }
    case 'deletion':
      return { target: content.of, effect: { kind: 'deletion', by } };
    case 'reaction':
      return { target: content.to, effect: { kind: 'reaction', by, ref, emoji: content.emoji, instead: content.instead } };
    case 'unreaction':
      return { target: content.to, effect: { kind: 'unreaction', by, reaction: content.reaction } };
    default:
      return undefined;
  }
}
