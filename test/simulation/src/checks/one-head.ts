import { activeIn, groupsOf, short, type Sight, type Witness } from './sight.js';

/**
 * Invariant 1: one head and authenticator on all not removed; its members are exactly they; no leaf of `removed` in it. Of each part by itself
 * where those were removed for whom nobody is left who knows it (`arePartedForGood`).
 */
export function checkOneHead(witnesses: readonly Witness[], excused: () => void = () => undefined): string[] {
  return groupsOf(witnesses).flatMap((group) => checkGroup(group, witnesses, excused).map((text) => `group ${short(group)}: ${text}`));
}

function checkGroup(group: string, witnesses: readonly Witness[], excused: () => void): string[] {
  const active = activeIn(group, witnesses);
  const parts = partsOf(active);
  if (parts.length > 1) {
    if (!arePartedForGood(parts, witnesses))
      return [`heads differ: ${active.map((each) => `${each.name} ${short(each.head)} (epoch ${each.epoch})`).join(', ')}`];
    excused();
  }
  return parts.flatMap((part) => [
    ...part.flatMap((each) => checkOwnLeaf(each)),
    ...checkRemoved(part[0]!, part),
    ...checkMembers(part[0]!, part, witnesses),
  ]);
}

function partsOf(active: readonly Sight[]): Sight[][] {
  const parts = new Map<string, Sight[]>();
  for (const each of active) {
    const key = `${each.head} ${each.authenticator}`;
    parts.set(key, [...(parts.get(key) ?? []), each]);
  }
  return [...parts.values()];
}

/**
 * Nobody lists anybody of another part, and all of every part but one were removed as devices knew that are dead now, and as nobody who lives has
 * ever seen: who could tell them is gone.
 */
function arePartedForGood(parts: readonly (readonly Sight[])[], witnesses: readonly Witness[]): boolean {
  const isKnownTo = (some: readonly Witness[], { ownLeaf }: Sight) =>
    ownLeaf !== undefined && some.some(({ seenRemoved }) => seenRemoved.has(ownLeaf));
  const [dead, alive] = [witnesses.filter((each) => each.dead && !each.hostile), witnesses.filter((each) => !each.dead)];
  const listsOthers = (part: readonly Sight[]) => {
    const listed = new Set(part[0]!.members.map(({ device }) => device));
    return parts.some((other) => other !== part && other.some(({ device }) => listed.has(device)));
  };
  const isForgotten = (each: Sight) => isKnownTo(dead, each) && !isKnownTo(alive, each);
  return !parts.some(listsOthers) && parts.filter((part) => !part.every(isForgotten)).length <= 1;
}

function checkOwnLeaf({ name, ownLeaf, members, device }: Sight): string[] {
  const listed = members.find((each) => each.device === device);
  return listed !== undefined && listed.leaf === ownLeaf ? [] : [`${name} takes part and is no member of the head`];
}

function checkRemoved({ members }: Sight, active: readonly Sight[]): string[] {
  return members.flatMap(({ leaf, device }) => {
    const knows = active.find(({ removed }) => removed.has(leaf));
    return knows === undefined ? [] : [`the head has a removed leaf of device ${short(device)}, as ${knows.name} knows`];
  });
}

/** A member that is alive and honest takes part, where anybody writes. */
function checkMembers({ members }: Sight, active: readonly Sight[], witnesses: readonly Witness[]): string[] {
  if (active.every(({ retired }) => retired)) return [];
  const taking = new Set(active.map(({ device }) => device));
  return members.flatMap(({ device }) => {
    const member = witnesses.find((each) => each.device === device);
    if (member === undefined) return [`the head has a member that does not exist: ${short(device)}`];
    return member.dead || member.hostile || taking.has(device) ? [] : [`${member.name} is a member of the head and takes no part`];
  });
}
