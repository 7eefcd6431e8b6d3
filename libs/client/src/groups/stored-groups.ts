import type { StateId } from '@sotto/mls';
import { ClientError } from '../client-error.js';
import { decodeRecord } from '../storage/record.js';
import type { Journal } from '../storage/journal.js';
import type { Store } from '../storage/store.js';
import type { OwnResult, StoredCommit } from './stored-commit.js';
import type { StoredGroup } from './group.js';
import type { GroupRecord } from './group-record.js';
import type { LaterRecord } from './later.js';
import type { LoggedMessage } from './message-log.js';

/** Records whose key is "group/rest", by group and rest. */
type ByGroup<T> = ReadonlyMap<string, Map<string, T>>;

const COLLECTIONS = [
  'groups',
  'commits',
  'own-commits',
  'epochs',
  'ratchets',
  'log',
  'later',
  'outbox',
  'outbox-settled',
  'invitations',
  'join-packages',
];

/** Takes away all that belongs to a device's leaves. What was shown stays shown, and what was written stays written. */
export async function forgetGroups(store: Store, journal: Journal): Promise<void> {
  for (const collection of COLLECTIONS) for (const key of (await store.load(collection)).keys()) journal.remove(collection, key);
}

/** All groups of a store. Throws ClientError `storage-failed` for a store that lacks a part of one. */
export async function loadGroups(store: Store): Promise<Map<string, StoredGroup>> {
  const records = await load<GroupRecord>(store, 'groups');
  const commits = byGroup(await load<StoredCommit>(store, 'commits'));
  const ownCommits = byGroup(await load<OwnResult>(store, 'own-commits'));
  const epochs = byGroup(await load<Uint8Array>(store, 'epochs'));
  const ratchets = byGroup(await load<Uint8Array>(store, 'ratchets'));
  const log = byGroup(await load<LoggedMessage>(store, 'log'));
  const later = byGroup(await load<LaterRecord>(store, 'later'));
  if ([...epochs.keys()].some((id) => !records.has(id))) throw notWhole();
  const groups = new Map<string, StoredGroup>();
  for (const [id, record] of records) {
    const of = <T>(all: ByGroup<T>): Map<string, T> => all.get(id) ?? new Map<string, T>();
    const stored: StoredGroup = {
      record,
      commits: of(commits),
      ownCommits: of(ownCommits),
      epochs: of(epochs),
      ratchets: of(ratchets),
      log: inOrder(of(log)),
      later: inOrder(of(later)),
    };
    if (!reading(() => isWhole(stored))) throw notWhole();
    groups.set(id, stored);
  }
  return groups;
}

function inOrder<T extends { readonly at: number }>(records: Map<string, T>): Map<string, T> {
  return new Map([...records].sort(([, a], [, b]) => a.at - b.at));
}

/** Each state has its ratchets, and the commits lead from the head to the root. */
function isWhole({ record: { head, root }, commits, epochs, ratchets }: StoredGroup): boolean {
  if (!epochs.has(head) || !epochs.has(root) || [...epochs.keys()].some((state) => !ratchets.has(state))) return false;
  let at: StateId | undefined = head;
  while (at !== undefined && at !== root) at = commits.get(at)?.node.parent;
  return at === root;
}

function notWhole(cause?: unknown): ClientError {
  return new ClientError(
    'storage-failed',
    'the store lacks a part of a group, or has one of a newer version of Sotto; nothing was changed. ' +
      'Start the newest version that has used it, or put a copy of the store back; else begin anew, as a new device',
    { cause },
  );
}

/** Throws ClientError `storage-failed` where a record is not what this version writes. */
export function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw notWhole(error);
  }
}

/** Throws ClientError `storage-failed` for what is no record. */
export async function load<T>(store: Store, collection: string): Promise<Map<string, T>> {
  return new Map([...(await store.load(collection))].map(([key, bytes]) => [key, reading(() => decodeRecord<T>(bytes))]));
}

function byGroup<T>(records: ReadonlyMap<string, T>): ByGroup<T> {
  const groups = new Map<string, Map<string, T>>();
  for (const [key, record] of records) {
    const [group, rest] = split(key);
    const known = groups.get(group);
    if (known === undefined) groups.set(group, new Map([[rest, record]]));
    else known.set(rest, record);
  }
  return groups;
}

function split(key: string): [string, string] {
  const at = key.indexOf('/');
  return [key.slice(0, at), key.slice(at + 1)];
}
