import type { Device } from '../devices/device.js';
import { CALM_SERVER } from '../server/server.js';
import { type Stage, Untold } from './stage.js';

const MINUTE_MS = 60_000;
const HEALED_MS = 3_600_000;
/** Two minutes without an answer, and what it takes to commit. */
const ALONE_MS = 300_000;

/** A removal stands on a branch that loses; who made it is gone, and so is the lost phone that it removed. Somebody has to make it again. */
export async function lostRemoval(stage: Stage): Promise<void> {
  const { founder, witness, other, victim } = stage.cast('founder', 'witness', 'other', 'victim');
  const group = await stage.found(founder, [witness, other, victim]);
  stage.keepApart(founder, witness);
  const leaf = stage.core(founder, group).member(victim.identity.device)!.id;
  await stage.wish(founder, group, { kind: 'remove', leaves: [leaf] });
  await stage.until(() => !stage.has(witness, group, victim));
  victim.die();
  await stage.commit(other, group, 2);
  founder.die();
}

/** A device is removed on one branch, and has another leaf on the one that wins. It is removed all the same. */
export async function removalBesideRejoin(stage: Stage): Promise<void> {
  const { founder, admin, other, victim } = stage.cast('founder', 'admin', 'other', 'victim');
  const group = await stage.found(founder, [admin, other, victim]);
  await stage.wish(founder, group, { kind: 'role', account: admin.identity.account, admin: true });
  await stage.until(() => stage.core(admin, group).data.accounts.includes(admin.identity.account));
  const { account, device } = victim.identity;
  const leafIn = (one: Device) => stage.core(one, group).member(device)?.id;
  const leaf = leafIn(admin)!;
  stage.keepApart(admin);
  await stage.wish(admin, group, { kind: 'remove', leaves: [leaf] });
  await stage.wish(founder, group, { kind: 'replace', account, device, leaf });
  await stage.until(() => !stage.has(admin, group, victim) && leafIn(founder) !== leaf && leafIn(other) === leafIn(founder));
  await stage.commit(other, group);
  stage.letTogether();
  const isOut = () => [founder, admin, other].every((each) => !stage.has(each, group, victim));
  await stage.expect(isOut, `${victim.name} is out`, HEALED_MS);
}

/** One of two loses the only phone: the other removes it, and nobody is left who could confirm that. */
export async function onlyPhone(stage: Stage): Promise<void> {
  const { founder, victim } = stage.cast('founder', 'victim');
  // One that is gone for good is let in, too, by its last key package.
  const ofAccount = ({ identity }: Device) => stage.simulation.devices.filter((each) => each.identity.account === identity.account);
  if ([founder, victim].some((each) => ofAccount(each).length > 1)) throw new Untold('they have or had other devices');
  const group = await stage.found(founder, [victim]);
  const leaf = stage.core(founder, group).member(victim.identity.device)!.id;
  victim.die();
  founder.stop();
  await founder.recover();
  await stage.wish(founder, group, { kind: 'remove', leaves: [leaf] });
  const isAlone = () => !stage.has(founder, group, victim) && stage.core(founder, group).hold === undefined;
  await stage.expect(isAlone, `${founder.name} is alone, and may write`, ALONE_MS);
}

/**
 * A device is let in by a branch that loses, and who let it in is gone. It can't compare, as it began above where the branches parted: it asks,
 * and is let in again where the others are.
 */
export async function lateJoiner(stage: Stage): Promise<void> {
  const { founder, writer, other, newcomer } = stage.cast('founder', 'writer', 'other', 'newcomer');
  const group = await stage.found(founder, [writer, other]);
  stage.keepApart(founder, ...stage.devicesOf(newcomer));
  await stage.wish(founder, group, { kind: 'add', account: newcomer.identity.account });
  await stage.until(() => stage.knows(newcomer, group));
  founder.die();
  // A newcomer may commit at once, to refresh what others may have: that is two accounts on either branch.
  await stage.commit(writer, group, 2);
  await stage.commit(other, group, 2);
  await stage.until(() => stage.agree(group, [writer, other]));
  const winner = stage.core(other, group).head;
  stage.letTogether();
  const isIn = () => stage.agree(group, [writer, other, newcomer]);
  await stage.expect(isIn, `${newcomer.name} is in where ${other.name} is`, HEALED_MS);
  if (!stage.path(other, group).includes(winner)) throw new Untold('the branch of the newcomer won');
}

/** The winner of a slot is gone, and nobody has its commit: the slot is no permission, and the others go on without. */
export async function takenSlot(stage: Stage): Promise<void> {
  const { founder, writer, other } = stage.cast('founder', 'writer', 'other');
  const group = await stage.found(founder, [writer, other]);
  stage.keepApart(founder);
  await stage.commit(founder, group);
  founder.die();
  stage.crashRelay();
  await stage.wish(writer, group, { kind: 'rename', name: 'renamed' });
}

/** A message is sealed for somebody whom a branch lets in that loses. Until another branch does, it is owed to one who is no member. */
export async function losingInvitation(stage: Stage): Promise<void> {
  const { founder, writer, other, newcomer } = stage.cast('founder', 'writer', 'other', 'newcomer');
  const group = await stage.found(founder, [writer, other]);
  const newcomers = stage.devicesOf(newcomer);
  stage.keepApart(founder, writer);
  await stage.wish(founder, group, { kind: 'add', account: newcomer.identity.account });
  await stage.until(() => stage.has(writer, group, newcomer));
  const message = await stage.write(writer, group);
  await stage.until(() => stage.wasShown(founder, message));
  await stage.commit(other, group, 2);
  // The founder wants it in again, and can't have its key packages yet.
  stage.simulation.server.weather = { ...CALM_SERVER, claimLost: 1 };
  stage.keepApart(...newcomers);
  await stage.until(() => [founder, writer].every((each) => !stage.has(each, group, newcomer)));
  await stage.pass(MINUTE_MS);
  stage.simulation.server.weather = CALM_SERVER;
  await stage.until(() => stage.has(writer, group, newcomer) && stage.agree(group, [founder, writer, other]));
}

/** The only contact of a newcomer adds it and is gone before the Welcome: the others can't claim its key packages to add it again. */
export async function orphanedNewcomer(stage: Stage): Promise<void> {
  const { founder, newcomer, strangers } = orphanIn(stage);
  const group = await stage.found(founder, strangers);
  stage.keepApart(...stage.devicesOf(newcomer));
  await stage.wish(founder, group, { kind: 'add', account: newcomer.identity.account });
  await stage.until(() => strangers.every((each) => stage.has(each, group, newcomer)));
  founder.die();
  stage.crashRelay();
}

function orphanIn(stage: Stage): { readonly founder: Device; readonly newcomer: Device; readonly strangers: readonly Device[] } {
  const people = stage.people();
  const contactsOf = (one: Device) => people.filter((each) => stage.areContacts(one, each));
  for (const founder of people.filter((each) => stage.devicesOf(each).length === 1)) {
    for (const newcomer of contactsOf(founder)) {
      const strangers = contactsOf(founder).filter((each) => each !== newcomer && !stage.areContacts(newcomer, each));
      if (strangers.length > 0) return { founder, newcomer, strangers };
    }
  }
  throw new Untold('nobody is a stranger');
}
