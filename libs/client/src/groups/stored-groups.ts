import type { StateId } from '@sotto/mls';
import { ClientError } from '../client-error.js';
import { decodeRecord } from '../storage/record.js';
import type { Journal } from '../storage/journal.js';
import type { Store } from '../storage/store.js';
import type { OwnResult, StoredCommit } from './branches.js';
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
  const groups = await load<GroupRecord>(store, 'groups');
  const commits = byGroup(await load<StoredCommit>(store, 'commits'));
  const ownCommits = byGroup(await load<OwnResult>(store, 'own-commits'));
  const epochs = byGroup(await load<Uint8Array>(store, 'epochs'));
  const ratchets = byGroup(await load<Uint8Array>(store, 'ratchets'));
  const log = byGroup(await load<LoggedMessage>(store, 'log'));
  const later = byGroup(await load<LaterRecord>(store, 'later'));
  const of = <T>(all: ByGroup<T>, id: string): Map<string, T> => all.get(id) ?? new Map<string, T>();
  return new Map(
    [...groups].map(([id, record]) => {
      const states = of(epochs, id);
      checkWhole(record.head, states, of(ratchets, id));
      const inOrder = new Map([...of(log, id)].sort(([, a], [, b]) => a.at - b.at));
      const waiting = new Map([...of(later, id)].sort(([, a], [, b]) => a.at - b.at));
      return [
        id,
        {
          record,
          commits: of(commits, id),
          ownCommits: of(ownCommits, id),
          epochs: states,
          ratchets: of(ratchets, id),
          log: inOrder,
          later: waiting,
        },
      ];
    }),
  );
}

function checkWhole(head: StateId, epochs: ReadonlyMap<string, unknown>, ratchets: ReadonlyMap<string, unknown>): void {
  if (epochs.has(head) && [...epochs.keys()].every((state) => ratchets.has(state))) return;
  throw new ClientError('storage-failed', 'the store lacks a part of a group: it was cut short, or written by another version');
}

export async function load<T>(store: Store, collection: string): Promise<Map<string, T>> {
  return new Map([...(await store.load(collection))].map(([key, bytes]) => [key, decodeRecord<T>(bytes)]));
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
