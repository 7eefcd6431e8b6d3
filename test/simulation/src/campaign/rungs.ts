import type { Rung } from '@sotto/client/core';

/** A record, so that a rung that is added to the client can't be forgotten here. */
const ALL: Record<Rung, true> = {
  fork: true,
  rewind: true,
  'slot-taken': true,
  'sent-without-slot': true,
  'own-commit-recovered': true,
  'own-commit-lost': true,
  'removal-carried-over': true,
  'removal-unjudged': true,
  'held-back': true,
  hello: true,
  'supplied-commit': true,
  'supplied-message': true,
  later: true,
  cannot: true,
  'sealed-again': true,
  'state-let-go': true,
  'commit-let-go': true,
  'state-reopened': true,
  'rejoin-asked': true,
  'rejoin-helped': true,
  rejoined: true,
  'rolled-back': true,
  greeted: true,
  'lost-replaced': true,
  'former-asked': true,
  expelled: true,
  'let-in-again': true,
  'commit-refused': true,
  'intent-returned': true,
  'cut-off': true,
};

export const RUNGS = Object.keys(ALL) as readonly Rung[];
