import { checkNothingUndone } from '../checks/nothing-undone.js';
import type { Device } from '../devices/device.js';
import type { Adversary } from '../run/adversary.js';
import { type Stage, Untold } from './stage.js';

const LONGEST_BRANCH = 8;
/** Commits on a branch, after which the state where it began is gone. */
const BEYOND_COMPARE = 18;
const HEARD_MS = 120_000;
/** Commits on a branch that is longer than one commit of another. */
const DIVIDING = 3;
const HEALED_MS = 3_600_000;
/** More commits on one state than a device holds states of. */
const MINTED = 12;
/** More than it keeps at all. */
const MANY_MINTED = 280;

/** What two have committed is not undone by a member who makes a longer branch all alone. */
export async function branchOfOne(stage: Stage): Promise<void> {
  const { founder, other } = stage.cast('founder', 'other');
  const adversary = adversaryOf(stage, founder);
  const group = await stage.found(founder, [other, adversary.device]);
  const from = stage.core(founder, group).head;
  await stage.commit(founder, group);
  await stage.commit(other, group);
  await outbid(stage, { adversary, group, from, honest: [founder, other] });
}

/** A removal is not undone by whoever it removes. */
export async function branchOfTheRemoved(stage: Stage): Promise<void> {
  const { founder, other } = stage.cast('founder', 'other');
  const adversary = adversaryOf(stage, founder);
  const group = await stage.found(founder, [other, adversary.device]);
  const from = stage.core(founder, group).head;
  const leaf = stage.core(founder, group).member(adversary.device.identity.device)!.id;
  await stage.wish(founder, group, { kind: 'remove', leaves: [leaf] });
  await outbid(stage, { adversary, group, from, honest: [founder, other] });
}

/** A member makes many commits on one state, of which a device holds few: it follows others who went on from one that it let go of. */
export async function mintedSiblings(stage: Stage): Promise<void> {
  const { founder, other } = stage.cast('founder', 'other');
  const adversary = adversaryOf(stage, founder);
  const group = await stage.found(founder, [other, adversary.device]);
  const count = stage.random.chance(0.2) ? MANY_MINTED : MINTED;
  const minted = await adversary.mintSiblings(group, stage.core(founder, group).head, count);
  const [best, worst] = [minted[0], minted.at(-1)];
  if (best === undefined || worst === undefined) throw new Untold('whoever is hostile has not that state');
  stage.keepApart(other);
  for (const each of [...minted].reverse()) each.show(founder);
  await stage.until(() => stage.path(founder, group).includes(best.id));
  stage.keepApart(founder);
  worst.show(other);
  await stage.until(() => stage.core(other, group).head === worst.id);
  await stage.commit(other, group);
  stage.letTogether();
  await stage.expect(() => stage.agree(group, [founder, other]), `${founder.name} and ${other.name} agree`, HEARD_MS);
}

/** A member makes a branch that wins for those of the others who can process its first commit, and stays a member: they come together all the same. */
export async function spoiltBranch(stage: Stage): Promise<void> {
  const { founder, first, second, third } = stage.cast('founder', 'first', 'second', 'third');
  const adversary = adversaryOf(stage, founder);
  const honest = [founder, first, second, third];
  const group = await stage.found(founder, [...honest.slice(1), adversary.device]);
  const { head } = stage.core(founder, group);
  await stage.commit(founder, group);
  await adversary.divide(group, head, DIVIDING);
  await stage.until(() => honest.some((each) => stage.core(each, group).branches.unprocessableIds().length > 0));
  await stage.pass(HEARD_MS);
  await stage.expect(() => stage.agree(group, honest), 'the honest agree', HEALED_MS);
}

/**
 * Two are removed by commits that they can't process, one of whom had spoilt what comes before, and stay members to each other: whoever removed them
 * comes to where they are, and removes them there.
 */
export async function removalInVain(stage: Stage): Promise<void> {
  const { founder, other } = stage.cast('founder', 'other');
  const adversary = adversaryOf(stage, founder);
  const group = await stage.found(founder, [other, adversary.device]);
  const leaves = stage.core(founder, group).others.map(({ id }) => id);
  await adversary.divide(group, stage.core(founder, group).head, 1);
  await stage.until(() =>
    stage
      .core(other, group)
      .branches.unprocessableIds()
      .some((id) => stage.path(founder, group).includes(id)),
  );
  await stage.wish(founder, group, { kind: 'remove', leaves });
  await stage.until(() => stage.core(founder, group).others.length === 0);
  await stage.commit(other, group);
  const isDone = () => stage.core(other, group).out && stage.core(founder, group).others.length === 0;
  await stage.expect(isDone, `${other.name} is out, and ${founder.name} alone`, HEALED_MS);
}

/** A device crashes when its commit is written down and not sent yet: it goes on from there, by the leaf that it had. */
export async function crashInCommit(stage: Stage): Promise<void> {
  const { author, other } = stage.cast('author', 'other');
  const group = await stage.found(author, [other]);
  const { head, ownLeaf } = stage.core(author, group);
  author.crashAt('after-commit');
  await stage.wish(author, group, { kind: 'rename', name: 'renamed' });
  await author.recover();
  await stage.until(() => stage.core(other, group).head !== head);
  await stage.commit(other, group);
  const isIn = () => stage.agree(group, [author, other]) && stage.core(author, group).ownLeaf?.id === ownLeaf?.id;
  await stage.expect(isIn, `${author.name} is in by the leaf that it had`, HEARD_MS);
}

/** Two parts go on for so long that neither holds the state any more where they parted: the smaller one is let in again by the other. */
export async function longFork(stage: Stage): Promise<void> {
  const { founder, writer, other } = stage.cast('founder', 'writer', 'other');
  const group = await stage.found(founder, [writer, other]);
  stage.keepApart(founder);
  await stage.commit(founder, group, BEYOND_COMPARE);
  await stage.commit(writer, group, BEYOND_COMPARE);
}

interface Attack {
  readonly adversary: Adversary;
  readonly group: string;
  /** Where its branch begins. */
  readonly from: string;
  readonly honest: readonly Device[];
}

async function outbid(stage: Stage, { adversary, group, from, honest }: Attack): Promise<void> {
  await stage.until(() => stage.agree(group, honest) && stage.core(honest[0]!, group).head !== from);
  const agreed = stage.core(honest[0]!, group).head;
  await adversary.outbid(group, from, stage.random.whole(4, LONGEST_BRANCH));
  await stage.pass(HEARD_MS);
  const followers = honest.map((each) => ({ name: each.name, path: stage.path(each, group) }));
  for (const text of checkNothingUndone(agreed, followers)) stage.simulation.ledger.violate('nothing-undone', text);
}

/** One whom the founder can let in. */
function adversaryOf(stage: Stage, founder: Device): Adversary {
  const { adversary } = stage;
  if (adversary?.device.online !== true) throw new Untold('nobody is hostile');
  if (!stage.areContacts(founder, adversary.device)) throw new Untold('the founder does not know whoever is hostile');
  return adversary;
}
