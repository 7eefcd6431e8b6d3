import { create, toBinary } from '@bufbuild/protobuf';
import type { StateId } from '@sotto/mls';
import { EnvelopeSchema, fromHex, type Hello, toHex } from '@sotto/protocol';
import type { Branches } from './branches.js';
import type { GroupCore } from './group-core.js';
import { packShort, short, unpackShort } from './hello.js';
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
  const items = [...commitsFor(shown, known, core), ...messages].sort((a, b) => a.order - b.order);
  for (const { envelope } of items) yield envelope();
}

/** For one that was removed: how that came about, and nothing else. */
export function* commitsLackedBy(shown: Shown, core: GroupCore): Generator<Uint8Array> {
  const items = commitsFor(shown, new Set([...shown.path, ...shown.others]), core).sort((a, b) => a.order - b.order);
  for (const { envelope } of items) yield envelope();
}

function commitsFor(shown: Shown, known: ReadonlySet<string>, core: GroupCore): Item[] {
  const entered = [...core.branches.commits.values()].map(({ node, bytes }) => ({ ...node, bytes }));
  const began = [...core.branches.roots].flatMap(([id, { epoch, commit }]) => (commit === undefined ? [] : { id, epoch, ...commit }));
  return [...entered, ...began]
    .filter(({ id, epoch }) => !known.has(short(id)) && epoch > shown.heldFrom)
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

/** What this device has of the messages of each epoch that it holds. */
export function digestsOf(core: GroupCore) {
  return namedStates(core.branches).map((state) => {
    const { count, ids } = core.log.digest(state);
    return { state: packShort([state]), count, ids: fromHex(ids) };
  });
}

/** By name, the messages of those epochs in which the other has others; and how many it has more. */
export function detailsFor(hello: Hello, core: GroupCore) {
  let room = MOST_DETAILS;
  let missing = 0;
  const details: { state: Uint8Array; ids: Uint8Array }[] = [];
  for (const theirs of hello.digests) {
    const state = core.branches.byShort(toHex(theirs.state));
    if (state === undefined || !core.branches.holds(state)) continue;
    const own = core.log.digest(state);
    if (own.count === theirs.count && own.ids === toHex(theirs.ids)) continue;
    missing += Math.max(0, theirs.count - own.count);
    const ids = core.log.of(state).map(([id]) => id);
    if (ids.length > room) continue;
    room -= ids.length;
    details.push({ state: theirs.state, ids: packShort(ids) });
  }
  return { details, missing };
}
