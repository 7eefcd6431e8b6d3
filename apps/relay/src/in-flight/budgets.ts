import type { RelayConfig } from '../relay.config.js';
import type { InFlightMessage } from './message.js';

interface AccountUse {
  movingMessages: number;
  movingBytes: number;
  heldBytes: number;
  /** Oldest first. */
  held: Set<InFlightMessage>;
}

/**
 * Charges of accounts for what they have in flight. Messages on their way and messages held have budgets apart, so that a full hold never
 * stops live traffic. A message is charged at full size whoever it is for: the charge tells nothing about its recipients (P4).
 */
export class Budgets {
  private readonly accounts = new Map<string, AccountUse>();
  private heldBytes = 0;

  constructor(private readonly config: RelayConfig) {}

  /** Takes a new message in as moving. False: the account has too much on its way. */
  admit(message: InFlightMessage): boolean {
    let use = this.accounts.get(message.account);
    if (use === undefined) this.accounts.set(message.account, (use = { movingMessages: 0, movingBytes: 0, heldBytes: 0, held: new Set() }));
    const { movingMessagesPerAccount, movingBytesPerAccount } = this.config;
    if (use.movingMessages >= movingMessagesPerAccount || use.movingBytes + message.charge > movingBytesPerAccount) return false;
    use.movingMessages++;
    use.movingBytes += message.charge;
    message.charged = 'moving';
    return true;
  }

  /** Moves the charge from moving to held. Returns the messages that have to be given up for it: oldest first. */
  hold(message: InFlightMessage): InFlightMessage[] {
    if (message.charged !== 'moving') return [];
    const use = this.accounts.get(message.account)!;
    use.movingMessages--;
    use.movingBytes -= message.charge;
    use.held.add(message);
    use.heldBytes += message.charge;
    this.heldBytes += message.charge;
    message.charged = 'held';
    return this.overflow(use);
  }

  release(message: InFlightMessage): void {
    const use = this.accounts.get(message.account);
    if (use === undefined || message.charged === 'none') return;
    if (message.charged === 'moving') {
      use.movingMessages--;
      use.movingBytes -= message.charge;
    } else {
      use.held.delete(message);
      use.heldBytes -= message.charge;
      this.heldBytes -= message.charge;
    }
    message.charged = 'none';
    if (use.movingMessages === 0 && use.held.size === 0) this.accounts.delete(message.account);
  }

  private overflow(use: AccountUse): InFlightMessage[] {
    const { heldMessagesPerAccount, heldBytesPerAccount, heldBytes } = this.config;
    const givenUp: InFlightMessage[] = [];
    const giveUpOldest = (of: AccountUse): void => {
      const [oldest] = of.held;
      if (oldest === undefined) return;
      givenUp.push(oldest);
      this.release(oldest);
    };
    while (use.held.size > heldMessagesPerAccount || use.heldBytes > heldBytesPerAccount) giveUpOldest(use);
    while (this.heldBytes > heldBytes) giveUpOldest(this.largest());
    return givenUp;
  }

  private largest(): AccountUse {
    let largest: AccountUse | undefined;
    for (const use of this.accounts.values()) if (largest === undefined || use.heldBytes > largest.heldBytes) largest = use;
    return largest!;
  }
}
