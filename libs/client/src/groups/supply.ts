import { create, toBinary } from '@bufbuild/protobuf';
import type { StateId } from '@sotto/mls';
import { EnvelopeSchema, fromHex, type Hello, type MessageDigest, MessageDigestSchema, toHex } from '@sotto/protocol';
import type { Branches } from './branches.js';
import type { GroupCore } from './group-core.js';
import { packShort, short, unpackShort } from './hello.js';
import { type Digest, type MessageLog, sameDigest } from './message-log.js';
import { knows, type Shown } from './peers.js';
import { applicationEnvelope, commitEnvelope } from './sealing.js';

const BUNDLE_BYTES = 200 * 1024;
/** States named in one hello. */
const MOST_NAMED = 400;
/** Ids of messages named in one hello. */
const MOST_DETAILS = 2_000;

interface Item {
  /** Twice the epoch, one more for a commit: it ends its epoch, so the messages go before it. */
  readonly order: number;
  readonly envelope: () => Uint8Array;
}

/** What a hello shows of the messages that its sender has, by state. Ids are cut to 8 bytes. */
export interface ShownMessages {
  readonly digests: ReadonlyMap<string, Digest>;
  /** Their ids, one after the other. */
  readonly named: ReadonlyMap<string, Uint8Array>;
}

export function messagesShownBy({ digests, details }: Hello): ShownMessages {
  return {
    digests: new Map(digests.map((each) => [toHex(each.state), each])),
    named: new Map(details.map(({ state, ids }) => [toHex(state), ids])),
  };
}

/** Envelopes that the other lacks and can use, in the order in which it can use them, losing branches too; made as they are taken. */
export function* lackedBy(shown: Shown, messages: ShownMessages, core: GroupCore): Generator<Uint8Array> {
  const lacked = [...core.log.states()].flatMap((state) => messagesFor(state, shown, messages, core));
  yield* inOrder([...commitsFor(shown, messages, core), ...lacked]);
}

/** For one that was removed: how that came about, and nothing else. */
export function* commitsLackedBy(shown: Shown, messages: ShownMessages, core: GroupCore): Generator<Uint8Array> {
  yield* inOrder(commitsFor(shown, messages, core));
}

function* inOrder(items: Item[]): Generator<Uint8Array> {
  for (const { envelope } of items.sort((a, b) => a.order - b.order)) yield envelope();
}

/** Also from below its root, on states that it still holds. */
function commitsFor(shown: Shown, { digests }: ShownMessages, { branches, head, ports }: GroupCore): Item[] {
  const { keepLosingBranches } = ports.rules;
  const isLacked = (id: StateId, epoch: number, parent: StateId) =>
    !knows(shown, short(id)) && (epoch > shown.heldFrom || digests.has(short(parent)));
  const items: Item[] = [];
  for (const { node, bytes } of branches.commits.values()) {
    const { id, epoch, parent } = node;
    if (isLacked(id, epoch, parent) && (keepLosingBranches || branches.tree.descends(head, id))) items.push(itemOf(epoch, parent, bytes));
  }
  for (const [id, { epoch, commit }] of branches.roots)
    if (commit !== undefined && isLacked(id, epoch, commit.parent)) items.push(itemOf(epoch, commit.parent, commit.bytes));
  return items;
}

const itemOf = (epoch: number, parent: StateId, bytes: Uint8Array): Item => ({
  order: 2 * (epoch - 1) + 1,
  envelope: () => commitEnvelope(parent, bytes),
});

function messagesFor(state: StateId, shown: Shown, { digests, named }: ShownMessages, { branches, log }: GroupCore): Item[] {
  const shortId = short(state);
  const digest = digests.get(shortId);
  if (digest !== undefined && sameDigest(digest, log.digest(state))) return [];
  const epoch = branches.epoch(state);
  if (epoch === undefined || (epoch < shown.heldFrom && digest === undefined)) return [];
  const isKnown = knows(shown, shortId);
  // It knows of the state and does not hold it: it could not read them.
  if (isKnown && digest === undefined) return [];
  const all = log.of(state);
  let missing = all;
  if (isKnown && digest !== undefined && digest.count > 0) {
    const ids = named.get(shortId);
    if (ids === undefined) return [];
    const has = new Set(unpackShort(ids));
    missing = all.filter(([id]) => !has.has(short(id)));
  }
  return missing.map(([, { bytes }]) => ({ order: 2 * epoch, envelope: () => applicationEnvelope(state, bytes) }));
}

