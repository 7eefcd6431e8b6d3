import type { Outcome } from '@sotto/protocol';
import type { Claimed, OutgoingSend } from './messenger-ports.js';

/** What takes the messenger's messages to other devices: a server, or the peers themselves. Receipts come by Messenger.receipt. */
export interface Carrier {
  /** Conversations of two are all that it carries. */
  readonly directOnly: boolean;
  /** @param ttl seconds that it may be held for a device that is away */
  send(send: OutgoingSend, ttl: number): void;
  ack(handle: bigint, outcome: Outcome): void;
  /** A key package of each device of an account; undefined: nobody answered. */
  claim(account: string): Promise<Claimed | undefined>;
  /** Published key packages are to be replaced: that of last resort was used, or the store is older than they are. */
  topUp(): void;
  /** By some tokens this device is reached no more from now on: whoever delivers to it is told. */
  withdrawn(): void;
}
