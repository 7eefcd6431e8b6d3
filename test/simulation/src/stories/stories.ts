import type { Profile } from '../run/profile.js';
import { branchOfOne, branchOfTheRemoved, crashInCommit, longFork, mintedSiblings, removalInVain, spoiltBranch } from './branches.js';
import { lateJoiner, losingInvitation, lostRemoval, onlyPhone, orphanedNewcomer, removalBesideRejoin, takenSlot } from './membership.js';
import { forgottenMessage, longAway, losingMessage, unreadableFlood } from './messages.js';
import { type Stage, Untold } from './stage.js';

export type StoryName =
  | 'branch-of-one'
  | 'branch-of-the-removed'
  | 'crash-in-commit'
  | 'forgotten-message'
  | 'late-joiner'
  | 'long-away'
  | 'long-fork'
  | 'losing-invitation'
  | 'losing-message'
  | 'lost-removal'
  | 'minted-siblings'
  | 'only-phone'
  | 'orphaned-newcomer'
  | 'removal-beside-rejoin'
  | 'removal-in-vain'
  | 'spoilt-branch'
  | 'taken-slot'
  | 'unreadable-flood';

interface Story {
  readonly tell: (stage: Stage) => Promise<void>;
  /** What the small world of its own must have. */
  readonly world?: Partial<Profile>;
}

const HOSTILE = { hostile: { device: 'erin', expelledAt: Number.POSITIVE_INFINITY } };
/** Alice alone knows erin. */
const ERIN_IS_STRANGE = ['bob', 'carol', 'dave'].map((each) => [each, 'erin'] as const);

/** Histories that break groups with one rule less (docs/groups.md § Where this is tested). Each can be told in any world that has the cast. */
export const STORIES: Readonly<Record<StoryName, Story>> = {
  'branch-of-one': { tell: branchOfOne, world: HOSTILE },
  'branch-of-the-removed': { tell: branchOfTheRemoved, world: HOSTILE },
  'crash-in-commit': { tell: crashInCommit },
  'forgotten-message': { tell: forgottenMessage },
  'late-joiner': { tell: lateJoiner },
  'long-away': { tell: longAway },
  'long-fork': { tell: longFork },
  'losing-invitation': { tell: losingInvitation },
  'losing-message': { tell: losingMessage },
  'lost-removal': { tell: lostRemoval },
  'minted-siblings': { tell: mintedSiblings, world: HOSTILE },
  'only-phone': { tell: onlyPhone },
  'orphaned-newcomer': { tell: orphanedNewcomer, world: { strangers: ERIN_IS_STRANGE } },
  'removal-beside-rejoin': { tell: removalBesideRejoin },
  'removal-in-vain': { tell: removalInVain, world: HOSTILE },
  'spoilt-branch': { tell: spoiltBranch, world: HOSTILE },
  'taken-slot': { tell: takenSlot },
  'unreadable-flood': { tell: unreadableFlood, world: { deliveryWindow: 4, retryWindowMs: 600_000 } },
};

export function storyNamed(name: string): StoryName {
  const known = Object.keys(STORIES) as StoryName[];
  const story = known.find((each) => each === name);
  if (story === undefined) throw new RangeError(`a story is one of ${known.join(', ')}`);
  return story;
}

/** False when the world has not what it needs. */
export async function tell(name: StoryName, stage: Stage): Promise<boolean> {
  stage.simulation.trace.note('', `story: ${name}`);
  try {
    await stage.calm();
    await STORIES[name].tell(stage);
    stage.simulation.counters.count(`story-${name}`);
    return true;
  } catch (error) {
    if (!(error instanceof Untold)) throw error;
    stage.simulation.trace.note('', `not told: ${error.message}`);
    return false;
  } finally {
    stage.letTogether();
  }
}
