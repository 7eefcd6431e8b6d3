import { checkEachMessageOnce, type Written } from '../checks/each-message-once.js';
import { type Check, keyOf, type Ledger, type Sealing, type Violation } from '../checks/ledger.js';
import { checkNothingLeft } from '../checks/nothing-left.js';
import { checkOneHead } from '../checks/one-head.js';
import { checkSealings } from '../checks/sealed-for-members.js';
import { activeIn, groupsOf, type Witness, witnessOf } from '../checks/sight.js';
import type { Device } from '../devices/device.js';
import type { Simulation } from './simulation.js';

const NOBODY: ReadonlySet<string> = new Set();

/**
 * What the invariants say of the world as it is, the cheapest to find out first. `hostile` is believed and owed nothing. That nothing is undone
 * (invariant 5) can be asked only where it is known what was agreed upon: two stories do, and what they found is in the ledger.
 */
export function* judge(simulation: Simulation, hostile?: Device): Generator<Violation> {
  const { devices, ledger, counters } = simulation;
  const witnesses = devices.map((each) => witnessOf(each, each === hostile));
  const honest = witnesses.filter((each) => !each.hostile);
  yield* violationsOf(
    'one-head',
    checkOneHead(witnesses, () => counters.count('parted-for-good')),
  );
  yield* violationsOf(
    'nothing-left',
    checkNothingLeft(witnesses, (account) => isReachable(account, simulation, witnesses)),
  );
  if (simulation.isStorm) yield { check: 'nothing-left', text: 'commits without end' };
  const written = allWritten(simulation, commitsLeft(honest));
  yield* violationsOf(
    'each-message-once',
    checkEachMessageOnce(written, honest, (leaf) => ledger.successorsOf(leaf)),
  );
  const nameOf = (device: string) => witnesses.find((each) => each.device === device)?.name ?? device.slice(0, 8);
  const honestDevices = new Set(honest.map(({ device }) => device));
  const sealings = new Map([...ledger.sealings].filter(([, { device }]) => honestDevices.has(device)));
  const knew = (message: string, device: string, at: number) => {
    const opening = ledger.opened.get(message)?.get(device);
    return opening !== undefined && opening.at <= at && at < opening.lostAt;
  };
  yield* violationsOf('sealed-for-members', checkSealings(sealings, knew, nameOf));
  yield* ledger.violations;
}

const violationsOf = (check: Check, texts: readonly string[]): Violation[] => texts.map((text) => ({ check, text }));

/** Ids of the commits that those have who take part. */
function commitsLeft(honest: readonly Witness[]): ReadonlySet<string> {
  return new Set(groupsOf(honest).flatMap((group) => activeIn(group, honest).flatMap(({ commits }) => commits)));
}

/** What users wrote, and what became of it in the world. */
function allWritten({ devices, ledger }: Simulation, left: ReadonlySet<string>): Written[] {
  const byContent = sealingsBy(({ content }) => content, ledger);
  const byKey = sealingsBy(keyOf, ledger);
  return [...ledger.composed.values()].map((each) => {
    const sealed = byContent.get(each.content) ?? [];
    const sealings = sealed.map(([, sealing]) => sealing);
    const openedBy = new Set(sealed.flatMap(([message]) => [...(ledger.opened.get(message)?.keys() ?? [])]));
    const [first] = sealed;
    const keptBy = keptByEach(sealed, ledger);
    if (first === undefined) return { ...each, sealings, openedBy, keptBy, putBehind: NOBODY, withoutKey: NOBODY };
    const noWay = devices.filter(({ identity, memory }) => ledger.isPutBehind(identity.device, first[1], memory));
    const behind = new Set(noWay.map(({ identity }) => identity.device));
    const putBehind = new Set([...behind].filter((device) => openedBy.has(device)));
    const others = byKey.get(keyOf(first[1]))!.filter(([message]) => message !== first[0]);
    const isKeptOut = (device: string) =>
      behind.has(device) || ledger.isShutOut(device, first[1]) || ledger.isCutOff(device, first[1], left);
    const keptOut = first[1].members.map(({ device }) => device).filter(isKeptOut);
    const withoutKey = new Set([...others.flatMap(([other]) => holders(other, ledger)), ...keptOut]);
    return { ...each, sealings, openedBy, keptBy, putBehind, withoutKey };
  });
}

/** Who remembers a sealing for all, and for whom those were that it remembers. Device ids. */
function keptByEach(sealed: readonly [string, Sealing][], ledger: Ledger): Map<string, Set<string>> {
  const kept = new Map<string, Set<string>>();
  for (const [message, { onlyFor, members }] of sealed) {
    if (onlyFor !== undefined) continue;
    const devices = members.map(({ device }) => device);
    for (const holder of holders(message, ledger)) kept.set(holder, new Set([...(kept.get(holder) ?? []), ...devices]));
  }
  return kept;
}

/** Those that left their device, with the ids of their messages. */
function sealingsBy(of: (sealing: Sealing) => string, { sealings }: Ledger): Map<string, [string, Sealing][]> {
  const grouped = new Map<string, [string, Sealing][]>();
  for (const [message, sealing] of sealings) {
    if (!sealing.left) continue;
    const same = grouped.get(of(sealing));
    if (same === undefined) grouped.set(of(sealing), [[message, sealing]]);
    else same.push([message, sealing]);
  }
  return grouped;
}

/** Devices that have opened the message, and whose disk remembers it. */
function holders(message: string, { opened }: Ledger): string[] {
  return [...(opened.get(message) ?? [])].flatMap(([device, { lostAt }]) => (lostAt === Infinity ? [device] : []));
}

function isReachable(account: string, { devices }: Simulation, witnesses: readonly Witness[]): boolean {
  return devices.some((each) => each.identity.account === account && !each.dead) && witnesses.length > 0;
}
