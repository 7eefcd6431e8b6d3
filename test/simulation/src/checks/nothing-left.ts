import type { Intent } from '@sotto/client/core';
import { activeIn, groupsOf, type Owed, short, type Sight, type Witness } from './sight.js';

/** Whether key packages of an account are to be had. */
export type Reachable = (account: string) => boolean;

/** Invariant 4: no intent, outbox entry or waiting message is left. */
export function checkNothingLeft(witnesses: readonly Witness[], isReachable: Reachable): string[] {
  return groupsOf(witnesses).flatMap((group) => {
    const active = activeIn(group, witnesses);
    return active.flatMap((each) => checkSight(each, witnesses, isReachable).map((text) => `group ${short(group)}: ${each.name} ${text}`));
  });
}

function checkSight(sight: Sight, witnesses: readonly Witness[], isReachable: Reachable): string[] {
  const canAnswer = (device: string) => witnesses.some((each) => each.device === device && !each.dead && !each.hostile);
  const nameOf = (device: string) => witnesses.find((each) => each.device === device)?.name ?? short(device);
  const isPossible = (intent: Intent) => intent.kind !== 'add' || isReachable(intent.account);
  const alone = !sight.members.some(({ device }) => device !== sight.device && canAnswer(device));
  const waits = sight.waiting.filter(({ device }) => (device === undefined ? !alone : isDue(device, sight, canAnswer)));
  return [
    ...sight.intents.filter(isPossible).map((intent) => `still wants to ${describeIntent(intent, witnesses)}`),
    ...(sight.pending === undefined ? [] : [`has commit ${short(sight.pending)} on its way`]),
    ...waits.map(
      ({ content, device }) =>
        `still waits with message ${short(content)}${device === undefined ? '' : ` for ${nameOf(device)}`} (${sight.hold})`,
    ),
    ...sight.owed
      .filter((owed) => canAnswer(owed.device) && !isOut(owed, sight, witnesses))
      .map((owed) => `still owes ${describe(owed)} to ${nameOf(owed.device)}`),
  ];
}

function describeIntent(intent: Intent, witnesses: readonly Witness[]): string {
  if (intent.kind !== 'add') return intent.kind;
  const devices = witnesses.filter(({ account }) => account === intent.account);
  return `add ${devices.map(({ name, dead }) => (dead ? `${name} (dead)` : name)).join(' and ')}`;
}

/** For one device alone that can't read it: due while it is a member. */
function isDue(device: string, { members }: Sight, canAnswer: (device: string) => boolean): boolean {
  return canAnswer(device) && members.some((each) => each.device === device);
}

/**
 * A commit is of no use to one who is out. A message that was sealed for it is, while the sender has an address of it: the one that it was
 * sealed with may be withdrawn, and then fourteen days end it.
 */
function isOut({ kind, device }: Owed, { group, members }: Sight, witnesses: readonly Witness[]): boolean {
  if (kind === 'message' && members.some((each) => each.device === device)) return false;
  const sights = witnesses.find((each) => each.device === device)?.sights ?? [];
  return sights.some((each) => each.group === group && each.out);
}

function describe({ kind, content, state }: Owed): string {
  return `${kind} ${short(content ?? state)}`;
}
