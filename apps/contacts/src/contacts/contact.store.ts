import type { ContactLimits } from '../config.js';

export type RowState = 'PENDING' | 'REQUESTED' | 'ACCEPTED' | 'BLOCKED';

/** One side's view of a contact. Ids are lower-case hex, times Unix milliseconds. */
export interface ContactRow {
  owner: string;
  peerName: string;
  /** The peer's account: set when accepted and on a request to be answered, never while pending, but for what is left of a former contact. */
  peer: string | null;
  state: RowState;
  requestedAt: number;
  changedAt: number;
  acceptedByOwner: boolean;
}

export interface Person {
  account: string;
  name: string;
}

/** What a row was before its owner ended it, and when that was: later than the row's last change, whatever the clocks say. */
export interface Ended {
  before: ContactRow | undefined;
  at: number;
}

/** Both rows after it; `fresh`: they were not so before. */
export interface Acceptance {
  mine: ContactRow;
  theirs: ContactRow;
  fresh: boolean;
}

/**
 * `fresh`: a pending row is new. `known`: nothing to do, the row was there. `limit`: a bound of the asker is reached. `renewed`: a former contact of
 * the asker is one again in its list, whatever the other side has done meanwhile.
 */
export type RequestOutcome =
  | { kind: 'fresh'; row: ContactRow; reached: boolean }
  | { kind: 'known' }
  | { kind: 'limit' }
  | { kind: 'renewed'; row: ContactRow }
  | { kind: 'accepted'; mine: ContactRow; theirs: ContactRow };

/**
 * Contact lists: one row per owner and name; only its owner's actions show in it, but for an acceptance.
 *
 * Guarantees: a change of a pair is atomic over all callers and replicas, so two opposite requests at once are an acceptance; a request runs
 * the same statements, and leaves the same row with its owner, whether or not anybody has the name.
 * Rows PENDING or REQUESTED since before `since` count as gone everywhere. As such a row stays what its owner took out or blocked and unblocked after
 * it was a contact, for FORMER_LIFETIME_MS: asked again, the owner has it back at once, or else the answer would tell whether the other side kept it.
 */
export interface ContactStore {
  /** `peer` is undefined when nobody has the name. */
  request(
    me: Person,
    name: string,
    peer: string | undefined,
    time: { now: number; since: number },
    limits: ContactLimits,
  ): Promise<RequestOutcome>;
  /** `undefined`: no open request of that name (any more). 'limit': the list is full. Accepting twice answers alike. */
  accept(me: Person, name: string, time: { now: number; since: number }, limits: ContactLimits): Promise<Acceptance | 'limit' | undefined>;
  /** Drops the request from the owner's list alone. Returns whether there was one. */
  decline(owner: string, name: string): Promise<boolean>;
  /** Takes the row out of the owner's list, of a contact all but who it was; a request that is taken back leaves the other list as well. */
  takeOut(me: Person, name: string, peer: string | undefined, now: number): Promise<Ended>;
  /** 'limit': the list is full. */
  block(me: Person, name: string, now: number, limits: ContactLimits): Promise<Ended | 'limit'>;
  unblock(owner: string, name: string): Promise<boolean>;
  find(owner: string, name: string): Promise<ContactRow | undefined>;
  list(owner: string, since: number): Promise<ContactRow[]>;
  /** The rows in which others have this account as accepted, whether or not it still has them. */
  heldBy(account: string): Promise<ContactRow[]>;
  /** Accounts that this one has accepted and that have accepted it. */
  mutual(account: string): Promise<string[]>;
  /** The row of each side in which it has accepted the other. */
  standing(one: string, other: string): Promise<{ one: ContactRow | undefined; other: ContactRow | undefined }>;
  /** Drops the account's own list, and its requests from the lists of others. Those who had accepted it keep their row. */
  forget(account: string): Promise<void>;
  /** Deletes what counts as gone, and former contacts that ended before `formerSince`. Returns how many rows. */
  purge(since: number, formerSince: number): Promise<number>;
}

export const CONTACT_STORE = Symbol('CONTACT_STORE');