/** Envelopes with supplies, each of a size that travels. */
export function* bundles(group: string, envelopes: Iterable<Uint8Array>): Generator<Uint8Array> {
  let bundle: Uint8Array[] = [];
  let bytes = 0;
  for (const envelope of envelopes) {
    if (bundle.length > 0 && bytes + envelope.length > BUNDLE_BYTES) {
      yield supplyEnvelope(group, bundle);
      bundle = [];
      bytes = 0;
    }
    bundle.push(envelope);
    bytes += envelope.length;
  }
  if (bundle.length > 0) yield supplyEnvelope(group, bundle);
}

function supplyEnvelope(group: string, envelopes: Uint8Array[]): Uint8Array {
  const value = { group: fromHex(group), envelopes };
  return toBinary(EnvelopeSchema, create(EnvelopeSchema, { kind: { case: 'supply', value } }));
}

/** Held states, those of the own branch first; as many as a hello may name, whoever mints others. */
export function namedStates(branches: Branches): StateId[] {
  const onPath = branches.path.filter((id) => branches.holds(id));
  const all = new Set([...onPath, ...[...branches.heldStates()].map(([id]) => id)]);
  return [...all].slice(0, MOST_NAMED);
}

/** What this device has of the messages of each epoch that it can read. */
export function digestsOf(core: GroupCore): MessageDigest[] {
  const readable = [...namedStates(core.branches), ...core.branches.statesInReach()].slice(0, MOST_NAMED);
  return readable.map((state) => create(MessageDigestSchema, { state: packShort([state]), ...core.log.digest(state) }));
}

/**
 * By name, the messages of those epochs in which the other has others; and how many it has more. Also of epochs of which this device has the
 * messages and no keys any more: those it can't show in digests, and gives to whoever then names its own.
 */
export function detailsFor({ digests, named }: ShownMessages, core: GroupCore) {
  let room = MOST_DETAILS;
  let missing = 0;
  const details: { state: Uint8Array; ids: Uint8Array }[] = [];
  // Of some epochs the other has messages and no keys: it names them alone.
  const alone = [...named].filter(([state]) => !digests.has(state));
  const all = [...[...digests].map((each) => byDigest(each, core)), ...alone.map((each) => byName(each, core))];
  for (const difference of all) {
    if (difference === undefined) continue;
    missing += difference.missing;
    if (difference.ids.length > room) continue;
    room -= difference.ids.length;
    details.push({ state: packShort([difference.state]), ids: packShort(difference.ids) });
  }
  return { details, missing };
}

/** How an epoch's messages differ from what the other shows of it. */
interface Difference {
  readonly state: StateId;
  /** All that are here. */
  readonly ids: readonly string[];
  readonly missing: number;
}

function byDigest([shortId, digest]: readonly [string, Digest], { branches, log }: GroupCore): Difference | undefined {
  const state = branches.byShort(shortId);
  if (state === undefined) return undefined;
  const own = log.digest(state);
  if (sameDigest(own, digest) || (own.count === 0 && !branches.isInReach(state))) return undefined;
  return { state, ids: idsOf(log, state), missing: branches.isInReach(state) ? Math.max(0, digest.count - own.count) : 0 };
}

function byName([shortId, ids]: readonly [string, Uint8Array], { branches, log }: GroupCore): Difference | undefined {
  const state = branches.byShort(shortId);
  if (state === undefined || !branches.isInReach(state)) return undefined;
  const own = idsOf(log, state);
  const here = new Set(own.map(short));
  const missing = unpackShort(ids).filter((id) => !here.has(id)).length;
  return missing === 0 ? undefined : { state, ids: own, missing };
}

const idsOf = (log: MessageLog, state: StateId) => log.of(state).map(([id]) => id);
