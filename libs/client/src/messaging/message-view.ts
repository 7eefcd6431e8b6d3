import { contentIdOf } from '../content/message-ref.js';
import type { DeviceCore } from '../device-core.js';
import { type Doer, standingReactions } from '../history/effects.js';
import { isDeleted, type StoredMessage, textNow } from '../history/stored-message.js';
import type { Message, MessageChange, Reaction } from './message.js';
import { nameOf } from './names.js';

export function messageOf(stored: StoredMessage, device: DeviceCore): Message {
  const { ref, conversation, author, sentAt, receivedAt, replyTo, expiresAt, effects } = stored;
  const edit = effects.edits[author.account];
  const own = author.account === device.session?.account;
  const readBy = Object.entries(effects.readBy).map(([account, name]) => nameOf(account, name, device));
  return {
    id: contentIdOf(ref),
    conversation,
    from: nameOf(author.account, author.name, device),
    own,
    text: textNow(stored),
    sentAt,
    receivedAt,
    reactions: reactionsOf(stored, device),
    ...((edit ?? stored).markdown === true && { markdown: true }),
    ...(replyTo !== undefined && { replyTo: contentIdOf(replyTo) }),
    ...(edit !== undefined && { edited: true }),
    ...(isDeleted(stored) && { deleted: true }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(own && readBy.length > 0 && { readBy: readBy.sort() }),
    ...(stored.unknown !== undefined && edit === undefined && { unknown: true }),
    ...(stored.discarded === true && { discarded: true }),
    ...(isFromBlocked(stored, device) && { fromBlocked: true }),
  };
}

/** In a group alone: what was said between the two stays as it is. */
export function isFromBlocked({ author, conversation }: Pick<StoredMessage, 'author' | 'conversation'>, { contacts }: DeviceCore): boolean {
  const blocked = contacts.blocked(author.account, author.name);
  return blocked !== undefined && conversation !== blocked.name && conversation !== author.account;
}

function reactionsOf({ effects }: StoredMessage, device: DeviceCore): Reaction[] {
  const byEmoji = new Map<string, Set<string>>();
  for (const [, { emoji, account, name }] of standingReactions(effects)) {
    const names = byEmoji.get(emoji) ?? new Set<string>();
    byEmoji.set(emoji, names.add(nameOf(account, name, device)));
  }
  const all = [...byEmoji].map(([emoji, names]) => ({ emoji, by: [...names].sort() }));
  return all.sort((a, b) => (a.emoji < b.emoji ? -1 : 1));
}

/** What one effect changed for whoever looks; undefined: nothing. */
export function changeOf(before: StoredMessage, after: StoredMessage, by: Doer, device: DeviceCore): MessageChange | undefined {
  const name = nameOf(by.account, by.name, device);
  if (isDeleted(before)) return undefined;
  if (isDeleted(after)) return { what: 'deleted', by: name };
  const { account } = after.author;
  if (before.effects.edits[account]?.ref !== after.effects.edits[account]?.ref) return { what: 'edited', by: name };
  const [had, has] = [emojisOf(before, by), emojisOf(after, by)];
  const added = [...has].find((emoji) => !had.has(emoji));
  if (added !== undefined) return { what: 'reacted', by: name, emoji: added };
  const removed = [...had].find((emoji) => !has.has(emoji));
  if (removed !== undefined) return { what: 'unreacted', by: name, emoji: removed };
  const isRead = account === device.session?.account && !(by.account in before.effects.readBy) && by.account in after.effects.readBy;
  return isRead ? { what: 'read', by: name } : undefined;
}

function emojisOf({ effects }: StoredMessage, { account }: Doer): Set<string> {
  return new Set(standingReactions(effects).flatMap(([, mark]) => (mark.account === account ? mark.emoji : [])));
}
