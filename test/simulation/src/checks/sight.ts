import type { Intent } from '@sotto/client/core';
import type { Device } from '../devices/device.js';
import { hex, leafName } from '../devices/observed-engine.js';

/** One group as one device has it. Leaves are named `group/leaf`. */
export interface Sight {
  /** Device id. */
  readonly device: string;
  readonly name: string;
  readonly group: string;
  readonly head: string;
  readonly epoch: number;
  /** The oldest epoch of which it holds a state. */
  readonly heldFrom: number;
  readonly authenticator: string;
  readonly members: readonly { readonly leaf: string; readonly device: string; readonly account: string }[];
  readonly ownLeaf: string | undefined;
  readonly removed: ReadonlySet<string>;
  /** Removed, or it has left. */
  readonly out: boolean;
  /** Nothing is written there any more: another conversation of the two is. */
  readonly retired: boolean;
  readonly hold: string | undefined;
  readonly pending: string | undefined;
  readonly intents: readonly Intent[];
  /** Not sealed yet: content, and the device for which alone it is. */
  readonly waiting: readonly { readonly content: string; readonly device: string | undefined }[];
  readonly owed: readonly Owed[];
  /** Ids of those that it could hand on. */
  readonly commits: readonly string[];
}

/** An entry of the outbox, to one device. */
export interface Owed {
  readonly kind: string;
  readonly device: string;
  readonly content: string | undefined;
  readonly state: string;
}

/** Of the client's outbox, which shows its entries to nobody else. */
interface OpenOutbox {
  entries(): Iterable<{
    readonly kind: string;
    readonly group: string;
    readonly content?: string | undefined;
    readonly state: string;
    readonly recipients: ReadonlyMap<string, { readonly status: string }>;
  }>;
}

const SETTLED = ['delivered', 'cannot'];

/** A device as the checks see it. */
export interface Witness {
  readonly device: string;
  readonly name: string;
  readonly account: string;
  /** It never comes back. */
  readonly dead: boolean;
  readonly hostile: boolean;
  readonly sights: readonly Sight[];
  /** Leaves that it has durably seen removed, as `group/leaf`; of a device that is dead, until then. */
  readonly seenRemoved: ReadonlySet<string>;
  /** What its user was shown. */
  readonly history: readonly { readonly content: string; readonly plaintext: string }[];
  /** Content ids of what its user wrote and its disk still knows. */
  readonly written: ReadonlySet<string>;
  /** Groups that its user has left at some time. */
  readonly left: ReadonlySet<string>;
}

export function witnessOf(device: Device, hostile: boolean): Witness {
  const { name, identity } = device;
  return {
    name,
    hostile,
    device: identity.device,
    account: identity.account,
    dead: device.dead,
    sights: sightsOf(device),
    seenRemoved: device.memory.seenRemoved,
    history: device.history(),
    written: device.written(),
    left: device.left(),
  };
}

function sightsOf(device: Device): Sight[] {
  const { messenger } = device;
  const owed = owedOf(device);
  return (messenger?.groups() ?? []).flatMap(({ id }) => {
    const core = messenger?.unsafeGroup(id)?.core;
    if (core === undefined) return [];
    const state = core.branches.state(core.head);
    const named = (leaf: string) => leafName(id, leaf);
    return {
      device: device.identity.device,
      name: device.name,
      group: id,
      head: core.head,
      epoch: core.branches.headEpoch,
      heldFrom: core.branches.heldFrom,
      authenticator: state === undefined ? '' : hex(state.authenticator),
      members: core.members.map((each) => ({ leaf: named(each.id), device: each.identity.device, account: each.identity.account })),
      ownLeaf: core.ownLeaf && named(core.ownLeaf.id),
      removed: new Set([...core.branches.tree.removed.keys()].map(named)),
      out: core.leaving || core.expelled || core.branches.removedHere,
      retired: core.retired,
      hold: core.hold,
      pending: core.pending?.commit,
      intents: core.intents,
      waiting: core.toSeal.map(({ content, device: only }) => ({ content, device: only })),
      owed: owed.get(id) ?? [],
      commits: [...core.branches.commits.keys()],
    };
  });
}

function owedOf({ messenger }: Device): Map<string, Owed[]> {
  const owed = new Map<string, Owed[]>();
  if (messenger === undefined) return owed;
  const outbox = messenger['outbox'] as OpenOutbox;
  for (const { group, kind, content, state, recipients } of outbox.entries()) {
    const open = [...recipients].filter(([, { status }]) => !SETTLED.includes(status));
    owed.set(group, [...(owed.get(group) ?? []), ...open.map(([device]) => ({ kind, device, content, state }))]);
  }
  return owed;
}

/** Those who take part: alive, honest, and in the group as far as they know. */
export function activeIn(group: string, witnesses: readonly Witness[]): Sight[] {
  return witnesses.flatMap(({ dead, hostile, sights }) =>
    dead || hostile ? [] : sights.filter((each) => each.group === group && !each.out),
  );
}

export function groupsOf(witnesses: readonly Witness[]): string[] {
  return [...new Set(witnesses.flatMap(({ sights }) => sights.map(({ group }) => group)))].sort();
}

export const short = (id: string): string => id.slice(0, 8);
