import type { LeafId, Member, MlsEngine, MlsProvider, OwnKeyPackage, StateId } from '@sotto/mls';
import type { Outcome } from '@sotto/protocol';
import type { Journal } from '../storage/journal.js';
import type { GroupRules } from './group-rules.js';

/** One step: everything durable goes into the journal, what leaves the device runs after it. */
export interface Step {
  readonly journal: Journal;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Where a device can be reached: id (hex) and delivery token. */
export interface Address {
  readonly device: string;
  readonly token: Uint8Array;
}

export interface ClaimedPackage {
  readonly bytes: Uint8Array;
  readonly leaf: LeafId;
  /** By which its device is reached. */
  readonly token: Uint8Array;
}

/** Whom something is for: a leaf of a member's device. */
export interface Recipient extends Address {
  readonly account: string;
  readonly leaf: LeafId;
}

/** Something to be sent until every recipient has it. */
export interface Dispatch {
  readonly kind: 'message' | 'commit' | 'welcome';
  readonly group: string;
  readonly payload: Uint8Array;
  readonly recipients: readonly Recipient[];
  /** Of a message: its content id. */
  readonly content?: string | undefined;
  /** Of a message: the state in which it is sealed; of a commit and its Welcome: the commit's id. */
  readonly state: StateId;
  /** Of a commit: delivered only if this slot is free or its own. */
  readonly slot?: Uint8Array | undefined;
}

export interface DeviceName {
  /** Ids in lower-case hex. */
  readonly account: string;
  readonly device: string;
}

/** What the user may be told of a group. */
export type GroupNotice =
  | {
      readonly kind: 'message';
      readonly group: string;
      readonly from: DeviceName & { readonly name: string };
      readonly content: string;
      readonly plaintext: Uint8Array;
    }
  | { readonly kind: 'invited'; readonly group: string; readonly by: Member; readonly name: string }
  | {
      readonly kind: 'joined';
      readonly group: string;
      readonly by: Member;
      readonly again: boolean;
      /** Of the same two there was another, with devices of the other account and without this one. */ readonly replaces: boolean;
    }
  | {
      readonly kind: 'changed';
      readonly group: string;
      readonly by: Member | undefined;
      readonly added: readonly Member[];
      readonly removed: readonly Member[];
      readonly renamed: string | undefined;
      /** Of those who were in and are: whose accounts are admins now, and are no more. */
      readonly promoted: readonly Member[];
      readonly demoted: readonly Member[];
    }
  | { readonly kind: 'out'; readonly group: string }
  | { readonly kind: 'missing'; readonly group: string; readonly messages: number; readonly asking: DeviceName & { readonly name: string } }
  | { readonly kind: 'waiting'; readonly group: string; readonly content: string; readonly cause: string }
  | { readonly kind: 'unprocessable'; readonly group: string; readonly author: DeviceName & { readonly name: string } }
  /** This device knows them to be removed, and the others, or it, can't judge by what right: nothing is sealed until an admin removes them, or they are kept. */
  | { readonly kind: 'unjudged'; readonly group: string; readonly members: readonly Member[] }
  /** No commit that would bring this about can be made, or the server takes none. */
  | { readonly kind: 'refused'; readonly group: string; readonly wanted: readonly string[]; readonly why: Refusal }
  | { readonly kind: 'given-up'; readonly group: string; readonly content: string; readonly device: string };

/**
 * `not-allowed`: by the group's policy, as it is by now. `full`: the group holds no more devices. `too-large`: the commit or its Welcome travels in no
 * message. `unusable`: of a device that is to be added there is no key package that is good. `server`: the relay refuses it for good.
 */
export type Refusal = 'not-allowed' | 'full' | 'too-large' | 'unusable' | 'server';

/** Rungs of the ladder by which groups heal, counted: a rung that never happened has not been tested. */
export type Rung =
  | 'fork'
  | 'rewind'
  | 'slot-taken'
  | 'sent-without-slot'
  | 'own-commit-recovered'
  | 'own-commit-lost'
  | 'cut-off'
  | 'removal-carried-over'
  | 'removal-unjudged'
  | 'held-back'
  | 'hello'
  | 'supplied-commit'
  | 'supplied-message'
  | 'later'
  | 'cannot'
  | 'sealed-again'
  | 'state-let-go'
  | 'commit-let-go'
  | 'state-reopened'
  | 'rejoin-asked'
  | 'rejoin-helped'
  | 'rejoined'
  | 'rolled-back'
  | 'greeted'
  | 'lost-replaced'
  | 'former-asked'
  | 'expelled'
  | 'let-in-again'
  | 'commit-refused'
  | 'intent-returned';

/** What a group needs of its device. */
export interface GroupPorts {
  readonly engine: MlsEngine;
  readonly provider: MlsProvider;
  readonly own: DeviceName;
  readonly rules: GroupRules;
  readonly random: (length: number) => Uint8Array;
  /** A delivery token of this device under a fresh capability. */
  newToken(): Uint8Array;
  /** Withdraws a capability of this device: who holds its token reaches it no more. */
  revoke(capability: string, step: Step): void;
  /** Makes a key package with which this device may be let in again. It is durable with the step. */
  newJoinPackage(group: string, step: Step): Promise<OwnKeyPackage>;
  /** Into the outbox. Returns the id under which it is followed. */
  dispatch(dispatch: Dispatch, step: Step): string;
  /** Out of the outbox: nobody is owed it any more. */
  withdraw(id: string): void;
  /** A leaf that nobody ever had is owed nothing any more. */
  release(group: string, leaf: LeafId, step: Step): void;
  /** By which the device is reached in another group than this. */
  tokenElsewhere(group: string, device: string): Uint8Array | undefined;
  /** By which a device of a contact, or an own one, is reached as its key packages say. Undefined: not known; it may be by the next time. */
  publishedToken(account: string, device: string, step: Step): Uint8Array | undefined;
  /** Once, now, to whoever is there (ttl 0): nobody owes it. Returns the id of the Send. */
  transmit(payload: Uint8Array, to: readonly Address[], step: Step): string;
  /** Key packages at hand of an account; undefined: none yet, and they are being claimed. */
  packagesOf(account: string, step: Step): ReadonlyMap<string, ClaimedPackage> | undefined;
  /** Whether they are to be had any moment. */
  isClaiming(account: string): boolean;
  /** They are used: the next call claims new ones. */
  packagesUsed(account: string): void;
  /** They are of no use: others are claimed, ever less often. */
  packagesUseless(account: string): void;
  /** Whether an account is known to be reachable, known not to be, or unknown. */
  isOnline(account: string): boolean | undefined;
  isContact(account: string): boolean;
  /** This device has seen a sign of life of that one. */
  sighted(device: string, step: Step): void;
  /** Settles a delivery that was answered with `later`. */
  answer(handle: bigint, outcome: Outcome, step: Step): void;
  /** Something of that content waits no more to be sealed once more. */
  givenUp(content: string): void;
  notify(notice: GroupNotice, step: Step): void;
  count(rung: Rung): void;
}
