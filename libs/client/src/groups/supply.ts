import { create, toBinary } from '@bufbuild/protobuf';
import type { StateId } from '@sotto/mls';
import { EnvelopeSchema, fromHex, type Hello, toHex } from '@sotto/protocol';
import type { Branches } from './branches.js';
import type { GroupCore } from './group-core.js';
import { packShort, short, unpackShort } from './hello.js';
import type { MessageLog } from './message-log.js';
import type { Shown } from './peers.js';
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

/** Envelopes that the other lacks and can use, in the order in which it can use them, losing branches too; made as they are taken. */
export function* lackedBy(shown: Shown, hello: Hello, core: GroupCore): Generator<Uint8Array> {
  const known = new Set([...shown.path, ...shown.others]);
  const messages = [...core.log.states()].flatMap((state) => messagesFor(state, known, shown, hello, core));
  const items = [...commitsFor(shown, known, hello, core), ...messages].sort((a, b) => a.order - b.order);
  for (const { envelope } of items) yield envelope();
}

/** For one that was removed: how that came about, and nothing else. */
export function* commitsLackedBy(shown: Shown, hello: Hello, core: GroupCore): Generator<Uint8Array> {
  const items = commitsFor(shown, new Set([...shown.path, ...shown.others]), hello, core).sort((a, b) => a.order - b.order);
  for (const { envelope } of items) yield envelope();
}

/** Also from below its root, on states that it still holds. */
function commitsFor(shown: Shown, known: ReadonlySet<string>, hello: Hello, core: GroupCore): Item[] {
  const held = new Set(hello.digests.map(({ state }) => toHex(state)));
  const { keepLosingBranches } = core.ports.rules;
  const entered = [...core.branches.commits.values()]
    .map(({ node, bytes }) => ({ ...node, bytes }))
    .filter(({ id }) => keepLosingBranches || core.branches.tree.descends(core.head, id));
  const began = [...core.branches.roots].flatMap(([id, { epoch, commit }]) => (commit === undefined ? [] : { id, epoch, ...commit }));
  return [...entered, ...began]
    .filter(({ id, epoch, parent }) => !known.has(short(id)) && (epoch > shown.heldFrom || held.has(short(parent))))
    .map(({ epoch, parent, bytes }): Item => ({ order: 2 * (epoch - 1) + 1, envelope: () => commitEnvelope(parent, bytes) }));
}

function messagesFor(state: StateId, known: ReadonlySet<string>, shown: Shown, hello: Hello, core: GroupCore): Item[] {
  const epoch = core.branches.epoch(state);
  const digest = hello.digests.find((each) => toHex(each.state) === short(state));
  if (epoch === undefined || (epoch < shown.heldFrom && digest === undefined)) return [];
  // It knows of the state and does not hold it: it could not read them.
  if (known.has(short(state)) && digest === undefined) return [];
  const own = core.log.digest(state);
  if (digest !== undefined && digest.count === own.count && toHex(digest.ids) === own.ids) return [];
  const all = core.log.of(state);
  let missing = all;
  if (known.has(short(state)) && digest !== undefined && digest.count > 0) {
    const details = hello.details.find((each) => toHex(each.state) === short(state));
    if (details === undefined) return [];
    const has = new Set(unpackShort(details.ids));
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
  const onPath = branches.tree.path(branches.head).filter((id) => branches.holds(id));
  const all = new Set([...onPath, ...[...branches.heldStates()].map(([id]) => id)]);
  return [...all].slice(0, MOST_NAMED);
}

/** What this device has of the messages of each epoch that it can read. */
export function digestsOf(core: GroupCore) {
  const readable = [...namedStates(core.branches), ...core.branches.statesInReach()].slice(0, MOST_NAMED);
  return readable.map((state) => {
    const { count, ids } = core.log.digest(state);
    return { state: packShort([state]), count, ids: fromHex(ids) };
  });
}

/**
 * By name, the messages of those epochs in which the other has others; and how many it has more. Also of epochs of which this device has the
 * messages and no keys any more: those it can't show in digests, and gives to whoever then names its own.
 */
export function detailsFor(hello: Hello, core: GroupCore) {
  let room = MOST_DETAILS;
  let missing = 0;
  const details: { state: Uint8Array; ids: Uint8Array }[] = [];
  for (const shown of [...hello.digests.map((each) => byDigest(each, core)), ...namedOnly(hello).map((each) => byName(each, core))]) {
    if (shown === undefined) continue;
    missing += shown.missing;
    if (shown.ids.length > room) continue;
    room -= shown.ids.length;
    details.push({ state: packShort([shown.state]), ids: packShort(shown.ids) });
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

function byDigest({ state: shortId, count, ids }: Hello['digests'][number], { branches, log }: GroupCore): Difference | undefined {
  const state = branches.byShort(toHex(shortId));
  if (state === undefined) return undefined;
  const own = log.digest(state);
  if ((own.count === count && own.ids === toHex(ids)) || (own.count === 0 && !branches.isInReach(state))) return undefined;
  return { state, ids: idsOf(log, state), missing: branches.isInReach(state) ? Math.max(0, count - own.count) : 0 };
}

/** Epochs of which the other has messages and no keys. */
function namedOnly({ details, digests }: Hello): Hello['details'] {
  const held = new Set(digests.map(({ state }) => toHex(state)));
  return details.filter(({ state }) => !held.has(toHex(state)));
}

function byName({ state: shortId, ids }: Hello['details'][number], { branches, log }: GroupCore): Difference | undefined {
  const state = branches.byShort(toHex(shortId));
  if (state === undefined || !branches.isInReach(state)) return undefined;
  const own = idsOf(log, state);
  const here = new Set(own.map(short));
  const missing = unpackShort(ids).filter((id) => !here.has(id)).length;
  return missing === 0 ? undefined : { state, ids: own, missing };
}

const idsOf = (log: MessageLog, state: StateId) => log.of(state).map(([id]) => id);
