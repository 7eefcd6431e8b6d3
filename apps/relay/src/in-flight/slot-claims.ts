import { ErrorCode } from '@sotto/protocol';
import type { ParsedSend } from '@sotto/protocol/frames';
import type { SlotAnswer } from '../commit-slots/commit-slots.service.js';
import { hexOfKey } from './id-key.js';
import type { InFlightMessage } from './message.js';
import type { Receipts } from './receipts.js';
import type { RelayPorts } from './relay-ports.js';

/** What becomes of a Send once the answer about its slot is there. */
export interface ClaimOutcomes {
  /** The slot is its commit's, now or since an earlier claim. */
  won(message: InFlightMessage, send: ParsedSend): void;
  /** It is to be forgotten; its sender was told. */
  lost(message: InFlightMessage): void;
}

/**
 * Sends that wait for the answer about their commit slot. Nothing of them goes out before it, and nothing else waits behind them: later
 * Sends of the same device overtake (docs/decisions/commit-slots.md).
 */
export class SlotClaims {
  constructor(
    private readonly ports: Pick<RelayPorts, 'claimSlot'>,
    private readonly receipts: Receipts,
    private readonly outcomes: ClaimOutcomes,
  ) {}

  begin(message: InFlightMessage, send: ParsedSend): void {
    message.claiming = true;
    const own = ownSend(send);
    message.id = own.id;
    message.payload = own.payload;
    this.ports.claimSlot(hexOfKey(message.account), own.slot, own.commitId).then(
      (answer) => this.answered(message, own, answer),
      () => this.refuse(message, ErrorCode.UNAVAILABLE, 'The slot could not be claimed: send it again soon.', 1_000),
    );
  }

  private answered(message: InFlightMessage, send: ParsedSend, answer: SlotAnswer): void {
    message.claiming = false;
    if ('waitMs' in answer) return this.refuse(message, ErrorCode.RATE_LIMITED, 'Too many commits: send it again later.', answer.waitMs);
    if (equal(answer.holder, send.commitId)) return this.outcomes.won(message, send);
    this.receipts.slotTaken(message, answer.holder);
    this.outcomes.lost(message);
  }

  private refuse(message: InFlightMessage, code: ErrorCode, text: string, retryAfterMs: number): void {
    this.receipts.refused(message, message.id, { code, text, retryAfterMs });
    this.outcomes.lost(message);
  }
}

/** What so far are views into a whole batch: a Send that waits holds its own bytes only. */
function ownSend(send: ParsedSend): ParsedSend {
  const own = (bytes: Uint8Array) => new Uint8Array(bytes);
  return { ...send, id: own(send.id), payload: own(send.payload), slot: own(send.slot), commitId: own(send.commitId) };
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
