import { type ForkRules, FORK_RULES } from '@sotto/mls';

/** The rules of docs/groups.md. Each has a switch, so that the simulation can show what breaks without it; a product never turns one. */
export interface GroupRules {
  readonly fork: ForkRules;
  /** What one branch removes, the winner removes too. */
  readonly removalsAddUp: boolean;
  /** Nothing is sealed while the head has a removed leaf. */
  readonly hold: boolean;
  /** A slot is no permission: without an answer for long, a commit goes out without one. */
  readonly slotsAreNoPermission: boolean;
  /** Who can't compare a fork follows those who can, by rejoining. */
  readonly rejoin: boolean;
  /** The result of an own commit is durable before the commit is handed over. */
  readonly durableBeforeSent: boolean;
  /** Nothing is sealed after a start before one answer to a hello. */
  readonly helloBeforeSealing: boolean;
  /** A used generation is the same message only if its ciphertext is. */
  readonly usedGenerationByHash: boolean;
  /** What can't be read yet is kept and answered `later`. */
  readonly later: boolean;
  /** Who was owed a message once stays owed. */
  readonly onceOwedOwed: boolean;
  /** A member that never showed itself is greeted. */
  readonly greet: boolean;
  /** Commits of losing branches are kept and handed on. */
  readonly keepLosingBranches: boolean;
  /** Who sees its own leaf removed sends and commits no more, and says so. */
  readonly removedFallSilent: boolean;
}

export const GROUP_RULES: GroupRules = {
  fork: FORK_RULES,
  removalsAddUp: true,
  hold: true,
  slotsAreNoPermission: true,
  rejoin: true,
  durableBeforeSent: true,
  helloBeforeSealing: true,
  usedGenerationByHash: true,
  later: true,
  onceOwedOwed: true,
  greet: true,
  keepLosingBranches: true,
  removedFallSilent: true,
};

/** How many epochs' states a device keeps, on every branch: what it can compare, and what a thief of the device could read back. */
export const KEPT_STATES = 16;
/** A state that is older than that stays readable for a while after the device passed it: who catches up fast may get its messages from another. */
export const PASSED_STATES_MS = 3_600_000;
export const MOST_PASSED_STATES = 256;
/** How many epochs' commits, as bytes, and hello keys. */
export const KEPT_COMMITS = 1_000;
