import { short } from './sight.js';

/** A device and the states from its head down. */
export interface Follower {
  readonly name: string;
  readonly path: readonly string[];
}

/** Invariant 5: what devices had agreed upon is part of what they follow now, whatever one account alone, or a removed device, has minted. */
export function checkNothingUndone(agreed: string, followers: readonly Follower[]): string[] {
  return followers
    .filter(({ path }) => !path.includes(agreed))
    .map(({ name, path }) => `${name} had agreed upon ${short(agreed)}, and went to a branch without it (${short(path[0] ?? '')})`);
}
