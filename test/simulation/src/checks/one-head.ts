import { activeIn, groupsOf, short, type Sight, type Witness } from './sight.js';

/** Invariant 1: one head and authenticator on all not removed; its members are exactly they; no leaf of `removed` in it. */
export function checkOneHead(witnesses: readonly Witness[]): string[] {
  return groupsOf(witnesses).flatMap((group) => checkGroup(group, witnesses).map((text) => `group ${short(group)}: ${text}`));
}

function checkGroup(group: string, witnesses: readonly Witness[]): string[] {
  const active = activeIn(group, witnesses);
  const [first] = active;
  if (first === undefined) return [];
  const heads = new Map(active.map((each) => [`${each.head} ${each.authenticator}`, each]));
  if (heads.size > 1) return [`heads differ: ${active.map((each) => `${each.name} ${short(each.head)} (epoch ${each.epoch})`).join(', ')}`];
  return [...active.flatMap((each) => checkOwnLeaf(each)), ...checkRemoved(first, active), ...checkMembers(first, active, witnesses)];
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
