import type { LeafId, StateId } from '@sotto/mls';
import type { Intent } from './intent.js';

/** Something that is to be sealed as soon as it may be. */
export interface ToSeal {
  readonly content: string;
  /** For this device alone, which could not read it before; absent: for all. */
  readonly device?: string | undefined;
  /** How often it was sealed for that device, and for which of its leaves last. */
  readonly tries: number;
  readonly leaf?: LeafId | undefined;
  /** It could not read it several times by that leaf, and may have it by now from another: when it is tried again. Unix milliseconds. */
  readonly notBefore?: number | undefined;
}

/** A state in which this device began: it made the group there, or was let in. */
export interface Root {
  readonly epoch: number;
  readonly helloKey: Uint8Array;
  /** The commit that let it in: others may not have it, as its author is gone. Absent where it made the group. */
  readonly commit?: { readonly parent: StateId; readonly bytes: Uint8Array } | undefined;
}

/** An own commit on its way. */
export interface Pending {
  readonly commit: StateId;
  readonly parent: StateId;
  /** Id in the outbox. */
  readonly dispatch: string;
}

export interface FormerToken {
  readonly token: Uint8Array;
  /** When it is withdrawn. Unix milliseconds. */
  readonly until: number;
}

/** What is durable of a group beside its commits, states and messages. */
export interface GroupRecord {
  readonly root: StateId;
  readonly head: StateId;
  readonly roots: readonly (readonly [StateId, Root])[];
  /** Leaves that commits removed which are forgotten by now, too. */
  readonly removed: readonly (readonly [LeafId, StateId])[];
  readonly intents: readonly Intent[];
  readonly pending?: Pending | undefined;
  /** The user has left. */
  readonly leaving: boolean;
  /** This leaf may not be used any more: it was rolled back, or lost a commit of its own. */
  readonly deadLeaf?: LeafId | undefined;
  readonly toSeal: readonly ToSeal[];
  /** When fresh keys and a fresh token are due. Unix milliseconds; 0: not. */
  readonly refreshAt: number;
  /** Messages are read, and not written any more: a newer group of the same two serves. */
  readonly retired: boolean;
  readonly gone: boolean;
  readonly goneAt?: number | undefined;
  readonly expelled?: boolean | undefined;
  readonly unseen: readonly (readonly [LeafId, number])[];
  readonly retiring: readonly { readonly capability: string; readonly at: number }[];
  /** By which those who were removed may answer. */
  readonly formerToken?: FormerToken | undefined;
  readonly withdrawn?: readonly string[] | undefined;
  readonly believed?: readonly (readonly [string, number])[] | undefined;
  /** Leaves whose removal the others refuse, or to which this device has no right. */
  readonly unjudged?: readonly LeafId[] | undefined;
  /** To whose removal this device has no right, and since when it has seen that. Unix milliseconds. */
  readonly inDoubt?: readonly (readonly [LeafId, number])[] | undefined;
  /** By commit: leaves that it removes and that are to stay all the same. */
  readonly kept?: readonly (readonly [StateId, readonly LeafId[]])[] | undefined;
}
