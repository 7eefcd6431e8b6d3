import type { Composed, Sealing } from './ledger.js';
import { activeIn, short, type Sight, type Witness } from './sight.js';

export interface Written extends Composed {
  /** In the order of their making; those that left the device. */
  readonly sealings: readonly Sealing[];
  /** Devices that had durably opened it at some time, whatever became of their disks. */
  readonly openedBy: ReadonlySet<string>;
  /** Of these, the devices whose disks were put back to where nothing leads to its key any more. */
  readonly putBehind: ReadonlySet<string>;
  /**
   * Devices whose disks remember that they opened it as it was sealed for all, each with those for whom that was: to these it can hand it on.
   * What was sealed once more in another group of the same two can be read by nobody who is not in that one.
   */
  readonly keptBy: ReadonlyMap<string, ReadonlySet<string>>;
  /**
   * Devices that have no key for it: they opened another message under the same, as its sender was put back between the two, their own disk was
   * put back to where nothing leads to the state where it was sealed first, or they never had that state, as somebody hostile kept them out of
   * it or nobody is left who has the commits on the way there.
   */
  readonly withoutKey: ReadonlySet<string>;
}

/** Whether the device's user was shown the message. */
type HasSeen = (sight: Sight, message: Written) => boolean;

/**
 * Invariant 2: each message once on every device whose leaf was where it was sealed and still is, if its sender or its keys and ciphertext
 * remain; never twice. `witnesses` are the honest.
 */
export function checkEachMessageOnce(
  written: readonly Written[],
  witnesses: readonly Witness[],
  successorsOf: (leaf: string) => ReadonlySet<string>,
): string[] {
  const leavesOf = (leaf: string) => [leaf, ...successorsOf(leaf)];
  const seen = new Map(witnesses.map(({ device, history }) => [device, new Set(history.map(({ content }) => content))]));
  const hasSeen: HasSeen = ({ device }, { content }) => seen.get(device)?.has(content) === true;
  return [...written.flatMap((each) => checkArrival(each, witnesses, hasSeen, leavesOf)), ...checkNeverTwice(written, witnesses)];
}

function checkNeverTwice(written: readonly Written[], witnesses: readonly Witness[]): string[] {
  const known = new Map(written.map((each) => [each.content, each]));
  return witnesses.flatMap(({ name, device, history }) => {
    const seen = new Set<string>();
    return history.flatMap(({ content, plaintext }) => {
      const twice = seen.has(content);
      seen.add(content);
      const message = known.get(content);
      if (twice) return [`${name} was shown ${short(content)} twice`];
      if (message === undefined || message.plaintext !== plaintext) return [`${name} was shown ${short(content)}, which nobody wrote so`];
      const meant = message.sealings.some(
        ({ members, onlyFor }) => (onlyFor ?? device) === device && members.some((each) => each.device === device),
      );
      return meant ? [] : [`${name} was shown ${short(content)}, which was never sealed for it`];
    });
  });
}

function checkArrival(
  message: Written,
  witnesses: readonly Witness[],
  hasSeen: HasSeen,
  leavesOf: (leaf: string) => readonly string[],
): string[] {
  const [first] = message.sealings;
  // What somebody hostile writes is owed to nobody.
  const isHonest = witnesses.some(({ device }) => device === message.device);
  if (first === undefined || message.discarded || !isHonest) return [];
  const active = activeIn(message.group, witnesses);
  return active.flatMap((sight) => {
    const was = first.members.find(({ device }) => device === sight.device);
    if (was === undefined || sight.device === message.device || hasSeen(sight, message)) return [];
    if (message.putBehind.has(sight.device)) return [];
    if (was.leaf !== sight.ownLeaf && isPast(leavesOf(was.leaf), sight, message, active, witnesses)) return [];
    const keepsKeys = was.leaf === sight.ownLeaf && first.epoch >= sight.heldFrom && !message.withoutKey.has(sight.device);
    const holder = active.find((each) => hasSeen(each, message) && message.keptBy.get(each.device)?.has(sight.device) === true);
    const owed = whyOwed(message, { sameLeaf: was.leaf === sight.ownLeaf, keepsKeys, holder }, active, witnesses);
    return owed === undefined ? [] : [`${sight.name} never saw ${short(message.content)} (epoch ${first.epoch}): ${owed}`];
  });
}

/**
 * A leaf that is no more was owed nothing further when it, or one that took its place, was removed for good, when its owner left, and when it
 * had opened the message already and was put back to an older disk: its sender was told so.
 */
function isPast(
  leaves: readonly string[],
  sight: Sight,
  message: Written,
  active: readonly Sight[],
  witnesses: readonly Witness[],
): boolean {
  const hasLeft = witnessOf(sight, witnesses)?.left.has(message.group) === true;
  return hasLeft || message.openedBy.has(sight.device) || active.some(({ removed }) => leaves.some((leaf) => removed.has(leaf)));
}

/** Undefined when neither the sender nor anybody with its ciphertext is left, or nobody but the sender could help one who has no keys. */
function whyOwed(
  message: Written,
  { sameLeaf, keepsKeys, holder }: { readonly sameLeaf: boolean; readonly keepsKeys: boolean; readonly holder: Sight | undefined },
  active: readonly Sight[],
  witnesses: readonly Witness[],
): string | undefined {
  const sender = active.find(({ device }) => device === message.device);
  const remembers = sender !== undefined && witnessOf(sender, witnesses)?.written.has(message.content) === true;
  if (remembers) return `its sender ${sender.name} is there${sameLeaf ? '' : ', though it joined anew'}`;
  return holder !== undefined && keepsKeys ? `its sender is gone, and ${holder.name} has it` : undefined;
}

function witnessOf({ device }: Sight, witnesses: readonly Witness[]): Witness | undefined {
  return witnesses.find((each) => each.device === device);
}
