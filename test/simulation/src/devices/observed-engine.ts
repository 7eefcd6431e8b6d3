import { hash } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import { type Changes, type GroupState, type Member, MlsEngine, type Opened } from '@sotto/mls';
import { MessageAuthenticatedDataSchema, toHex } from '@sotto/protocol';
import type { Sealing } from '../checks/ledger.js';

export const hex = toHex;
export const messageId = (message: Uint8Array): string => hash('sha256', message, 'hex');
/** The first 16 bytes of the SHA-256 of its MLSMessage. */
export const commitId = (commit: Uint8Array): string => messageId(commit).slice(0, 32);
export const leafName = (group: string, leaf: string): string => `${group}/${leaf}`;

export interface CommitStep {
  readonly from: GroupState;
  readonly to: GroupState;
  /** Devices, ids. */
  readonly removed: readonly string[];
  /** Leaves, `group/leaf`, of devices that it does not add again. */
  readonly removedForGood: readonly string[];
  /** Leaves, `group/leaf`, of devices that it adds again: before and after. */
  readonly replaced: readonly (readonly [string, string])[];
}

/** What the engine can tell of a sealing. */
export type SealedHere = Omit<Sealing, 'device' | 'forbidden' | 'left' | 'heard'>;

export interface EngineObserver {
  sealed(message: string, sealing: SealedHere): void;
  opened(message: string): void;
  /** It made the commit. */
  madeCommit(commit: string, step: CommitStep): void;
  /** It opened the commit as valid MLS. */
  openedCommit(commit: string, step: CommitStep): void;
  /** It could not open what would have this id, if it were a commit. */
  failed(commit: string): void;
  /** It was let in. */
  joined(state: GroupState): void;
  /** For the trace. */
  made(text: () => string): void;
}

/** The engine itself; whoever calls it is watched. */
export function observed(engine: MlsEngine, observer: EngineObserver): MlsEngine {
  const watched: Partial<MlsEngine> = {
    async seal(state, plaintext, authenticatedData) {
      const result = await engine.seal(state, plaintext, authenticatedData);
      observer.sealed(messageId(result.message), { ...placeOf(engine, state), ...contentOf(plaintext, authenticatedData) });
      return result;
    },
    async open(state, message) {
      const opened = await engine.open(state, message).catch((error: unknown) => {
        observer.failed(commitId(message));
        throw error;
      });
      if (opened.kind === 'application') observer.opened(messageId(message));
      if (opened.kind === 'commit') {
        observer.openedCommit(commitId(message), stepOf(state, opened.state, opened));
      }
      return opened;
    },
    async joinFromWelcome(welcome, candidates) {
      const joined = await engine.joinFromWelcome(welcome, candidates);
      observer.joined(joined.state);
      return joined;
    },
    async commit(state, changes, now, authenticatedData) {
      const committed = await engine.commit(state, changes, now, authenticatedData);
      const after = engine.members(committed.state);
      observer.made(() => `makes commit ${commitId(committed.commit).slice(0, 8)}: ${describe(engine, state, changes, after)}`);
      const removedMembers = engine.members(state).filter(({ leaf }) => changes.remove?.includes(leaf));
      observer.madeCommit(commitId(committed.commit), stepOf(state, committed.state, { addedMembers: after, removedMembers }));
      return committed;
    },
  };
  return Object.assign(Object.create(engine) as MlsEngine, methodsOf(engine), watched);
}

/** Bound to it. */
function methodsOf(engine: MlsEngine): Partial<MlsEngine> {
  const methods = Object.getOwnPropertyNames(MlsEngine.prototype).flatMap((name) => {
    const value = Reflect.get(engine, name) as unknown;
    return typeof value === 'function' && name !== 'constructor' ? [[name, value.bind(engine) as unknown] as const] : [];
  });
  return Object.fromEntries(methods);
}

function placeOf(engine: MlsEngine, state: GroupState) {
  const group = hex(state.groupId);
  const members = engine.members(state);
  const own = members.find(({ leaf }) => leaf === state.ownLeaf);
  return {
    group,
    state: hex(state.authenticator),
    epoch: Number(state.epoch),
    leaf: own?.id ?? '',
    generation: engine.generationOf(state, state.ownLeaf),
    members: members.map(({ id, identity }) => ({ leaf: leafName(group, id), device: identity.device })),
  };
}

function contentOf(plaintext: Uint8Array, authenticatedData: Uint8Array) {
  const { contentId, onlyFor } = fromBinary(MessageAuthenticatedDataSchema, authenticatedData);
  return { content: hex(contentId), plaintext: hex(plaintext), onlyFor: onlyFor.length === 0 ? undefined : hex(onlyFor) };
}

function describe(engine: MlsEngine, state: GroupState, { remove, groupData, token }: Changes, after: readonly Member[]): string {
  const before = engine.members(state);
  const there = new Set(before.map(({ id }) => id));
  return [
    `group ${hex(state.groupId).slice(0, 8)} epoch ${state.epoch}`,
    ...before
      .filter(({ leaf }) => remove?.includes(leaf))
      .map(({ identity, id }) => `removes ${identity.accountName} (leaf ${id.slice(0, 6)})`),
    ...after.filter(({ id }) => !there.has(id)).map(({ identity, id }) => `adds ${identity.accountName} (leaf ${id.slice(0, 6)})`),
    ...(groupData === undefined ? [] : ['changes its data']),
    ...(token === undefined ? [] : ['refreshes']),
  ].join(', ');
}

/** A device that is added again by the same commit has rejoined. */
function stepOf(
  from: GroupState,
  to: GroupState,
  { addedMembers, removedMembers }: Pick<Extract<Opened, { kind: 'commit' }>, 'addedMembers' | 'removedMembers'>,
): CommitStep {
  const named = ({ id }: Member) => leafName(hex(from.groupId), id);
  const there = new Map(addedMembers.map((member) => [deviceOf(member), member]));
  const removedForGood = removedMembers.filter((member) => !there.has(deviceOf(member))).map(named);
  const replaced = removedMembers.flatMap((member) => {
    const again = there.get(deviceOf(member));
    return again === undefined ? [] : [[named(member), named(again)] as const];
  });
  return { from, to, removed: removedMembers.map(deviceOf), removedForGood, replaced };
}

const deviceOf = ({ identity }: Member): string => identity.device;
