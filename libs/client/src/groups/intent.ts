import { type GroupData, type LeafId, type Member } from '@sotto/mls';

/** What a member wants of its group: an assertion, which any commit may make true. */
export type Intent =
  /** The account is in. */
  | { readonly kind: 'add'; readonly account: string }
  | { readonly kind: 'remove'; readonly leaves: readonly LeafId[] }
  | { readonly kind: 'rename'; readonly name: string }
  /** The account is an admin, or is none. */
  | { readonly kind: 'role'; readonly account: string; readonly admin: boolean }
  /** The device has a new leaf instead of this one; or at all, where only a branch that lost let it in. */
  | {
      readonly kind: 'rejoin';
      readonly account: string;
      readonly device: string;
      readonly leaf: LeafId;
      readonly keyPackage: Uint8Array;
      /** The leaf that the package makes; absent in what former versions stored. */
      readonly newLeaf?: LeafId;
    }
  /** The device has another leaf instead of this one, for which it has no keys. */
  | { readonly kind: 'replace'; readonly account: string; readonly device: string; readonly leaf: LeafId }
  /** This device has fresh keys, and a fresh token if the old one is to be withdrawn, in a commit after this one. */
  | { readonly kind: 'refresh'; readonly id: string };

/** What a commit would have to change, for the head as it is. */
export interface Change {
  readonly add: readonly Uint8Array[];
  readonly remove: readonly Member[];
  readonly data?: GroupData;
  readonly refresh: boolean;
}

export interface Head {
  readonly members: readonly Member[];
  /** Of the members. */
  readonly devices: ReadonlySet<string>;
  readonly own: Member;
  readonly data: GroupData;
  readonly removed: ReadonlySet<LeafId>;
  /** Ids of refreshes that commits up to the head have made. */
  readonly refreshed: ReadonlySet<string>;
  /** These leaves, and those by which their devices have rejoined before and after, on whichever branch. */
  lineage(leaves: readonly LeafId[]): ReadonlySet<LeafId>;
}

/** Key packages at hand of an account, by device, none if it publishes none; undefined: not claimed yet. */
export type PackagesOf = (account: string) => ReadonlyMap<string, { readonly bytes: Uint8Array; readonly leaf: LeafId }> | undefined;

/** The account's key packages are needed first. */
interface Waits {
  readonly is: 'waits';
  readonly account: string;
  /** Others than those at hand. */
  readonly stale?: boolean;
  /** A leaf whose device still publishes the package behind it: it was never let in by it. */
  readonly unused?: LeafId;
}

/** `met`: nothing to do. */
export type Judged = { readonly is: 'met' } | Waits | ({ readonly is: 'due' } & Change);

const NOTHING = { add: [], remove: [], refresh: false } as const;

/** Leaves that are to go before anything else: removed on some branch, and still in the head. */
export function removalsDue({ members, own, removed }: Head): Member[] {
  return members.filter(({ id }) => removed.has(id) && id !== own.id);
}

export function judgeIntent(intent: Intent, head: Head, packagesOf: PackagesOf): Judged {
  switch (intent.kind) {
    case 'add':
      return judgeAdd(intent.account, head, packagesOf);
    case 'remove': {
      const leaves = head.lineage(intent.leaves);
      return due({ remove: head.members.filter(({ id }) => leaves.has(id) && id !== head.own.id) });
    }
    case 'rename':
      return head.data.name === intent.name ? { is: 'met' } : due({ data: { ...head.data, name: intent.name } });
    case 'role':
      return judgeRole(intent, head);
    case 'rejoin': {
      const there = head.members.find(({ identity }) => identity.device === intent.device);
      // Another leaf than the one that asked: somebody has helped already.
      if (there !== undefined && there.id !== intent.leaf) return { is: 'met' };
      // Or somebody has, and it was removed since.
      if (head.removed.has(intent.leaf) || head.removed.has(intent.newLeaf ?? '')) return { is: 'met' };
      return due({ add: [intent.keyPackage], remove: there === undefined ? [] : [there] });
    }
    case 'replace':
      return judgeReplace(intent, head, packagesOf);
    case 'refresh':
      return head.refreshed.has(intent.id) ? { is: 'met' } : due({ refresh: true });
  }
}

/** Of one's own account all devices are meant, of another whichever are to be had: its other devices are brought in by those. */
function judgeAdd(account: string, head: Head, packagesOf: PackagesOf): Judged {
  const isOwn = account === head.own.identity.account;
  if (!isOwn && head.members.some(({ identity }) => identity.account === account)) return { is: 'met' };
  const packages = packagesOf(account);
  if (packages === undefined) return { is: 'waits', account };
  if (packages.size === 0 && !isOwn) return { is: 'waits', account, stale: true };
  const missing = [...packages].filter(([device, { leaf }]) => !head.devices.has(device) && !head.removed.has(leaf));
  return due({ add: missing.map(([, { bytes }]) => bytes) });
}

function judgeReplace({ account, device, leaf }: Extract<Intent, { kind: 'replace' }>, head: Head, packagesOf: PackagesOf): Judged {
  const old = head.members.find(({ id }) => id === leaf);
  if (old === undefined || head.removed.has(leaf)) return { is: 'met' };
  const packages = packagesOf(account);
  const fresh = packages?.get(device);
  // The same last resort would make the same leaf.
  if (fresh?.leaf === leaf) return { is: 'waits', account, stale: true, unused: leaf };
  if (fresh === undefined) return { is: 'waits', account, ...(packages !== undefined && { stale: true }) };
  return due({ add: [fresh.bytes], remove: [old] });
}

function judgeRole({ account, admin }: Extract<Intent, { kind: 'role' }>, { data }: Head): Judged {
  if (data.accounts.includes(account) === admin) return { is: 'met' };
  const accounts = admin ? [...data.accounts, account] : data.accounts.filter((each) => each !== account);
  return due({ data: { ...data, accounts } });
}

function due(change: Partial<Change>): Judged {
  const whole = { ...NOTHING, ...change };
  const empty = whole.add.length === 0 && whole.remove.length === 0 && whole.data === undefined && !whole.refresh;
  return empty ? { is: 'met' } : { is: 'due', ...whole };
}
