import { checkEachMessageOnce } from '../checks/each-message-once.js';
import { keyOf, type Ledger, type Sealing, type Violation } from '../checks/ledger.js';
import { checkNothingLeft } from '../checks/nothing-left.js';
import { checkOneHead } from '../checks/one-head.js';
import { checkSealings } from '../checks/sealed-for-members.js';
import { type Witness, witnessOf } from '../checks/sight.js';
import type { Device } from '../devices/device.js';
import type { Simulation } from './simulation.js';

/** What the five invariants say of the world as it is. `hostile` is believed and owed nothing. */
export function judge(simulation: Simulation, hostile?: Device): Violation[] {
  const { devices, ledger } = simulation;
  const witnesses = devices.map((each) => witnessOf(each, each === hostile));
  const honest = witnesses.filter((each) => !each.hostile);
  const byContent = sealingsBy(({ content }) => content, ledger);
  const byKey = sealingsBy(keyOf, ledger);
  const written = [...ledger.composed.values()].map((each) => {
    const sealed = byContent.get(each.content) ?? [];
    const openedBy = new Set(sealed.flatMap(([message]) => [...(ledger.opened.get(message)?.keys() ?? [])]));
    const others = sealed.slice(0, 1).flatMap(([message, first]) => byKey.get(keyOf(first))!.filter(([other]) => other !== message));
    const shutOut = sealed
      .slice(0, 1)
      .flatMap(([, first]) => first.members.map(({ device }) => device).filter((device) => ledger.isShutOut(device, first)));
    const putBehind = new Set(
      devices.flatMap(({ identity: { device }, memory }) =>
        openedBy.has(device) && sealed.slice(0, 1).some(([, first]) => ledger.isPutBehind(device, first, memory)) ? [device] : [],
      ),
    );
    const withoutKey = new Set([...others.flatMap(([other]) => holders(other, ledger)), ...shutOut]);
    return { ...each, sealings: sealed.map(([, sealing]) => sealing), openedBy, putBehind, withoutKey };
  });
  const nameOf = (device: string) => witnesses.find((each) => each.device === device)?.name ?? device.slice(0, 8);
  const honestDevices = new Set(honest.map(({ device }) => device));
  const sealings = new Map([...ledger.sealings].filter(([, { device }]) => honestDevices.has(device)));
  const knew = (message: string, device: string, at: number) => {
    const opening = ledger.opened.get(message)?.get(device);
    return opening !== undefined && opening.at <= at && at < opening.lostAt;
  };
  return [
    ...checkOneHead(witnesses).map((text) => ({ check: 'one-head', text }) as const),
    ...checkEachMessageOnce(written, honest, (leaf) => ledger.successorsOf(leaf)).map(
      (text) => ({ check: 'each-message-once', text }) as const,
    ),
    ...checkSealings(sealings, knew, nameOf).map((text) => ({ check: 'sealed-for-members', text }) as const),
    ...checkNothingLeft(witnesses, (account) => isReachable(account, simulation, witnesses)).map(
      (text) => ({ check: 'nothing-left', text }) as const,
    ),
    ...ledger.violations,
    ...(simulation.isStorm ? [{ check: 'nothing-left', text: 'commits without end' } as const] : []),
  ];
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
