import type { MessageRef } from '../content/message-ref.js';

/** Who did something: the account, and the name in its credential. */
export interface Doer {
  /** Lower-case hex. */
  readonly account: string;
  readonly name: string;
}

export interface Edit {
  readonly text: string;
  readonly markdown?: boolean | undefined;
  /** Unix milliseconds by the author's clock. */
  readonly at: number;
  readonly ref: MessageRef;
}

/** One message that is a reaction. */
export interface ReactionMark extends Doer {
  readonly emoji: string;
}

/**
 * What was said about a message. Each part only grows or keeps its maximum, so that devices that heard the same end with the same, whatever
 * the order (a join semilattice). Who may say what is decided when it is looked at: the author may not be known yet.
 */
export interface Effects {
  /** The newest edit of each account. */
  readonly edits: Readonly<Record<string, Edit>>;
  /** Accounts that deleted it. */
  readonly deletedBy: readonly string[];
  /** By the reaction's own ref. */
  readonly reactions: Readonly<Record<MessageRef, ReactionMark>>;
  /** Accounts and the reactions that they took back: account || ref. */
  readonly retracted: readonly string[];
  /** Names of who has read it, by account. */
  readonly readBy: Readonly<Record<string, string>>;
}

export type Effect = { readonly by: Doer } & (
  | { readonly kind: 'edit'; readonly edit: Edit }
  | { readonly kind: 'deletion' }
  | { readonly kind: 'reaction'; readonly ref: MessageRef; readonly emoji: string; readonly instead?: MessageRef | undefined }
  | { readonly kind: 'unreaction'; readonly reaction: MessageRef }
  | { readonly kind: 'read' }
);

export const NO_EFFECTS: Effects = { edits: {}, deletedBy: [], reactions: {}, retracted: [], readBy: {} };

/** Reactions of one account to one message that are remembered, taken back or not. */
export const MOST_REACTIONS = 32;

export function withEffect(effects: Effects, { by, ...effect }: Effect): Effects {
  const { account } = by;
  switch (effect.kind) {
    case 'edit':
      return isNewer(effect.edit, effects.edits[account]) ? { ...effects, edits: { ...effects.edits, [account]: effect.edit } } : effects;
    case 'deletion':
      return { ...effects, deletedBy: withItem(effects.deletedBy, account) };
    case 'reaction': {
      const reactions = { ...effects.reactions, [effect.ref]: { ...by, emoji: effect.emoji } };
      const added = { ...effects, reactions };
      return bounded(effect.instead === undefined ? added : retract(added, account, effect.instead), account);
    }
    case 'unreaction':
      return bounded(retract(effects, account, effect.reaction), account);
    case 'read':
      return { ...effects, readBy: { ...effects.readBy, [account]: by.name } };
  }
}

function isNewer(edit: Edit, than: Edit | undefined): boolean {
  return than === undefined || edit.at > than.at || (edit.at === than.at && edit.ref > than.ref);
}

function withItem(items: readonly string[], item: string): readonly string[] {
  return items.includes(item) ? items : [...items, item].sort();
}

function retract(effects: Effects, account: string, reaction: MessageRef): Effects {
  return { ...effects, retracted: withItem(effects.retracted, account + reaction) };
}

/** Those of the lowest refs stay: what that leaves is the same in any order, and costs nobody but the account itself. */
function bounded(effects: Effects, account: string): Effects {
  const refs = reactionRefsOf(effects, account);
  if (refs.length <= MOST_REACTIONS) return effects;
  const dropped = new Set(refs.slice(MOST_REACTIONS));
  return {
    ...effects,
    reactions: Object.fromEntries(Object.entries(effects.reactions).filter(([ref, mark]) => mark.account !== account || !dropped.has(ref))),
    retracted: effects.retracted.filter((each) => !each.startsWith(account) || !dropped.has(each.slice(account.length))),
  };
}

/** Of all reactions of an account, taken back or not; lowest first. */
export function reactionRefsOf({ reactions, retracted }: Effects, account: string): MessageRef[] {
  const made = Object.entries(reactions).flatMap(([ref, mark]) => (mark.account === account ? ref : []));
  const takenBack = retracted.filter((each) => each.startsWith(account)).map((each) => each.slice(account.length));
  return [...new Set([...made, ...takenBack])].sort();
}

/** Reactions that stand, by their refs. */
export function standingReactions({ reactions, retracted }: Effects): [MessageRef, ReactionMark][] {
  const gone = new Set(retracted);
  return Object.entries(reactions).filter(([ref, { account }]) => !gone.has(account + ref));
}
