/** Ids are lower-case hex; times are Unix seconds unless the name says otherwise. */
export interface Account {
  id: string;
  /** Tag included. */
  name: string;
  /** Null: deleted. */
  passwordHash: string | null;
  /** 32 bytes; a deleted account's too, unless it was deleted by an older version (null). */
  identityKey: Uint8Array | null;
  /** Credentials and tokens issued before this second are over. */
  sessionsValidAfter: number;
  /** Device id → Unix milliseconds at which its credential would have expired. */
  revokedDevices: ReadonlyMap<string, number>;
  disabled: boolean;
  deleted: boolean;
  /** Unix seconds when the store was asked: what has ended since is not in here. */
  readAt: number;
}

export interface NewAccount {
  id: string;
  name: string;
  baseName: string;
  tag: string | null;
  passwordHash: string;
  identityKey: Uint8Array;
  /** Id of the invite, hex, or null. */
  invite: string | null;
  sessionsValidAfter: number;
}

/** The accounts of the server. Names, ids and invites of deleted accounts stay taken. */
export interface AccountsStore {
  /** Of all callers with one name, or one invite, exactly one gets 'created'. 'invite-used' wins when both are taken. */
  create(account: NewAccount): Promise<'created' | 'name-taken' | 'invite-used'>;
  /** The account that the invite was used for. Deleted accounts too. */
  findByInvite(invite: string): Promise<Account | undefined>;
  /** Deleted accounts too. */
  findByName(name: string): Promise<Account | undefined>;
  /** Deleted accounts too. */
  findById(id: string): Promise<Account | undefined>;
  /** In one query; unknown ids are absent. Deleted accounts too. */
  findByIds(ids: string[]): Promise<Account[]>;
  /**
   * Replaces the hash if it is still `expected`, ends sessions issued before `sessionsValidAfter` and, with them, the list of revoked devices.
   * False: another change was faster.
   */
  changePassword(id: string, change: { expected: string; passwordHash: string; sessionsValidAfter: number }): Promise<boolean>;
  /** Replaces the hash, if it is still `expected`, by another of the same password: sessions stand. */
  renewPasswordHash(id: string, change: { expected: string; passwordHash: string }): Promise<void>;
  setIdentityKey(id: string, identityKey: Uint8Array): Promise<void>;
  /** Adds to the revoked devices and drops those whose time is over, in one step. False: `max` others stand there already. */
  revokeDevice(id: string, revoked: { device: string; untilMs: number; nowMs: number; max: number }): Promise<boolean>;
  /** Empties the account; id, name and invite stay, and the public identity key, without which contacts would see that it is gone. */
  delete(id: string): Promise<void>;
}

export const ACCOUNTS_STORE = Symbol('ACCOUNTS_STORE');
