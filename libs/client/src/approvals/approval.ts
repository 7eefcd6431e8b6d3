export type ApprovalStage =
  /** A device waits for one that answers. */
  | 'asked'
  /** Both devices show `code`; it is the user's turn on each. */
  | 'compare'
  /** On the old device: the key is on its way. On the new one: it is confirmed. */
  | 'approved'
  /** Another device of the account answers. */
  | 'taken'
  | 'refused'
  | 'expired'
  /** The device waits no more: withdrawn, confirmed by other means, revoked, or lost by the server. */
  | 'ended'
  /** Somebody between the two altered what they say to each other. */
  | 'broken';

/** How one device waits to be let in, as either end sees it. */
export interface Approval {
  /** The device that waits, lower-case hex. */
  readonly device: string;
  /** What it calls itself: text of somebody who has the password, and not more than that. */
  readonly name: string;
  /** Unix milliseconds by the server's clock. */
  readonly askedAt: number;
  readonly stage: ApprovalStage;
  /** Eight digits, from `compare` on. */
  readonly code?: string;
}
