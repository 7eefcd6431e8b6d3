import { ErrorCode } from '@sotto/protocol';
import type { Allowance, RelayConfig } from '../relay.config.js';
import type { InFlightMessage } from './message.js';
import type { Refusal } from './receipts.js';

/** What a held recipient costs this process: delivery, device, list and map entries, its token. Measured: 215 to 610 bytes. */
const RECIPIENT_BYTES = 640;
const TOO_MUCH: Refusal = { code: ErrorCode.BUSY, text: 'Too much of this account is on its way: wait for receipts.', retryAfterMs: 1_000 };

interface AccountUse {
  moving: Allowance;
  held: Allowance;
  /** Oldest first. */
  heldMessages: Set<InFlightMessage>;
}

/**
 * Charges of accounts for what they have in flight. Messages on their way and messages held have budgets apart, so that a full hold never
 * stops live traffic. A message is charged once for its payload, and for each recipient without an outcome, whoever they are: the charge tells
 * its sender nothing that the receipts did not.
 */
export class Budgets {
  private readonly accounts = new Map<string, AccountUse>();
  private heldBytes = 0;

  constructor(private readonly config: Pick<RelayConfig, 'moving' | 'held' | 'heldBytes'>) {}

  /** Takes a new message in as moving, or says why not. */
  admit(message: InFlightMessage): Refusal | undefined {
    const use = this.useOf(message.account);
    add(use.moving, message, 1);
    if (exceeds(use.moving, this.config.moving)) {
      add(use.moving, message, -1);
      return TOO_MUCH;
    }
    message.charge.budget = 'moving';
    return undefined;
  }

  /** Moves the charge from moving to held. Returns the messages that have to be given up for it: oldest first. */
  hold(message: InFlightMessage): InFlightMessage[] {
    if (message.charge.budget !== 'moving') return [];
    const use = this.accounts.get(message.account)!;
    add(use.moving, message, -1);
    add(use.held, message, 1);
    use.heldMessages.add(message);
    this.heldBytes += costOf(message.charge);
    message.charge.budget = 'held';
    return this.overflow(use);
  }

  /** Takes in more recipients of a message that is in flight. False: there is no room for them. */
  admitAlso({ charge, account }: InFlightMessage, recipients: number): boolean {
    if (charge.budget === 'none') return false;
    const use = this.accounts.get(account)![charge.budget];
    const bytes = charge.budget === 'held' ? RECIPIENT_BYTES * recipients : 0;
    if (use.recipients + recipients > this.config[charge.budget].recipients || this.heldBytes + bytes > this.config.heldBytes) return false;
    use.recipients += recipients;
    charge.recipients += recipients;
    this.heldBytes += bytes;
    return true;
  }

  /** One of its recipients, but not the last, has an outcome. */
  settledOne(message: InFlightMessage): void {
    const { charge, account } = message;
    charge.recipients--;
    if (charge.budget === 'none') return;
    this.accounts.get(account)![charge.budget].recipients--;
    if (charge.budget === 'held') this.heldBytes -= RECIPIENT_BYTES;
  }

  release(message: InFlightMessage): void {
    const use = this.accounts.get(message.account);
    const { charge } = message;
    if (use === undefined || charge.budget === 'none') return;
    add(use[charge.budget], message, -1);
    if (charge.budget === 'held') {
      use.heldMessages.delete(message);
      this.heldBytes -= costOf(charge);
    }
    charge.budget = 'none';
  }

  /** Forgets accounts that have nothing in flight: not at once, as most send again soon. */
  sweep(): void {
    for (const [account, { moving, held }] of this.accounts) {
      if (moving.messages === 0 && held.messages === 0) this.accounts.delete(account);
    }
  }

  private useOf(account: string): AccountUse {
    let use = this.accounts.get(account);
    if (use === undefined) this.accounts.set(account, (use = { moving: nothing(), held: nothing(), heldMessages: new Set() }));
    return use;
  }

  private overflow(use: AccountUse): InFlightMessage[] {
    const givenUp: InFlightMessage[] = [];
    const giveUpOldest = ({ heldMessages }: AccountUse): void => {
      const [oldest] = heldMessages;
      if (oldest === undefined) return;
      givenUp.push(oldest);
      this.release(oldest);
    };
    while (exceeds(use.held, this.config.held)) giveUpOldest(use);
    while (this.heldBytes > this.config.heldBytes) giveUpOldest(this.largest());
    return givenUp;
  }

  private largest(): AccountUse {
    let largest: AccountUse | undefined;
    for (const use of this.accounts.values()) if (largest === undefined || costOf(use.held) > costOf(largest.held)) largest = use;
    return largest!;
  }
}

function nothing(): Allowance {
  return { messages: 0, bytes: 0, recipients: 0 };
}

function add(to: Allowance, { charge }: InFlightMessage, sign: 1 | -1): void {
  to.messages += sign;
  to.bytes += sign * charge.bytes;
  to.recipients += sign * charge.recipients;
}

function exceeds(use: Allowance, most: Allowance): boolean {
  return use.messages > most.messages || use.bytes > most.bytes || use.recipients > most.recipients;
}

function costOf({ bytes, recipients }: Pick<Allowance, 'bytes' | 'recipients'>): number {
  return bytes + RECIPIENT_BYTES * recipients;
}
