import { activeIn, groupsOf, short, type Sight, type Witness } from './sight.js';

/**
 * Invariant 1: one head and authenticator on all not removed; its members are exactly they; no leaf of `removed` in it. Those apart may have a head
 * of their own who list nobody of the others and whom nobody of them lists, if no device that is left knows of the removal that parted them.
 */
export function checkOneHead(witnesses: readonly Witness[]): string[] {
  return groupsOf(witnesses).flatMap((group) => checkGroup(group, witnesses).map((text) => `group ${short(group)}: ${text}`));
}

function checkGroup(group: string, witnesses: readonly Witness[]): string[] {
  const active = activeIn(group, witnesses);
  const parts = partsOf(active);
  if (parts.length > 1 && !areApart(parts, group, witnesses))
    return [`heads differ: ${active.map((each) => `${each.name} ${short(each.head)} (epoch ${each.epoch})`).join(', ')}`];
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

function areApart(parts: readonly (readonly Sight[])[], group: string, witnesses: readonly Witness[]): boolean {
  const left = witnesses
    .filter(({ dead, hostile }) => !dead && !hostile)
    .flatMap(({ sights }) => sights.filter((each) => each.group === group));
  return parts.every((part) => {
    const lists = new Set(part[0]!.members.map(({ device }) => device));
    const others = parts.filter((each) => each !== part).flat();
    return (
      !others.some(({ device }) => lists.has(device)) &&
      !part.some(({ ownLeaf }) => ownLeaf !== undefined && left.some(({ removed }) => removed.has(ownLeaf)))
    );
  });
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
